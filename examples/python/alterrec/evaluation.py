"""Every prefix of every held-out session, ranked against the whole catalog."""

from __future__ import annotations

import ctypes
import json
from typing import Any, Dict, List, NamedTuple, Optional

from ._library import Handle, c, check, make, of, pointer
from .callbacks import FusionFunction, ProgressFunction, on_fusion, on_progress
from .data import Config, Sessions
from .model import Model


class Group(NamedTuple):
    """The examples whose label occurs `low` to `high` - 1 times in the training set; None: open."""

    low: int
    high: Optional[int]
    examples: int


class Evaluation(Handle):
    """The metrics of one evaluation."""

    @property
    def examples(self) -> int:
        return c.alterrec_evaluation_examples(self.p)

    @property
    def groups(self) -> List[Group]:
        """The popularity groups, by the option eval.groups."""
        found = []
        for index in range(c.alterrec_evaluation_groups(self.p)):
            numbers = (ctypes.c_int64 * 3)()
            low, high, examples = (ctypes.addressof(numbers) + 8 * i for i in range(3))
            check(c.alterrec_evaluation_group(low, high, examples, self.p, index))
            found.append(Group(numbers[0], numbers[1] if numbers[1] >= 0 else None, numbers[2]))
        return found

    def metric(self, scorer: int, metric: int, k: int, group: int = -1) -> float:
        """One figure, such as metric(FUSED, HITS, 20), of all examples or of a group's."""
        value = ctypes.c_double()
        check(c.alterrec_evaluation_metric(ctypes.addressof(value), self.p, scorer, metric, k,
                                           group))
        return value.value

    @property
    def figures(self) -> Dict[str, Any]:
        """Every figure, as alterrec_evaluation_json gives them."""
        return json.loads(c.alterrec_evaluation_json(self.p) or "{}")


class Evaluator(Handle):
    """A model with what its evaluations are made by: `progress(now)` is told where the work stands,
    `fusion(id, text)` fuses the scores, [sessions, items]."""

    def __init__(self, model: Model, config: Optional[Config] = None,
                 progress: Optional[ProgressFunction] = None,
                 fusion: Optional[FusionFunction] = None) -> None:
        super().__init__(make(c.alterrec_evaluator_create, of(Model, model),
                              pointer(Config, config)), c.alterrec_evaluator_free)
        # Kept as long as C may call them.
        self._called = on_progress(progress, ended=False), on_fusion(fusion)
        check(c.alterrec_evaluator_on_progress(self.p, self._called[0], None))
        check(c.alterrec_evaluator_on_fusion(self.p, self._called[1], None))

    def run(self, held_out: Sessions, train: Optional[Sessions] = None) -> Evaluation:
        """Of the model as it is; `train`: the popularity baseline, and the groups."""
        return Evaluation._of(make(c.alterrec_evaluator_run, self.p, of(Sessions, held_out),
                                   pointer(Sessions, train)), c.alterrec_evaluation_free)


def evaluate(model: Model, held_out: Sessions, train: Optional[Sessions] = None,
             config: Optional[Config] = None) -> Evaluation:
    """In one call."""
    called = on_progress(None, ended=False)
    return Evaluation._of(make(c.alterrec_evaluate, of(Model, model), of(Sessions, held_out),
                               pointer(Sessions, train), pointer(Config, config), called, None),
                          c.alterrec_evaluation_free)
