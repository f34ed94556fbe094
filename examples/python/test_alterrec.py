"""Tests of the package and the scripts, by `python3 -m unittest` in this folder."""

import contextlib
import gc
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy

import alterrec
from alterrec import _c

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests/data/golden"
ITEMS, PLACES = 30, 5
OPTIONS = """
model: {dim: 8, blocks: 1, max_len: 6, init: usual}
train: {epochs: 4, batch_size: 32}
schedule: {gap: 1, random_epochs: 1}
negatives: {k1: 2, k2: 20}
compute: {threads: 1}
"""


def visits(catalog, count, start):
    def visit(item, length):
        for _ in range(length):
            yield item
            item = item // PLACES * PLACES + (item + 1) % PLACES
    return alterrec.Sessions(
        catalog, [list(visit((start + s * 7) % ITEMS, 3 + s % 3)) for s in range(count)])


class Shop:
    def __init__(self):
        self.config = alterrec.Config(yaml=OPTIONS)
        self.catalog = alterrec.Catalog(
            [f"item{i}" for i in range(ITEMS)],
            texts=[f"shelf{i // PLACES} place{i % PLACES}" for i in range(ITEMS)])
        self.catalog.hash_features(self.config)
        self.train, self.valid = visits(self.catalog, 120, 0), visits(self.catalog, 30, 3)
        self.model = alterrec.Model(self.catalog, self.config)


def weights(model):
    return numpy.concatenate([model[name].reshape(-1) for name in model.shapes])


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def refused(self, status_name):
        test = self

        class Refused(contextlib.AbstractContextManager):
            def __exit__(self, kind, error, _):
                test.assertIsInstance(error, alterrec.AlterrecError)
                test.assertEqual(error.status_name, status_name)
                test.assertTrue(str(error))
                return True
        return Refused()


class TestLayout(Case):
    def test_structs_and_constants(self):
        """Against what the library's own tests keep, which a C compiler holds to alterrec.h."""
        rows = 0
        for line in (GOLDEN.parents[1] / "abi/layout.inc").read_text().splitlines():
            kind, _, rest = line.partition("(")
            parts = rest.rstrip(")").split(", ")
            if kind == "CONSTANT":
                self.assertEqual(getattr(_c, parts[0]), int(parts[1]), line)
            elif kind == "FIELD":
                field = getattr(getattr(_c, parts[0]), parts[2])
                self.assertEqual((field.offset, field.size), (int(parts[3]), int(parts[4])), line)
            rows += kind in ("CONSTANT", "FIELD")
        self.assertGreater(rows, 100)


