"""The alternating training."""

from __future__ import annotations

import ctypes
from typing import List, Optional

from . import _c
from ._library import Handle, c, check, fields, make, of, pointer, struct, text
from .callbacks import (
    FusionFunction, LogFunction, NegativesFunction, Plan, ProgressFunction, Report,
    ScheduleFunction, on_fusion, on_log, on_negatives, on_progress, on_schedule)
from .data import Batch, Config, Path, Sessions
from .model import Model


class Trainer(Handle):
    """The alternating training of a model, with functions that it calls:

    progress(report)        each epoch's report
    schedule(plan, last)    may change the fields of the next epoch's plan; `last` is the last
                            epoch's report, or None
    fusion(id, text)        the fused scores that validation ranks, [sessions, items]
    negatives(examples, n)  under NEGATIVES_HOST: the negatives, [examples, n]
    log(level, message)     what belongs into a log; level LOG_INFO or LOG_WARNING
    """

    def __init__(self, model: Model, train: Sessions, valid: Optional[Sessions] = None,
                 config: Optional[Config] = None, progress: Optional[ProgressFunction] = None,
                 schedule: Optional[ScheduleFunction] = None,
                 fusion: Optional[FusionFunction] = None,
                 negatives: Optional[NegativesFunction] = None,
                 log: Optional[LogFunction] = None) -> None:
        super().__init__(make(c.alterrec_trainer_create, of(Model, model), of(Sessions, train),
                              pointer(Sessions, valid), pointer(Config, config)),
                         c.alterrec_trainer_free)
        self.model = model
        # Kept as long as C may call them.
        self._called = (on_progress(progress, ended=True), on_schedule(schedule),
                        on_fusion(fusion), on_negatives(negatives), on_log(log))
        setters = (c.alterrec_trainer_on_progress, c.alterrec_trainer_on_schedule,
                   c.alterrec_trainer_on_fusion, c.alterrec_trainer_on_negatives,
                   c.alterrec_trainer_on_log)
        for setter, called in zip(setters, self._called):
            check(setter(self.p, called, None))

    def run(self) -> None:
        """Epoch after epoch; then the model has its best weights."""
        check(c.alterrec_trainer_run(self.p))

    def plan(self) -> Plan:
        """The built-in schedule's plan for the next epoch; its fields may be changed."""
        plan = struct(_c.alterrec_plan)
        check(c.alterrec_trainer_plan(ctypes.byref(plan), self.p))
        return plan

    def epoch(self, plan: Optional[Plan] = None) -> Report:
        """One epoch as the plan says; None: as the built-in schedule plans it."""
        report = struct(_c.alterrec_epoch_report)
        check(c.alterrec_trainer_epoch(ctypes.byref(report), self.p,
                                       plan and ctypes.byref(plan)))
        return fields(report)

    def step(self, batch: Batch, plan: Optional[Plan] = None) -> Report:
        """One step on the labelled sessions of a batch."""
        report = struct(_c.alterrec_step_report)
        check(c.alterrec_trainer_step(ctypes.byref(report), self.p, of(Batch, batch),
                                      plan and ctypes.byref(plan)))
        return fields(report)

    @property
    def batches(self) -> int:
        """The number of batches of the next epoch."""
        return c.alterrec_trainer_batches(self.p)

    def get_batch(self, batch: Batch, index: int) -> None:
        """Puts batch `index` of the next epoch into `batch`."""
        check(c.alterrec_trainer_batch(of(Batch, batch), self.p, index))

    def end_epoch(self) -> Report:
        """Ends an epoch of steps: validates, and keeps the best weights."""
        report = struct(_c.alterrec_epoch_report)
        check(c.alterrec_trainer_end_epoch(ctypes.byref(report), self.p))
        return fields(report)

    def use_best(self) -> None:
        """Gives the model the weights of the best epoch."""
        check(c.alterrec_trainer_use_best(self.p))

    def cancel(self) -> None:
        """From any thread, while the trainer lives."""
        check(c.alterrec_trainer_cancel(self.p))

    def save(self, path: Path) -> None:
        """Writes a checkpoint."""
        check(c.alterrec_trainer_save(self.p, text(path)))

    def resume(self, path: Path) -> None:
        """Goes on where a checkpoint stands."""
        check(c.alterrec_trainer_resume(self.p, text(path)))

    @property
    def reports(self) -> List[Report]:
        """The report of every epoch so far."""
        found = []
        for epoch in range(c.alterrec_trainer_epochs(self.p)):
            report = struct(_c.alterrec_epoch_report)
            check(c.alterrec_trainer_report(ctypes.byref(report), self.p, epoch))
            found.append(fields(report))
        return found
