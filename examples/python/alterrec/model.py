"""The parameters of both towers."""

from __future__ import annotations

import ctypes
from typing import Dict, Iterable, Optional, Tuple

import numpy
from numpy.typing import ArrayLike, NDArray

from . import _c
from ._library import Handle, address, array, c, check, make, of, pointer, struct, text
from .data import Batch, Catalog, Config, Path, Sessions, keys_and_texts


class Model(Handle):
    """The parameters of both towers: Model(catalog, config), or Model.load(path)."""

    def __init__(self, catalog: Catalog, config: Optional[Config] = None) -> None:
        super().__init__(make(c.alterrec_model_create, of(Catalog, catalog),
                              pointer(Config, config)), c.alterrec_model_free)

    @classmethod
    def load(cls, path: Path) -> Model:
        return cls._of(make(c.alterrec_model_load, text(path)), c.alterrec_model_free)

    def save(self, path: Path) -> None:
        check(c.alterrec_model_save(self.p, text(path)))

    def import_tensors(self, path: Path) -> None:
        """Sets the parameters from a safetensors file."""
        check(c.alterrec_model_import(self.p, text(path)))

    def add_items(self, keys: Iterable[str], texts: Optional[Iterable[str]] = None,
                  features: Optional[ArrayLike] = None) -> None:
        """Behind those of the catalog; `features` [count, dim], or None: hashed from the texts."""
        names, titles, count = keys_and_texts(keys, texts)
        values = None if features is None else array(features, numpy.float32)
        if values is not None:
            shape = count, c.alterrec_catalog_feature_dim(self.catalog.p)
            if values.shape != shape:
                raise ValueError(f"features are {values.shape}, not {shape}")
        check(c.alterrec_model_add_items(self.p, names, titles, address(values), count))

    @property
    def catalog(self) -> Catalog:
        return Catalog._of(lend=lambda: c.alterrec_model_catalog(self.p))

    @property
    def config(self) -> Config:
        """A copy of the options that the model was made with."""
        return Config._copy(c.alterrec_model_config(self.p))

    @property
    def dim(self) -> int:
        return c.alterrec_model_dim(self.p)

    @property
    def shapes(self) -> Dict[str, Tuple[int, ...]]:
        """The name and shape of every parameter tensor."""
        found = {}
        for index in range(c.alterrec_model_tensor_count(self.p)):
            tensor = struct(_c.alterrec_tensor)
            check(c.alterrec_model_tensor_describe(ctypes.byref(tensor), self.p, index))
            found[tensor.name.decode("utf-8")] = tuple(tensor.shape[:tensor.dims])
        return found

    def _shape(self, name: str) -> Tuple[int, ...]:
        tensor = struct(_c.alterrec_tensor)
        check(c.alterrec_model_tensor_find(ctypes.byref(tensor), self.p, text(name)))
        return tuple(tensor.shape[:tensor.dims])

    def __getitem__(self, name: str) -> NDArray[numpy.float32]:
        """A copy of a parameter tensor."""
        values = numpy.empty(self._shape(name), numpy.float32)
        check(c.alterrec_model_get_tensor(address(values), self.p, text(name), values.size))
        return values

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        given, shape = array(values, numpy.float32), self._shape(name)
        if given.shape != shape:
            raise ValueError(f"{name} is {shape}, not {given.shape}")
        check(c.alterrec_model_set_tensor(self.p, text(name), address(given), given.size))

    def item_vectors(self, tower: int) -> NDArray[numpy.float32]:
        """[items, dim]."""
        vectors = numpy.empty((len(self.catalog), self.dim), numpy.float32)
        check(c.alterrec_model_item_vectors(address(vectors), self.p, tower))
        return vectors

    def session_vectors(self, tower: int, batch: Batch) -> NDArray[numpy.float32]:
        """[sessions, dim]."""
        vectors = numpy.empty((len(batch), self.dim), numpy.float32)
        check(c.alterrec_model_session_vectors(address(vectors), self.p, tower, of(Batch, batch)))
        return vectors

    def score(self, scorer: int, batch: Batch) -> NDArray[numpy.float32]:
        """[sessions, items]."""
        scores = numpy.empty((len(batch), len(self.catalog)), numpy.float32)
        check(c.alterrec_model_score(address(scores), self.p, scorer, of(Batch, batch)))
        return scores

    def choose_alpha(self, valid: Sessions, points: int = 21, config: Optional[Config] = None
                     ) -> Tuple[float, NDArray[numpy.float64]]:
        """The weight of the fusion that is best on `valid`, and the metric at each that was tried."""
        alpha, curve = ctypes.c_double(), numpy.empty(max(points, 0), numpy.float64)
        check(c.alterrec_model_choose_alpha(ctypes.addressof(alpha), address(curve), self.p,
                                            of(Sessions, valid), points, pointer(Config, config)))
        return alpha.value, curve
