"""What the library calls: Python's functions, with arrays and dicts for the structs of C."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional

import numpy
from numpy.typing import ArrayLike, NDArray

from . import _c
from ._library import array, callback, fields, lent

Report = Dict[str, Any]
Plan = _c.alterrec_plan

# All of them may return True to stop the work cleanly, or a negative number of the host's own to
# fail by; what they raise comes out of the call that called them.
Answer = Optional[int]
ProgressFunction = Callable[[Report], Answer]
ScheduleFunction = Callable[[Plan, Optional[Report]], Answer]
LogFunction = Callable[[int, str], Answer]


class Examples(NamedTuple):
    """The examples of one batch: prefixes of sessions, and the item that is to follow each."""

    labels: NDArray[numpy.int32]
    items: NDArray[numpy.int32]  # of all sessions, one behind the other
    starts: NDArray[numpy.int64]
    lengths: NDArray[numpy.int64]

    def prefix(self, example: int) -> NDArray[numpy.int32]:
        return self.items[self.starts[example]:self.starts[example] + self.lengths[example]]


# (id scores, text scores), both [sessions, items], to the fused ones; None leaves them to the
# weighted sum. The arrays are the library's, for the length of the call: copy what is to stay.
FusionFunction = Callable[[NDArray[numpy.float32], NDArray[numpy.float32]], Optional[ArrayLike]]
# (examples, count) to the negatives [examples, count]; None has them drawn at random.
NegativesFunction = Callable[[Examples, int], Optional[ArrayLike]]


def on_progress(function: Optional[ProgressFunction], ended: bool) -> Any:
    """`ended`: of each epoch its report, at its end; else where the work stands. There is always a
    callback, so that Ctrl-C ends the work."""
    def call(now: Any, _: Any) -> Answer:
        if function is None or ended and not now.contents.report:
            return None
        return function(fields(now.contents.report.contents if ended else now.contents))
    return callback(_c.alterrec_progress_fn, call)


def on_schedule(function: Optional[ScheduleFunction]) -> Any:
    if function is None:
        return _c.alterrec_schedule_fn()

    def call(plan: Any, last: Any, _: Any) -> Answer:
        return function(plan.contents, fields(last.contents) if last else None)
    return callback(_c.alterrec_schedule_fn, call)


def on_log(function: Optional[LogFunction]) -> Any:
    if function is None:
        return _c.alterrec_log_fn()

    def call(level: int, message: bytes, _: Any) -> Answer:
        return function(level, message.decode("utf-8", "replace"))
    return callback(_c.alterrec_log_fn, call)


def _fill(place: NDArray[Any], values: ArrayLike, name: str) -> None:
    filled = array(values, place.dtype)
    if filled.shape != place.shape:
        raise ValueError(f"the {name} are {filled.shape}, not {place.shape}")
    place[...] = filled


def on_fusion(function: Optional[FusionFunction]) -> Any:
    if function is None:
        return _c.alterrec_fusion_fn()

    def call(tile: Any, _: Any) -> Answer:
        shape = (tile.contents.sessions, tile.contents.items)
        scores = [lent(values, numpy.float32, shape)
                  for values in (tile.contents.id, tile.contents.text)]
        for values in scores:
            values.flags.writeable = False
        fused = function(*scores)
        if fused is None:
            return True
        _fill(lent(tile.contents.fused, numpy.float32, shape), fused, "fused scores")
        return None
    return callback(_c.alterrec_fusion_fn, call)


def on_negatives(function: Optional[NegativesFunction]) -> Any:
    if function is None:
        return _c.alterrec_negatives_fn()

    def call(place: Any, given: Any, count: int, _: Any) -> Answer:
        of = given.contents
        negatives = function(Examples(
            lent(of.labels, numpy.int32, (of.count,)).copy(),
            lent(of.items, numpy.int32, (of.item_count,)).copy(),
            lent(of.starts, numpy.int64, (of.count,)).copy(),
            lent(of.lengths, numpy.int64, (of.count,)).copy()), count)
        if negatives is None:
            return True
        _fill(lent(place, numpy.int32, (of.count, count)), negatives, "negatives")
        return None
    return callback(_c.alterrec_negatives_fn, call)
