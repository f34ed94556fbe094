"""Config, catalog, sessions, dataset, batch."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Union

import numpy
from numpy.typing import ArrayLike, NDArray

from . import _c
from ._library import (
    Handle, address, array, c, c_strings, check, fields, lent, make, of, pointer, row, struct,
    text)

Path = Union[str, "os.PathLike[str]"]


class Option(NamedTuple):
    """A row of the option table."""

    key: str
    type: str
    default: str
    range: str
    help: str


def options() -> List[Option]:
    """Every option there is."""
    rows = []
    for index in range(c.alterrec_option_count()):
        row = struct(_c.alterrec_option)
        check(c.alterrec_option_describe(ctypes.byref(row), index))
        rows.append(Option(*(value.decode("utf-8") for value in (
            row.key, row.type, row.default_value, row.range, row.help))))
    return rows


class Config(Handle):
    """Options: Config({"model.dim": 64}), Config(yaml="model: {dim: 64}"), Config(path=...)."""

    def __init__(self, options: Optional[Mapping[str, object]] = None, yaml: Optional[str] = None,
                 path: Optional[Path] = None) -> None:
        super().__init__(make(c.alterrec_config_create), c.alterrec_config_free)
        if path is not None:
            check(c.alterrec_config_read(self.p, text(path)))
        if yaml is not None:
            encoded = yaml.encode("utf-8")
            check(c.alterrec_config_read_text(self.p, encoded, len(encoded)))
        for key, value in (options or {}).items():
            self[key] = value

    @classmethod
    def _copy(cls, config: Optional[int]) -> Config:
        return cls._of(make(c.alterrec_config_clone, config), c.alterrec_config_free)

    def copy(self) -> Config:
        return self._copy(self.p)

    def write(self, path: Path) -> None:
        """Every option, as YAML."""
        check(c.alterrec_config_write(self.p, text(path)))

    def __setitem__(self, key: str, value: object) -> None:
        value = str(value).lower() if isinstance(value, bool) else value
        check(c.alterrec_config_set(self.p, text(key), text(value)))

    def __getitem__(self, key: str) -> str:
        value = ctypes.c_char_p()
        check(c.alterrec_config_get(ctypes.byref(value), self.p, text(key)))
        return (value.value or b"").decode("utf-8")


class Catalog(Handle):
    """The items: Catalog(keys, texts=None), Catalog(count), or Catalog.read(path)."""

    def __init__(self, keys: Union[int, Iterable[str]],
                 texts: Optional[Iterable[str]] = None) -> None:
        names = None if isinstance(keys, int) else list(keys)
        count = keys if isinstance(keys, int) else len(names or [])
        titles = None if texts is None else list(texts)
        if titles is not None and len(titles) != count:
            raise ValueError(f"{count} items, {len(titles)} texts")
        super().__init__(make(c.alterrec_catalog_create, c_strings(names), c_strings(titles),
                              count), c.alterrec_catalog_free)

    @classmethod
    def read(cls, path: Path, config: Optional[Config] = None) -> Catalog:
        """From an item file."""
        return cls._of(make(c.alterrec_catalog_read, text(path), pointer(Config, config)),
                       c.alterrec_catalog_free)

    def __len__(self) -> int:
        return c.alterrec_catalog_items(self.p)

    def key(self, item: int) -> str:
        found = c.alterrec_catalog_key(self.p, item)
        if found is None:
            raise IndexError(f"no item {item}")
        return found.decode("utf-8")

    def text(self, item: int) -> str:
        found = c.alterrec_catalog_text(self.p, item)
        if found is None:
            raise IndexError(f"no item {item}")
        return found.decode("utf-8")

    def find(self, key: str) -> Optional[int]:
        """The item of that key; None if there is none."""
        item = c.alterrec_catalog_find(self.p, text(key))
        return None if item < 0 else item

    @property
    def features(self) -> Optional[NDArray[numpy.float32]]:
        """A copy of the text features [items, dim], or None."""
        values = c.alterrec_catalog_features(self.p)
        if values is None:
            return None
        return lent(values, numpy.float32,
                    (len(self), c.alterrec_catalog_feature_dim(self.p))).copy()

    def set_features(self, features: ArrayLike) -> None:
        """[items, dim]."""
        values = array(features, numpy.float32)
        if values.ndim != 2:
            raise ValueError("the features are no matrix [items, dim]")
        check(c.alterrec_catalog_set_features(self.p, address(values), *values.shape))

    def read_features(self, path: Path) -> None:
        """From a .npy file."""
        check(c.alterrec_catalog_read_features(self.p, text(path)))

    def hash_features(self, config: Optional[Config] = None) -> None:
        """From the texts, by feature hashing."""
        check(c.alterrec_catalog_hash_features(self.p, pointer(Config, config)))


def data_report(function: Callable[..., int], handle: Handle) -> Dict[str, Any]:
    report = struct(_c.alterrec_data_report)
    check(function(ctypes.byref(report), handle.p))
    return fields(report)


class Sessions(Handle):
    """An ordered set of sessions: Sessions(catalog, [[3, 1], [4, 1, 5]])."""

    def __init__(self, catalog: Catalog, lists: Iterable[ArrayLike]) -> None:
        parts = [row(items) for items in lists]
        items = numpy.concatenate(parts + [numpy.zeros(1, numpy.int32)])
        offsets = numpy.zeros(len(parts) + 1, numpy.int64)
        numpy.cumsum([len(part) for part in parts], out=offsets[1:])
        super().__init__(make(c.alterrec_sessions_create, of(Catalog, catalog), address(items),
                              address(offsets), len(parts)), c.alterrec_sessions_free)

    @classmethod
    def read(cls, catalog: Catalog, path: Path, config: Optional[Config] = None) -> Sessions:
        """From a file, over a known catalog."""
        return cls._of(make(c.alterrec_sessions_read, of(Catalog, catalog), text(path),
                            pointer(Config, config)), c.alterrec_sessions_free)

    def __len__(self) -> int:
        return c.alterrec_sessions_count(self.p)

    @property
    def interactions(self) -> int:
        return c.alterrec_sessions_interactions(self.p)

    @property
    def report(self) -> Dict[str, Any]:
        """What reading them from a file met."""
        return data_report(c.alterrec_sessions_report, self)

    def __getitem__(self, index: int) -> NDArray[numpy.int32]:
        """A copy of one session's items."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"no session {index}")
        items, length = ctypes.c_void_p(), ctypes.c_int64()
        check(c.alterrec_sessions_get(ctypes.byref(items), ctypes.addressof(length), self.p,
                                      index % len(self)))
        return lent(items.value, numpy.int32, (length.value,)).copy()


