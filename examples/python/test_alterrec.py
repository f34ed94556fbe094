"""Tests of the package and the scripts, by `python3 -m unittest` in this folder."""

import contextlib
import gc
import io
import json
import os
import pathlib
import tempfile
import threading
import unittest

import numpy

import alterrec
import convert_weights
import text_features
from alterrec import _c, tensors

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

        figures = alterrec.evaluate(shop.model, shop.valid, shop.train)
        self.assertEqual(figures["examples"], shop.valid.interactions - len(shop.valid))
        alpha, curve = shop.model.choose_alpha(shop.valid, 5)
        self.assertTrue(0 <= alpha <= 1 and curve.shape == (5,))

    def test_what_callbacks_raise_comes_out(self):
        shop = Shop()
        own = KeyError("own")

        def fail(*_):
            raise own
        for arguments in ({"progress": fail}, {"schedule": fail}):
            with self.assertRaises(KeyError) as caught:
                alterrec.Trainer(shop.model, shop.train, shop.valid, **arguments).run()
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

        allowed = alterrec.Filter(ITEMS)
        allowed.exclude([0, 1])
        allowed.allow_only([0, 1, 2, 3, 4, 10])
        allowed.allow(numpy.arange(ITEMS) != 2)
        allowed.cap(numpy.arange(ITEMS) // PLACES, 1)
        items, best = recommender.top_k(batch, 4, filter=allowed, threads=1)
        self.assertTrue((items[:, 2:] == -1).all() and numpy.isinf(best[:, 2:]).all())
        self.assertTrue(set(items.flat) <= {3, 4, 10, -1})

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


# As another program may name its tensors: some of them, the rest by the same names.
NAMES = {
    "item_embedding.weight": "id.embedding.weight",
    "text_mlp.weight": "text.projection.weight",
    "text_mlp.bias": "text.projection.bias",
    "id_layers.{b}.q.weight": "id.encoder.blocks.{b}.attention.query.weight",
    "id_layers.{b}.k.weight": "id.encoder.blocks.{b}.attention.key.weight",
}


class TestScripts(Case):
    def quietly(self, main, *arguments, **keywords):
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            main([str(argument) for argument in arguments], **keywords)
        return output.getvalue()

    def test_weights_there_and_back(self):
        """Weights under other names give the golden scores, and come back as they were."""
        ours = tensors.read(GOLDEN / "tiny/model.safetensors")
        expected = tensors.read(GOLDEN / "tiny/expected.safetensors")
        case = json.loads((GOLDEN / "tiny/case.json").read_text())
        theirs = {}
        back = convert_weights.renamer(self.names(), backwards=True)
        for name, values in ours.items():
            theirs[back(name)] = values
        self.assertIn("id_layers.1.q.weight", theirs)
        padded = dict(theirs)
        padding = numpy.zeros((1, 12), numpy.float32)
        padded["item_embedding.weight"] = numpy.concatenate(
            [padding, theirs["item_embedding.weight"]])
        padded["optimizer.steps"] = numpy.array([7])
        numpy.save(self.folder / "features.npy", expected["text_features"])

        for ending in ("safetensors", "npz"):
            source, model = self.folder / f"theirs.{ending}", self.folder / "model.safetensors"
            tensors.write(source, padded)
            output = self.quietly(
                convert_weights.main, "to-model", source, model, "--names", self.names(),
                "--features", self.folder / "features.npy", "--drop-rows", "id.embedding.weight=1")
            self.assertIn("left out: optimizer.steps", output)
            scores = alterrec.Model.load(model).score(alterrec.FUSED,
                                                      alterrec.Batch(case["sessions"]))
            self.assertLess(numpy.abs(scores - expected["scores.fused"]).max(), 1e-2)

            again = self.folder / f"again.{ending}"
            self.quietly(convert_weights.main, "from-model", model, again, "--names", self.names())
            returned = tensors.read(again)
            self.assertEqual(sorted(returned), sorted(theirs))
            for name, values in theirs.items():
                self.assertTrue((returned[name] == values).all(), name)

    def names(self):
        path = self.folder / "names.json"
        path.write_text(json.dumps(NAMES))
        return path

    def test_weights_that_do_not_fit(self):
        tensors.write(self.folder / "few.npz", {"something": numpy.zeros(3, numpy.float32)})
        with self.assertRaisesRegex(SystemExit, "id.embedding.weight; is it in --names.*something"):
            self.quietly(convert_weights.main, "to-model", self.folder / "few.npz", "out")
        for data in (b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"{", ):
            (self.folder / "bad.safetensors").write_bytes(data)
            with self.assertRaises(ValueError):
                tensors.read(self.folder / "bad.safetensors")
        try:
            import torch  # noqa: F401
        except ImportError:
            with self.assertRaisesRegex(SystemExit, "package torch"):
                tensors.write(self.folder / "weights.pt", {})

    def test_safetensors_that_the_library_reads(self):
        shop = Shop()
        path = self.folder / "weights.safetensors"
        tensors.write(path, {name: shop.model[name] + 1 for name in shop.model.shapes})
        before = weights(shop.model)
        shop.model.import_tensors(path)
        self.assertTrue((weights(shop.model) == before + 1).all())

    def test_text_features(self):
        (self.folder / "items.tsv").write_text("item\ttext\ncup\ta cup\npot\ta big pot\nrake\t\n")
        asked = []

        def load(name):
            def encode(texts):
                asked.append(texts)
                return [[len(text), text.count(" ")] for text in texts]
            self.assertEqual(name, "some model")
            return encode
        path = self.folder / "features.npy"
        self.quietly(text_features.main, self.folder / "items.tsv", path, "--model", "some model",
                     "--batch-size", 2, load=load)
        self.assertEqual(asked, [["a cup", "a big pot"], [""]])
        self.assertEqual(numpy.load(path).tolist(), [[5, 1], [9, 2], [0, 0]])
        catalog = alterrec.Catalog(3)
        catalog.read_features(path)
        try:
            import sentence_transformers  # noqa: F401
        except ImportError:
            with self.assertRaisesRegex(SystemExit, "sentence-transformers is not installed"):
                text_features.load_encoder("some model")


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    unittest.main()
