"""Recommender, filter, and sessions that grow."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import numpy
from numpy.typing import ArrayLike, NDArray

from . import _c
from ._library import (
    Handle, address, array, c, check, fields, lent, make, of, pointer, row, struct, text)
from .callbacks import FusionFunction, on_fusion
from .data import Batch, Catalog, Config, Path
from .model import Model


class _Pair(NamedTuple):
    items: NDArray[numpy.int32]
    scores: NDArray[numpy.float32]


class Lists(_Pair):
    """The best items and their scores, best first; -1 and -infinity where there are no more. `met`
    says what the search met: guaranteed, reranked, rescans."""

    met: Dict[str, int]


class Filter(Handle):
    """What may be recommended at all. Fill it, then share it."""

    def __init__(self, items: int) -> None:
        super().__init__(make(c.alterrec_filter_create, items), c.alterrec_filter_free)
        self._items = items

    def allow(self, mask: ArrayLike) -> None:
        """Only the items whose place in the mask [items] is true."""
        allowed = array(mask, bool)
        if allowed.shape != (self._items,):
            raise ValueError(f"the mask is {allowed.shape}, not ({self._items},)")
        bits = numpy.packbits(allowed, bitorder="little")
        check(c.alterrec_filter_allow_bitmap(self.p, address(bits), self._items))

    def allow_only(self, items: ArrayLike) -> None:
        values = row(items)
        check(c.alterrec_filter_allow_only(self.p, address(values), values.size))

    def exclude(self, items: ArrayLike) -> None:
        values = row(items)
        check(c.alterrec_filter_exclude(self.p, address(values), values.size))

    def cap(self, categories: ArrayLike, per_list: int) -> None:
        """At most `per_list` items of a category in a list; a category an item."""
        values = array(categories, numpy.int32)
        check(c.alterrec_filter_cap(self.p, address(values), values.size, per_list))


def _search(filter: Optional[Filter] = None, threads: int = 0, candidates: int = 0,
            fusion: Optional[FusionFunction] = None) -> Any:
    search = struct(_c.alterrec_search)
    search.threads, search.candidates = threads, candidates
    search.filter = pointer(Filter, filter)
    called = on_fusion(fusion)
    search.fusion = ctypes.cast(called, ctypes.c_void_p)
    search.__dict__["called"] = called  # kept as long as the search is
    return search


def _find(sessions: int, k: int, most: int, search: Any, fill: Callable[..., int]) -> Lists:
    """Makes room for the k best of so many sessions, of `most` items in all, and has a function of C
    fill it; the library says what is wrong with k."""
    shape = sessions, min(max(k, 0), most)
    found = Lists(numpy.full(shape, -1, numpy.int32),
                  numpy.full(shape, -numpy.inf, numpy.float32))
    met = struct(_c.alterrec_search_report)
    check(fill(address(found.items), address(found.scores), ctypes.byref(met),
               ctypes.byref(search)))
    found.met = fields(met)
    return found


class Recommender(Handle):
    """An immutable snapshot of a model for serving, which threads share.

    The calls that recommend take a filter, the number of threads (0: the option compute.threads), how
    many candidates are looked at again in f32 (0: exact), and fusion(id, text), which fuses both
    towers' scores in the place of the weighted sum, [sessions, items] each.
    """

    def __init__(self, model: Model, config: Optional[Config] = None) -> None:
        super().__init__(make(c.alterrec_recommender_create, of(Model, model),
                              pointer(Config, config)), c.alterrec_recommender_free)

    @classmethod
    def open(cls, path: Path, config: Optional[Config] = None) -> Recommender:
        """Maps a file that `save` wrote; of `config` compute.threads and serve.verify count."""
        return cls._of(make(c.alterrec_recommender_open, text(path), pointer(Config, config)),
                       c.alterrec_recommender_free)

    def save(self, path: Path) -> None:
        check(c.alterrec_recommender_save(self.p, text(path)))

    @property
    def catalog(self) -> Catalog:
        return Catalog._of(lend=lambda: c.alterrec_recommender_catalog(self.p))

    def top_k(self, batch: Batch, k: int, filter: Optional[Filter] = None, threads: int = 0,
              candidates: int = 0, fusion: Optional[FusionFunction] = None) -> Lists:
        """[sessions, k]."""
        return _find(
            len(batch), k, len(self.catalog), _search(filter, threads, candidates, fusion),
            lambda items, scores, met, search: c.alterrec_recommender_top_k(
                items, scores, met, self.p, of(Batch, batch), k, search))

    def score(self, batch: Batch, items: ArrayLike,
              fusion: Optional[FusionFunction] = None) -> NDArray[numpy.float32]:
        """The fused scores of given items, [sessions, count]."""
        values = array(items, numpy.int32)
        if values.ndim != 2 or len(values) != len(batch):
            raise ValueError(f"the items are {values.shape}, not [{len(batch)}, count]")
        scores = numpy.empty(values.shape, numpy.float32)
        search = _search(fusion=fusion)
        check(c.alterrec_recommender_score(address(scores), None, None, self.p, of(Batch, batch),
                                           address(values), values.shape[1],
                                           ctypes.byref(search)))
        return scores

    def item_vectors(self) -> NDArray[numpy.float32]:
        """[items, width], for an index of your own."""
        vectors = numpy.empty((len(self.catalog), c.alterrec_recommender_width(self.p)),
                              numpy.float32)
        check(c.alterrec_recommender_item_vectors(address(vectors), self.p, 0, len(vectors)))
        return vectors

    def session_vectors(self, batch: Batch) -> NDArray[numpy.float32]:
        """[sessions, width]: the inner product with an item's is the fused score."""
        vectors = numpy.empty((len(batch), c.alterrec_recommender_width(self.p)), numpy.float32)
        check(c.alterrec_recommender_session_vectors(address(vectors), self.p, of(Batch, batch)))
        return vectors

    def write_item_vectors(self, path: Path) -> None:
        """The same as a .npy file, written aside and renamed."""
        check(c.alterrec_recommender_write_item_vectors(self.p, text(path)))

    def write_session_vectors(self, batch: Batch, path: Path) -> None:
        check(c.alterrec_recommender_write_session_vectors(self.p, of(Batch, batch), text(path)))