class Dataset(Handle):
    """Everything one training needs, from the files that the options data.* name. `train`, `valid`
    and `test` are its sessions, or None."""

    def __init__(self, config: Config) -> None:
        super().__init__(make(c.alterrec_dataset_read, of(Config, config)), c.alterrec_dataset_free)
        self.catalog = Catalog._of(lend=lambda: c.alterrec_dataset_catalog(self.p))
        self.train, self.valid, self.test = (self._sessions(split) for split in range(3))

    def _sessions(self, split: int) -> Optional[Sessions]:
        if c.alterrec_dataset_sessions(self.p, split) is None:
            return None
        return Sessions._of(lend=lambda: c.alterrec_dataset_sessions(self.p, split))

    @property
    def report(self) -> Dict[str, Any]:
        """What was read and what was dropped."""
        return data_report(c.alterrec_dataset_report, self)


class Batch(Handle):
    """Sessions to score or to train on, and working memory: one a thread, used again and again."""

    def __init__(self, sessions: Iterable[ArrayLike] = (), exclude_own: bool = False) -> None:
        super().__init__(make(c.alterrec_batch_create), c.alterrec_batch_free)
        self.exclude_own(exclude_own)
        for items in sessions:
            self.add(items)

    def __len__(self) -> int:
        return c.alterrec_batch_count(self.p)

    def clear(self) -> None:
        check(c.alterrec_batch_clear(self.p))

    def add(self, items: ArrayLike) -> None:
        values = row(items)
        check(c.alterrec_batch_add(self.p, address(values), values.size))

    def add_labelled(self, items: ArrayLike, labels: ArrayLike) -> None:
        """`labels[t]` is the item that is to follow `items[:t + 1]`, or -1."""
        values, following = row(items), row(labels)
        if values.size != following.size:
            raise ValueError(f"{values.size} items, {following.size} labels")
        check(c.alterrec_batch_add_labelled(self.p, address(values), address(following),
                                            values.size))

    @property
    def examples(self) -> int:
        """The number of labels that are not -1."""
        return c.alterrec_batch_examples(self.p)

    def set_negatives(self, negatives: ArrayLike) -> None:
        """[examples, count]."""
        values = array(negatives, numpy.int32)
        if values.ndim != 2:
            raise ValueError("the negatives are no matrix [examples, count]")
        check(c.alterrec_batch_set_negatives(self.p, address(values), *values.shape))

    def exclude(self, items: ArrayLike, session: int = -1) -> None:
        """From one session's recommendations, or from all of them."""
        values = row(items)
        check(c.alterrec_batch_exclude(self.p, session, address(values), values.size))

    def exclude_own(self, exclude: bool = True) -> None:
        """Whether a session's own items are left out of its recommendations."""
        check(c.alterrec_batch_exclude_own(self.p, int(exclude)))


def keys_and_texts(keys: Iterable[str], texts: Optional[Iterable[str]]) -> Sequence[Any]:
    """As C takes them, and their number."""
    names, titles = list(keys), None if texts is None else list(texts)
    if titles is not None and len(titles) != len(names):
        raise ValueError(f"{len(names)} keys, {len(titles)} texts")
    return c_strings(names), c_strings(titles), len(names)
