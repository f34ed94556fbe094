"""Config, catalog, sessions, dataset, batch."""

import ctypes

import numpy

from . import _c
from ._library import (
    Handle, address, array, c, check, fields, make, pointer, struct, text, texts)


class Config(Handle):
    """Options: Config({"model.dim": 64}), Config(yaml="model: {dim: 64}"), Config(path=...)."""

    def __init__(self, options=None, yaml=None, path=None):
        super().__init__(make(c.alterrec_config_create), c.alterrec_config_free)
        if path is not None:
            check(c.alterrec_config_read(self.p, text(path)))
        if yaml is not None:
            yaml = yaml.encode("utf-8")
            check(c.alterrec_config_read_text(self.p, yaml, len(yaml)))
        for key, value in (options or {}).items():
            self[key] = value

    def __setitem__(self, key, value):
        value = str(value).lower() if isinstance(value, bool) else value
        check(c.alterrec_config_set(self.p, text(key), text(value)))

    def __getitem__(self, key):
        return option(self.p, key)


def option(config, key):
    """The value of an option of a C config, as text."""
    value = ctypes.c_char_p()
    check(c.alterrec_config_get(ctypes.byref(value), config, text(key)))
    return value.value.decode("utf-8")


def vector(values, shape):
    """A copy of the library's floats as an array."""
    lent = (ctypes.c_float * int(numpy.prod(shape))).from_address(values)
    return numpy.array(lent, dtype=numpy.float32).reshape(shape)


class Catalog(Handle):
    """The items: Catalog(keys, texts=None), Catalog(count), or Catalog.read(path)."""

    def __init__(self, keys, texts_=None, **only):
        if isinstance(keys, int):
            keys, count = None, keys
        else:
            keys, count = list(keys), len(keys)
        titles = only.pop("texts", texts_)
        if only:
            raise TypeError(f"unknown arguments: {', '.join(only)}")
        titles = None if titles is None else list(titles)
        if titles is not None and len(titles) != count:
            raise ValueError(f"{count} items, {len(titles)} texts")
        super().__init__(make(c.alterrec_catalog_create, texts(keys), texts(titles), count),
                         c.alterrec_catalog_free)

    @classmethod
    def _of(cls, p=None, free=None, lend=None):
        catalog = cls.__new__(cls)
        Handle.__init__(catalog, p, free, lend)
        return catalog

    @classmethod
    def read(cls, path, config=None):
        return cls._of(make(c.alterrec_catalog_read, text(path), pointer(config)),
                       c.alterrec_catalog_free)

    def __len__(self):
        return c.alterrec_catalog_items(self.p)

    def key(self, item):
        found = c.alterrec_catalog_key(self.p, item)
        if found is None:
            raise IndexError(f"no item {item}")
        return found.decode("utf-8")

    def text(self, item):
        found = c.alterrec_catalog_text(self.p, item)
        if found is None:
            raise IndexError(f"no item {item}")
        return found.decode("utf-8")

    def find(self, key):
        """The item of that key; None if there is none."""
        item = c.alterrec_catalog_find(self.p, text(key))
        return None if item < 0 else item

    @property
    def features(self):
        """A copy of the text features [items, dim], or None."""
        values = c.alterrec_catalog_features(self.p)
        return None if values is None else vector(values, (len(self), c.alterrec_catalog_feature_dim(self.p)))

    def set_features(self, features):
        features = array(features, numpy.float32)
        if features.ndim != 2:
            raise ValueError("the features are no matrix [items, dim]")
        check(c.alterrec_catalog_set_features(self.p, address(features), *features.shape))

    def read_features(self, path):
        check(c.alterrec_catalog_read_features(self.p, text(path)))

    def hash_features(self, config=None):
        check(c.alterrec_catalog_hash_features(self.p, pointer(config)))


class Sessions(Handle):
    """An ordered set of sessions: Sessions(catalog, [[3, 1], [4, 1, 5]])."""

    def __init__(self, catalog, lists):
        lists = [array(items, numpy.int32).reshape(-1) for items in lists]
        items = numpy.concatenate(lists + [numpy.zeros(1, numpy.int32)])
        offsets = numpy.zeros(len(lists) + 1, numpy.int64)
        numpy.cumsum([len(items) for items in lists], out=offsets[1:])
        super().__init__(make(c.alterrec_sessions_create, catalog.p, address(items),
                              address(offsets), len(lists)), c.alterrec_sessions_free)

    @classmethod
    def _of(cls, p=None, free=None, lend=None):
        sessions = cls.__new__(cls)
        Handle.__init__(sessions, p, free, lend)
        return sessions

    @classmethod
    def read(cls, catalog, path, config=None):
        return cls._of(make(c.alterrec_sessions_read, catalog.p, text(path), pointer(config)),
                       c.alterrec_sessions_free)

    def __len__(self):
        return c.alterrec_sessions_count(self.p)

    @property
    def interactions(self):
        return c.alterrec_sessions_interactions(self.p)

    def __getitem__(self, index):
        """A copy of one session's items."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"no session {index}")
        items, length = ctypes.c_void_p(), ctypes.c_int64()
        check(c.alterrec_sessions_get(ctypes.byref(items), ctypes.addressof(length), self.p,
                                      index % len(self)))
        lent = (ctypes.c_int32 * length.value).from_address(items.value or ctypes.addressof(length))
        return numpy.array(lent, dtype=numpy.int32)


class Dataset(Handle):
    """Everything one training needs, from the files that the options data.* name."""

    def __init__(self, config):
        super().__init__(make(c.alterrec_dataset_read, pointer(config)), c.alterrec_dataset_free)
        self.catalog = Catalog._of(lend=lambda: c.alterrec_dataset_catalog(self.p))
        self.train, self.valid, self.test = (self._sessions(split) for split in range(3))

    def _sessions(self, split):
        """None if there are none."""
        if c.alterrec_dataset_sessions(self.p, split) is None:
            return None
        return Sessions._of(lend=lambda: c.alterrec_dataset_sessions(self.p, split))

    @property
    def report(self):
        report = struct(_c.alterrec_data_report)
        check(c.alterrec_dataset_report(ctypes.byref(report), self.p))
        return fields(report)


class Batch(Handle):
    """Sessions to score, and working memory: one a thread, used again and again."""

    def __init__(self, sessions=(), exclude_own=False):
        super().__init__(make(c.alterrec_batch_create), c.alterrec_batch_free)
        check(c.alterrec_batch_exclude_own(self.p, int(exclude_own)))
        for items in sessions:
            self.add(items)

    def __len__(self):
        return c.alterrec_batch_count(self.p)

    def clear(self):
        check(c.alterrec_batch_clear(self.p))

    def add(self, items):
        items = array(items, numpy.int32)
        check(c.alterrec_batch_add(self.p, address(items), items.size))

    def add_labelled(self, items, labels):
        items, labels = array(items, numpy.int32), array(labels, numpy.int32)
        if items.size != labels.size:
            raise ValueError(f"{items.size} items, {labels.size} labels")
        check(c.alterrec_batch_add_labelled(self.p, address(items), address(labels), items.size))

    def exclude(self, items, session=-1):
        """From one session's recommendations, or from all of them."""
        items = array(items, numpy.int32)
        check(c.alterrec_batch_exclude(self.p, session, address(items), items.size))
