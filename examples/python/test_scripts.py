"""Tests of the scripts: weights of other programs there and back, and text features."""

import contextlib
import importlib.util
import io
import json
import pathlib
import unittest

import numpy

import alterrec
import convert_weights
import text_features
from alterrec import tensors
from test_alterrec import GOLDEN, Case, Shop, weights

PUBLISHED = pathlib.Path(convert_weights.__file__).with_name("published_names.json")


def needs(package):
    """For a test that is skipped, by name, where the package is not."""
    return unittest.skipUnless(importlib.util.find_spec(package), f"no {package} here")


class TestScripts(Case):
    def quietly(self, main, *arguments, **keywords):
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            main([str(argument) for argument in arguments], **keywords)
        return output.getvalue()

    def there_and_back(self, ending):
        """Weights under the names of the published program give the golden scores, and come back as
        they were."""
        ours = tensors.read(GOLDEN / "tiny/model.safetensors")
        expected = tensors.read(GOLDEN / "tiny/expected.safetensors")
        case = json.loads((GOLDEN / "tiny/case.json").read_text())
        back = convert_weights.renamer(PUBLISHED, backwards=True)
        theirs = {back(name): values for name, values in ours.items()}
        self.assertEqual({name.split(".")[0] for name in theirs}, {"id_module", "text_module"})
        # It has an embedding for padding, and more than the model needs.
        padded = dict(theirs)
        padded["id_module.emb.weight"] = numpy.concatenate(
            [numpy.zeros((1, 12), numpy.float32), theirs["id_module.emb.weight"]])
        padded["linearlayer.bias"] = numpy.array([7], numpy.float32)
        numpy.save(self.folder / "features.npy", expected["text_features"])

        source, model = self.folder / f"theirs.{ending}", self.folder / "model.safetensors"
        tensors.write(source, padded)
        output = self.quietly(
            convert_weights.main, "to-model", source, model, "--names", PUBLISHED, "--features",
            self.folder / "features.npy", "--drop-rows", "id.embedding.weight=1",
            "--set", "model.heads=2")
        self.assertIn("left out: linearlayer.bias", output)
        self.assertIn(f"{len(ours)} tensors, 50 items", output)
        scores = alterrec.Model.load(model).score(alterrec.FUSED, alterrec.Batch(case["sessions"]))
        self.assertLess(numpy.abs(scores - expected["scores.fused"]).max(), 1e-2)

        again = self.folder / f"again.{ending}"
        self.quietly(convert_weights.main, "from-model", model, again, "--names", PUBLISHED)
        returned = tensors.read(again)
        self.assertEqual(sorted(returned), sorted(theirs))
        for name, values in theirs.items():
            self.assertTrue((returned[name] == values).all(), name)

    def test_safetensors_there_and_back(self):
        self.there_and_back("safetensors")

    def test_npz_there_and_back(self):
        self.there_and_back("npz")

    @needs("torch")
    def test_pt_there_and_back(self):
        self.there_and_back("pt")

    @needs("safetensors")
    def test_the_package_safetensors_reads_and_writes_the_same(self):
        from safetensors.numpy import load_file, save_file
        arrays = {"a": numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
                  "b": numpy.array([1, -2], numpy.int64), "none": numpy.zeros((0, 4), numpy.float16)}
        ours, theirs = self.folder / "ours.safetensors", self.folder / "theirs.safetensors"
        tensors.write(ours, arrays)
        save_file(arrays, theirs)
        for read in (load_file(ours), tensors.read(theirs)):
            self.assertEqual(sorted(read), sorted(arrays))
            for name, values in arrays.items():
                self.assertEqual((read[name].dtype, read[name].shape),
                                 (values.dtype, values.shape))
                self.assertTrue((read[name] == values).all(), name)

    def test_weights_that_do_not_fit(self):
        tensors.write(self.folder / "few.npz", {"something": numpy.zeros(3, numpy.float32)})
        with self.assertRaisesRegex(SystemExit, "id.embedding.weight; is it in --names.*something"):
            self.quietly(convert_weights.main, "to-model", self.folder / "few.npz", "out")
        for data in (b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"{", ):
            (self.folder / "bad.safetensors").write_bytes(data)
            with self.assertRaises(ValueError):
                tensors.read(self.folder / "bad.safetensors")

    @unittest.skipIf(importlib.util.find_spec("torch"), "torch is here")
    def test_without_torch(self):
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

    @unittest.skipIf(importlib.util.find_spec("sentence_transformers"),
                     "sentence-transformers is here")
    def test_without_sentence_transformers(self):
        with self.assertRaisesRegex(SystemExit, "sentence-transformers is not installed"):
            text_features.load_encoder("some model")