class TestData(Case):
    def test_errors(self):
        config = alterrec.Config()
        with self.refused("NOT_FOUND"):
            config["model.dimm"] = 3
        with self.refused("IO"):
            alterrec.Model.load("no such file")
        config["text.tfidf"] = False
        self.assertEqual(config["text.tfidf"], "false")
        with self.assertRaises(ValueError):
            alterrec.Catalog(["a\0b"])
        config.close()
        config.close()
        with self.refused("INVALID_ARGUMENT"):
            config["model.dim"] = 3

    def test_what_c_would_cut_is_refused(self):
        """Wrong items, numbers and fields: an error, and nothing has changed."""
        shop, batch = Shop(), alterrec.Batch([[1, 2]])
        large = numpy.array([2 ** 32], numpy.int64)
        for wrong, kind in ((large, OverflowError), ([-2 ** 31 - 1], OverflowError),
                            (numpy.array([2 ** 32 - 1], numpy.uint32), OverflowError),
                            ([1.0], TypeError), ([True], TypeError), (["1"], TypeError),
                            ([2 ** 70], TypeError), ([None], TypeError),
                            ([[1, 2]], ValueError)):
            with self.subTest(wrong=wrong):
                for call in (batch.add, batch.exclude, lambda items: batch.add_labelled([1], items),
                             lambda items: alterrec.Sessions(shop.catalog, [items]),
                             alterrec.Filter(ITEMS).exclude, alterrec.Filter(ITEMS).allow_only):
                    self.assertRaises(kind, call, wrong)
        for wrong in ([1j], ["1"], [None]):
            self.assertRaises(TypeError, shop.catalog.set_features, [wrong] * ITEMS)
        self.assertRaises(TypeError, alterrec.Filter(2).cap, [1.0, 2.0], 1)
        self.assertEqual((len(batch), batch.examples), (1, 0))
        batch.add(numpy.array([3, 4], numpy.uint8))
        batch.add(range(3))
        batch.exclude([])
        self.assertEqual(len(batch), 3)
        for wrong, kind in ((2 ** 31, OverflowError), (-2 ** 70, OverflowError), (1.0, TypeError),
                            ("1", TypeError), (None, TypeError)):
            self.assertRaises(kind, shop.catalog.key, wrong)
            self.assertRaises(kind, shop.model.item_vectors, wrong)
        self.assertEqual(shop.catalog.key(numpy.int64(3)), "item3")
        self.assertRaises(OverflowError, batch.exclude, [1], 2 ** 63)
        self.assertRaises(OverflowError, alterrec.Filter, 2 ** 64)
        for wrong in (b"a", None):
            self.assertRaises(TypeError, alterrec.Catalog, [wrong])

    def test_handles_of_another_kind_are_refused(self):
        """C would take the one for the other."""
        shop, batch = Shop(), alterrec.Batch([[1, 2]])
        recommender = alterrec.Recommender(shop.model)
        for call, name in ((lambda: recommender.top_k([[1, 2]], 3), "a Batch is expected, not list"),
                           (lambda: recommender.score([1], [[1]]), "a Batch"),
                           (lambda: recommender.top_k(batch, 3, filter=shop.model), "a Filter"),
                           (lambda: shop.model.score(alterrec.ID, shop.train), "a Batch"),
                           (lambda: alterrec.Model(shop.train), "a Catalog"),
                           (lambda: alterrec.Model(shop.catalog, shop.catalog), "a Config"),
                           (lambda: alterrec.Sessions(shop.model, []), "a Catalog"),
                           (lambda: alterrec.Dataset(None), "a Config"),
                           (lambda: alterrec.Trainer(shop.model, [[1, 2]]), "a Sessions"),
                           (lambda: alterrec.evaluate(shop.catalog, shop.valid), "a Model"),
                           (lambda: alterrec.Recommender(shop.catalog), "a Model"),
                           (lambda: alterrec.LiveSession(shop.model), "a Recommender"),
                           (lambda: alterrec.LiveSession.top_k_many([batch], 1), "a LiveSession")):
            with self.assertRaisesRegex(TypeError, name):
                call()

    def test_in_and_out(self):
        shop = Shop()
        self.assertEqual((len(shop.catalog), shop.catalog.key(3)), (ITEMS, "item3"))
        self.assertEqual(shop.catalog.text(6), "shelf1 place1")
        self.assertEqual((shop.catalog.find("item4"), shop.catalog.find("spade")), (4, None))
        self.assertEqual(shop.train[1].tolist(), [7, 8, 9, 5])
        self.assertRaises(IndexError, lambda: shop.train[len(shop.train)])
        self.assertRaises(IndexError, shop.catalog.key, ITEMS)
        own = alterrec.Catalog(3)
        self.assertIsNone(own.features)
        features = numpy.arange(12, dtype=numpy.float64).reshape(2, 6).T  # not contiguous, not f32
        with self.refused("MISMATCH"):
            own.set_features(features)
        own.set_features(features[:3])
        self.assertTrue((own.features == features[:3]).all())
        batch = alterrec.Batch([[1, 2], numpy.array([3], numpy.int64)])
        batch.exclude([4])
        batch.exclude([5], session=1)
        self.assertEqual(len(batch), 2)
        with self.refused("INVALID_ARGUMENT"):
            batch.add([])

    def test_options(self):
        rows = {row.key: row for row in alterrec.options()}
        self.assertEqual((rows["model.dim"].type, rows["model.dim"].default), ("int", "300"))
        config = alterrec.Config({"model.dim": 12})
        path = self.folder / "options.yaml"
        config.write(path)
        copy = config.copy()
        config["model.dim"] = 13
        self.assertEqual((copy["model.dim"], alterrec.Config(path=path)["model.dim"]), ("12", "12"))
        self.assertEqual(Shop().model.config["model.max_len"], "6")
        self.assertIn("oneDNN", alterrec.build_info())
        self.assertEqual(alterrec.version() // 1000000, _c.ALTERREC_VERSION_MAJOR)

    def test_dataset(self):
        path = self.folder / "visits.csv"
        path.write_text("session,item\na,cup\na,pot\nb,rake\nb,cup\nc,pot\nc,rake\n")
        dataset = alterrec.Dataset(alterrec.Config({
            "data.interactions": path, "data.session_column": "session",
            "data.item_column": "item", "data.min_item_count": 1, "data.min_session_length": 1,
            "data.split": "none"}))
        catalog, train = dataset.catalog, dataset.train
        self.assertEqual((len(catalog), len(train), dataset.test), (3, 3, None))
        self.assertEqual(dataset.report["rows_read"], 6)
        del dataset
        gc.collect()
        self.assertEqual(catalog.key(0), "cup")  # what lends it lives on
        self.assertEqual(len(train), 3)

    def test_what_is_closed_lends_nothing(self):
        shop = Shop()
        catalog = shop.model.catalog
        shop.model.add_items(["new"], ["shelf1 place1"])
        self.assertEqual(catalog.find("new"), ITEMS)
        shop.model.close()
        self.assertEqual(len(catalog), 0)


class TestModel(Case):
    def test_save_and_import(self):
        shop = Shop()
        shop.model["id.norm.weight"] = numpy.full(8, 0.5)
        with self.assertRaises(ValueError):
            shop.model["id.norm.weight"] = [0.5]
        with self.refused("NOT_FOUND"):
            shop.model["nonsense"] = [0.5]
        path = self.folder / "model.safetensors"
        shop.model.save(path)
        fresh = alterrec.Model(shop.catalog, shop.config)
        fresh.import_tensors(path)
        for model in (alterrec.Model.load(path), fresh):
            self.assertTrue((weights(model) == weights(shop.model)).all())
        batch = alterrec.Batch([[3, 4], [7]])
        product = shop.model.session_vectors(alterrec.ID, batch) @ \
            shop.model.item_vectors(alterrec.ID).T
        self.assertTrue(numpy.allclose(product, shop.model.score(alterrec.ID, batch), atol=1e-4))

    def test_training(self):
        shop = Shop()
        seen, plans = [], []

        def schedule(plan, last):
            plans.append(last)
            plan.tower = alterrec.TEXT
            return len(plans) == 4

        trainer = alterrec.Trainer(shop.model, shop.train, shop.valid, progress=seen.append,
                                   schedule=schedule)
        trainer.run()
        self.assertEqual((len(seen), len(plans), plans[0]), (3, 4, None))
        self.assertEqual(seen, trainer.reports)
        self.assertEqual({report["tower"] for report in seen}, {alterrec.TEXT})
        plan = trainer.plan()
        plan.learning_rate = 0.001
        self.assertEqual(trainer.epoch(plan)["learning_rate"], 0.001)
        path = self.folder / "checkpoint.safetensors"
        trainer.save(path)
        trainer.resume(path)
        batch = alterrec.Batch()
        batch.add_labelled([1, 2], [-1, 3])
        self.assertEqual(trainer.step(batch)["examples"], 1)
        self.assertEqual(trainer.end_epoch()["steps"], 1)
        trainer.use_best()
        trainer.cancel()
        self.assertEqual(trainer.epoch()["stopped"], 1)

        alpha, curve = shop.model.choose_alpha(shop.valid, 5)
        self.assertTrue(0 <= alpha <= 1 and curve.shape == (5,))

    def test_callbacks(self):
        shop = Shop()
        told, asked = [], []

        def schedule(plan, _):
            plan.negatives, plan.negative_count = alterrec.NEGATIVES_HOST, 3
            plan.tower = alterrec.TEXT

        def negatives(examples, count):
            for example, label in enumerate(examples.labels):
                last = examples.prefix(example)[-1]
                self.assertEqual(label, last // PLACES * PLACES + (last + 1) % PLACES)
            asked.append(len(examples.labels))
            if len(asked) == 2:
                return None  # as at random
            return numpy.full((len(examples.labels), count), 11)

        def fusion(id_scores, text_scores):
            self.assertEqual(id_scores.shape, text_scores.shape)
            self.assertFalse(id_scores.flags.writeable)
            return text_scores
        trainer = alterrec.Trainer(shop.model, shop.train, shop.valid, schedule=schedule,
                                   negatives=negatives, fusion=fusion,
                                   log=lambda level, line: told.append((level, line)))
        trainer.run()
        self.assertGreater(len(asked), 2)
        fused, _, text = trainer.reports[0]["valid_metric"]
        self.assertEqual(fused, text)
        self.assertEqual(told[0][0], alterrec.LOG_INFO)
        self.assertIn("epoch 0: the text tower", told[0][1])
        for wrong in (numpy.zeros(3, int), 7):
            with self.assertRaisesRegex(ValueError, "the negatives are"):
                alterrec.Trainer(shop.model, shop.train, schedule=schedule,
                                 negatives=lambda *_: wrong).run()

    def test_plans_have_their_fields_alone(self):
        shop = Shop()
        trainer = alterrec.Trainer(shop.model, shop.train)
        plan = trainer.plan()
        tower, k1 = plan.tower, plan.k1
        for name, wrong, kind in (("towr", 1, AttributeError), ("tower", 2 ** 32, OverflowError),
                                  ("tower", 1.0, TypeError), ("k1", 2 ** 63, OverflowError),
                                  ("k1", "2", TypeError), ("learning_rate", "fast", TypeError)):
            self.assertRaises(kind, setattr, plan, name, wrong)
        self.assertEqual((plan.tower, plan.k1), (tower, k1))
        plan.k1, plan.shared = numpy.int64(3), True
        self.assertEqual((plan.k1, plan.shared), (3, 1))
        self.assertRaises(TypeError, trainer.epoch, {"tower": 1})
        for wrong, kind in (("towr", AttributeError), ("tower", TypeError)):
            with self.assertRaises(kind):
                alterrec.Trainer(shop.model, shop.train, schedule=lambda plan, _: setattr(
                    plan, wrong, "id")).run()

    def test_answers_of_callbacks(self):
        shop = Shop()
        for wrong, kind in ((2 ** 32, OverflowError), (0.5, TypeError), ("stop", TypeError)):
            with self.assertRaises(kind):
                alterrec.Trainer(shop.model, shop.train, progress=lambda _: wrong).run()
        for stops, epochs in ((numpy.bool_(True), 1), (True, 1), (1, 1), (numpy.bool_(False), 4)):
            trainer = alterrec.Trainer(shop.model, shop.train, progress=lambda _: stops)
            trainer.run()
            self.assertEqual(len(trainer.reports), epochs)

    def test_by_hand(self):
        shop = Shop()
        by_step = alterrec.Model(shop.catalog, shop.config)
        alterrec.Trainer(shop.model, shop.train, shop.valid).epoch()
        trainer, batch = alterrec.Trainer(by_step, shop.train, shop.valid), alterrec.Batch()
        for index in range(trainer.batches):
            trainer.get_batch(batch, index)
            self.assertEqual(trainer.step(batch)["examples"], batch.examples)
        trainer.end_epoch()
        self.assertTrue((weights(by_step) == weights(shop.model)).all())
        batch.set_negatives(numpy.full((batch.examples, 2), 5))
        with self.refused("MISMATCH"):
            batch.set_negatives([[5, 6]])

    def test_evaluation(self):
        shop = Shop()
        alterrec.Trainer(shop.model, shop.train, shop.valid).run()
        now = []
        evaluator = alterrec.Evaluator(shop.model, progress=now.append)
        evaluation = evaluator.run(shop.valid, shop.train)
        self.assertEqual(evaluation.figures,
                         alterrec.evaluate(shop.model, shop.valid, shop.train).figures)
        self.assertEqual(evaluation.examples, shop.valid.interactions - len(shop.valid))
        self.assertEqual(evaluation.figures["examples"], evaluation.examples)
        self.assertEqual(now[-1]["step"], now[-1]["steps"])
        groups = evaluation.groups
        self.assertEqual((groups[0].low, groups[-1].high), (0, None))
        self.assertLessEqual(max(group.examples for group in groups), evaluation.examples)
        of_id = alterrec.Evaluator(shop.model, fusion=lambda of_id, of_text: of_id).run(shop.valid)
        self.assertEqual(of_id.metric(alterrec.FUSED, alterrec.MRR, 20),
                         evaluation.metric(alterrec.ID, alterrec.MRR, 20))
        with self.refused("NOT_FOUND"):
            evaluation.metric(alterrec.ID, alterrec.HITS, 21)
        with self.assertRaises(ZeroDivisionError):
            alterrec.Evaluator(shop.model, progress=lambda _: 1 // 0).run(shop.valid)
        evaluation.close()
        self.assertEqual((evaluation.examples, evaluation.figures), (0, {}))

    def test_what_callbacks_raise_comes_out(self):
        shop = Shop()
        own = KeyError("own")

        def fail(*_):
            raise own
        for name in ("progress", "schedule", "fusion", "log"):
            with self.assertRaises(KeyError) as caught:
                alterrec.Trainer(shop.model, shop.train, shop.valid, **{name: fail}).run()
            self.assertIs(caught.exception, own)

        def interrupt(_):
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            alterrec.Trainer(shop.model, shop.train, progress=interrupt).run()
        with self.assertRaises(alterrec.AlterrecError) as caught:
            alterrec.Trainer(shop.model, shop.train, progress=lambda _: -5001).run()
        self.assertEqual(str(caught.exception), "the progress callback answered -5001")


class TestServing(Case):
    def test_top_k(self):
        shop = Shop()
        batch = alterrec.Batch([[3, 4], [7], [29, 1, 2]])
        scores = shop.model.score(alterrec.FUSED, batch)
        recommender = alterrec.Recommender(shop.model)
        items, best = recommender.top_k(batch, 7)
        self.assertTrue((items == numpy.argsort(-scores, axis=1, kind="stable")[:, :7]).all())
        self.assertTrue((recommender.score(batch, items) == best).all())
        product = recommender.session_vectors(batch) @ recommender.item_vectors().T
        self.assertTrue(numpy.allclose(numpy.take_along_axis(product, items, 1), best, atol=1e-3))
        for k in (0, -1, ITEMS + 1, 1 << 40):
            with self.refused("INVALID_ARGUMENT"):
                recommender.top_k(batch, k)

        path = self.folder / "vectors.npy"
        recommender.write_item_vectors(path)
        self.assertTrue((numpy.load(path) == recommender.item_vectors()).all())
        recommender.write_session_vectors(batch, path)
        self.assertTrue((numpy.load(path) == recommender.session_vectors(batch)).all())

        allowed = alterrec.Filter(ITEMS)
        allowed.exclude([0, 1])
        allowed.allow_only([0, 1, 2, 3, 4, 10])
        allowed.allow(numpy.arange(ITEMS) != 2)
        allowed.cap(numpy.arange(ITEMS) // PLACES, 1)
        items, best = found = recommender.top_k(batch, 4, filter=allowed, threads=1)
        self.assertEqual(found.met["guaranteed"], 3)
        self.assertTrue((items[:, 2:] == -1).all() and numpy.isinf(best[:, 2:]).all())
        self.assertTrue(set(items.flat) <= {3, 4, 10, -1})

    def test_fusion(self):
        shop = Shop()
        batch = alterrec.Batch([[3, 4], [7]])
        path = self.folder / "shop.recommender"
        alterrec.Recommender(shop.model).save(path)
        recommender = alterrec.Recommender.open(path)
        by_text = numpy.argsort(-shop.model.score(alterrec.TEXT, batch), axis=1, kind="stable")
        items, scores = recommender.top_k(batch, 5, fusion=lambda _, text: text)
        self.assertTrue((items == by_text[:, :5]).all())
        given = recommender.score(batch, items, fusion=lambda _, text: text)
        self.assertTrue((given == scores).all())
        left = recommender.top_k(batch, 5, fusion=lambda *_: None)  # to the weighted sum
        self.assertTrue((left.items == recommender.top_k(batch, 5).items).all())
        with self.assertRaisesRegex(ValueError, r"the fused scores are \(2, 3\)"):
            recommender.top_k(batch, 5, fusion=lambda *_: numpy.zeros((2, 3)))
        with self.refused("NOT_FINITE"):
            recommender.top_k(batch, 5, fusion=lambda of_id, _: of_id * numpy.nan)

    def test_ends_while_a_daemon_thread_serves(self):
        """The interpreter must not free what a call is at work on."""
        program = """
import threading, alterrec
recommender = alterrec.Recommender(alterrec.Model(alterrec.Catalog(20000)),
                                   alterrec.Config({"compute.threads": 1}))
batch, begun = alterrec.Batch([[i] for i in range(200)]), threading.Event()
def serve():
    while True:
        recommender.top_k(batch, 20)
        begun.set()
threading.Thread(target=serve, daemon=True).start()
begun.wait()
"""
        for _ in range(4):
            ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                                   cwd=pathlib.Path(__file__).parent, timeout=60)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_threads(self):
        recommender = alterrec.Recommender(Shop().model)
        alone = [recommender.top_k(alterrec.Batch([[i], [0, i]]), 5)[0] for i in range(ITEMS)]
        wrong = []

        def work():
            batch = alterrec.Batch()
            for item in range(ITEMS):
                batch.clear()
                batch.add([item])
                batch.add([0, item])
                if (recommender.top_k(batch, 5)[0] != alone[item]).any():
                    wrong.append(item)
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
