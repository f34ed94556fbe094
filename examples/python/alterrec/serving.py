"""Recommender and filter."""

import ctypes

import numpy

from . import _c
from ._library import Handle, address, array, c, check, make, pointer, struct, text
from .data import Catalog


class Filter(Handle):
    """What may be recommended at all. Fill it, then share it."""

    def __init__(self, items):
        super().__init__(make(c.alterrec_filter_create, items), c.alterrec_filter_free)
        self._items = items

    def allow(self, mask):
        """Only the items whose place in the mask [items] is true."""
        mask = array(mask, bool)
        if mask.shape != (self._items,):
            raise ValueError(f"the mask is {mask.shape}, not ({self._items},)")
        bits = numpy.packbits(mask, bitorder="little")
        check(c.alterrec_filter_allow_bitmap(self.p, address(bits), self._items))

    def allow_only(self, items):
        items = array(items, numpy.int32)
        check(c.alterrec_filter_allow_only(self.p, address(items), items.size))

    def exclude(self, items):
        items = array(items, numpy.int32)
        check(c.alterrec_filter_exclude(self.p, address(items), items.size))

    def cap(self, categories, per_list):
        """At most `per_list` items of a category in a list; a category an item."""
        categories = array(categories, numpy.int32)
        check(c.alterrec_filter_cap(self.p, address(categories), categories.size, per_list))


class Recommender(Handle):
    """An immutable snapshot of a model for serving, which threads share."""

    def __init__(self, model, config=None, _opened=None):
        made = _opened or make(c.alterrec_recommender_create, model.p, pointer(config))
        super().__init__(made, c.alterrec_recommender_free)

    @classmethod
    def open(cls, path, config=None):
        """Maps a file that `save` wrote; of `config` compute.threads and serve.verify count."""
        return cls(None, _opened=make(c.alterrec_recommender_open, text(path), pointer(config)))

    def save(self, path):
        check(c.alterrec_recommender_save(self.p, text(path)))

    @property
    def catalog(self):
        return Catalog._of(lend=lambda: c.alterrec_recommender_catalog(self.p))

    def top_k(self, batch, k, filter=None, threads=0, candidates=0):
        """The best items and their scores, [sessions, k] each; -1 where there are no more."""
        items = numpy.full((len(batch), min(max(k, 0), len(self.catalog))), -1, numpy.int32)
        scores = numpy.full(items.shape, -numpy.inf, numpy.float32)
        search = struct(_c.alterrec_search)
        search.threads, search.candidates, search.filter = threads, candidates, pointer(filter)
        check(c.alterrec_recommender_top_k(address(items), address(scores), None, self.p, batch.p, k, ctypes.byref(search)))
        return items, scores

    def score(self, batch, items):
        """The fused scores of given items, [sessions, count]."""
        items = array(items, numpy.int32)
        if items.ndim != 2 or len(items) != len(batch):
            raise ValueError(f"the items are {items.shape}, not [{len(batch)}, count]")
        scores = numpy.empty(items.shape, numpy.float32)
        check(c.alterrec_recommender_score(address(scores), None, None, self.p, batch.p,
                                           address(items), items.shape[1], None))
        return scores

    def item_vectors(self):
        """[items, width], for an index of your own."""
        vectors = numpy.empty((len(self.catalog), c.alterrec_recommender_width(self.p)),
                              numpy.float32)
        check(c.alterrec_recommender_item_vectors(address(vectors), self.p, 0, len(vectors)))
        return vectors

    def session_vectors(self, batch):
        """[sessions, width]: the inner product with an item's is the fused score."""
        vectors = numpy.empty((len(batch), c.alterrec_recommender_width(self.p)), numpy.float32)
        check(c.alterrec_recommender_session_vectors(address(vectors), self.p, batch.p))
        return vectors