class LiveSession(Handle):
    """A visitor's session, whose items come one by one; lists and scores are those of the whole
    session in a batch. It keeps its recommender. What changes it needs it to itself; top_k, score
    and serialize only read it, from any number of threads."""

    def __init__(self, recommender: Recommender) -> None:
        super().__init__(make(c.alterrec_live_session_create, of(Recommender, recommender)),
                         c.alterrec_live_session_free)
        self._catalog_items = len(recommender.catalog)

    def push(self, item: int) -> None:
        """The visitor's next item."""
        check(c.alterrec_live_session_push(self.p, item))

    @staticmethod
    def push_many(sessions: Sequence[LiveSession], items: ArrayLike, threads: int = 0) -> None:
        """items[s] to sessions[s], all of them or none, in one product. The sessions are different
        ones of one recommender."""
        values = array(items, numpy.int32)
        if values.shape != (len(sessions),):
            raise ValueError(f"the items are {values.shape}, not ({len(sessions)},)")
        check(c.alterrec_live_sessions_push(_handles(sessions), address(values), len(sessions),
                                            threads))

    def __len__(self) -> int:
        return c.alterrec_live_session_length(self.p)

    @property
    def items(self) -> NDArray[numpy.int32]:
        """A copy of all items, in their order."""
        return lent(c.alterrec_live_session_items(self.p), numpy.int32, (len(self),)).copy()

    def reset(self) -> None:
        """Takes away all items and exclusions; memory and exclude_own stay for the next visitor."""
        c.alterrec_live_session_reset(self.p)

    def exclude_own(self, exclude: bool = True) -> None:
        """Whether the session's own items are left out of its lists."""
        check(c.alterrec_live_session_exclude_own(self.p, int(exclude)))

    def exclude(self, items: ArrayLike) -> None:
        """From now on, besides those named before."""
        values = row(items)
        check(c.alterrec_live_session_exclude(self.p, address(values), values.size))

    def top_k(self, k: int, filter: Optional[Filter] = None, threads: int = 0,
              candidates: int = 0, fusion: Optional[FusionFunction] = None) -> Lists:
        """[k]."""
        found = _find(
            1, k, self._catalog_items, _search(filter, threads, candidates, fusion),
            lambda items, scores, met, search: c.alterrec_live_session_top_k(
                items, scores, met, self.p, k, search))
        one = Lists(found.items[0], found.scores[0])
        one.met = found.met
        return one

    @staticmethod
    def top_k_many(sessions: Sequence[LiveSession], k: int, filter: Optional[Filter] = None,
                   threads: int = 0, candidates: int = 0,
                   fusion: Optional[FusionFunction] = None) -> Lists:
        """The lists of many sessions of one recommender in one search, [sessions, k]."""
        handles = _handles(sessions)
        most = sessions[0]._catalog_items if sessions else 0
        return _find(
            len(sessions), k, most, _search(filter, threads, candidates, fusion),
            lambda items, scores, met, search: c.alterrec_live_sessions_top_k(
                items, scores, met, handles, len(sessions), k, search))

    def score(self, items: ArrayLike,
              fusion: Optional[FusionFunction] = None) -> NDArray[numpy.float32]:
        """The fused scores of given items, [count]."""
        values = row(items)
        scores = numpy.empty(values.shape, numpy.float32)
        search = _search(fusion=fusion)
        check(c.alterrec_live_session_score(address(scores), None, None, self.p, address(values),
                                            values.size, ctypes.byref(search)))
        return scores

    def serialize(self) -> bytes:
        """Items and exclusions, for `restore`."""
        written = numpy.empty(c.alterrec_live_session_size(self.p), numpy.uint8)
        check(c.alterrec_live_session_serialize(address(written), self.p, written.size))
        return written.tobytes()

    def restore(self, data: bytes) -> None:
        """Replaces what the session holds by what the bytes say, which may come from a session of
        another recommender over as many items. Bytes of any content are safe."""
        given = numpy.frombuffer(data, numpy.uint8)
        check(c.alterrec_live_session_restore(self.p, address(given), given.size))


def _handles(sessions: Sequence[LiveSession]) -> Any:
    """As C takes them; one place more, so that there is an array of none."""
    handles = [of(LiveSession, session) for session in sessions]
    return (ctypes.c_void_p * (len(handles) + 1))(*handles)
