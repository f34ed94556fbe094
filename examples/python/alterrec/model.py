"""Model, trainer, evaluation."""

import ctypes
import json

import numpy

from . import _c
from ._library import (
    Handle, address, array, c, callback, check, fields, make, pointer, struct, text, texts)
from .data import Catalog, option


class Model(Handle):
    """The parameters of both towers: Model(catalog, config), or Model.load(path)."""

    def __init__(self, catalog, config=None, _loaded=None):
        made = _loaded or make(c.alterrec_model_create, catalog.p, pointer(config))
        super().__init__(made, c.alterrec_model_free)

    @classmethod
    def load(cls, path):
        return cls(None, _loaded=make(c.alterrec_model_load, text(path)))

    def save(self, path):
        check(c.alterrec_model_save(self.p, text(path)))

    def import_tensors(self, path):
        check(c.alterrec_model_import(self.p, text(path)))

    def add_items(self, keys, titles=None, features=None):
        """Behind those of the catalog; `features` [count, dim], or None: hashed from the texts."""
        keys = list(keys)
        if features is not None:
            features = array(features, numpy.float32)
            dim = c.alterrec_catalog_feature_dim(self.catalog.p)
            if features.shape != (len(keys), dim):
                raise ValueError(f"features are {features.shape}, not {(len(keys), dim)}")
        if titles is not None and len(titles) != len(keys):
            raise ValueError(f"{len(keys)} keys, {len(titles)} texts")
        check(c.alterrec_model_add_items(self.p, texts(keys), texts(titles), address(features),
                                         len(keys)))

    @property
    def catalog(self):
        return Catalog._of(lend=lambda: c.alterrec_model_catalog(self.p))

    def option(self, key):
        return option(c.alterrec_model_config(self.p), key)

    @property
    def dim(self):
        return c.alterrec_model_dim(self.p)

    @property
    def shapes(self):
        """The name and shape of every parameter tensor."""
        found = {}
        for index in range(c.alterrec_model_tensor_count(self.p)):
            tensor = struct(_c.alterrec_tensor)
            check(c.alterrec_model_tensor_describe(ctypes.byref(tensor), self.p, index))
            found[tensor.name.decode("utf-8")] = tuple(tensor.shape[:tensor.dims])
        return found

    def _shape(self, name):
        tensor = struct(_c.alterrec_tensor)
        check(c.alterrec_model_tensor_find(ctypes.byref(tensor), self.p, text(name)))
        return tuple(tensor.shape[:tensor.dims])

    def __getitem__(self, name):
        """A copy of a parameter tensor."""
        values = numpy.empty(self._shape(name), numpy.float32)
        check(c.alterrec_model_get_tensor(address(values), self.p, text(name), values.size))
        return values

    def __setitem__(self, name, values):
        values = array(values, numpy.float32)
        shape = self._shape(name)
        if values.shape != shape:
            raise ValueError(f"{name} is {shape}, not {values.shape}")
        check(c.alterrec_model_set_tensor(self.p, text(name), address(values), values.size))

    def item_vectors(self, tower):
        vectors = numpy.empty((len(self.catalog), self.dim), numpy.float32)
        check(c.alterrec_model_item_vectors(address(vectors), self.p, tower))
        return vectors

    def session_vectors(self, tower, batch):
        vectors = numpy.empty((len(batch), self.dim), numpy.float32)
        check(c.alterrec_model_session_vectors(address(vectors), self.p, tower, batch.p))
        return vectors

    def score(self, scorer, batch):
        """[sessions, items]."""
        scores = numpy.empty((len(batch), len(self.catalog)), numpy.float32)
        check(c.alterrec_model_score(address(scores), self.p, scorer, batch.p))
        return scores

    def choose_alpha(self, valid, points=21, config=None):
        """The weight of the fusion that is best on `valid`, and the metric at each that was tried."""
        alpha, curve = ctypes.c_double(), numpy.empty(max(points, 0), numpy.float64)
        check(c.alterrec_model_choose_alpha(ctypes.addressof(alpha), address(curve), self.p,
                                            valid.p, points, pointer(config)))
        return alpha.value, curve


class Trainer(Handle):
    """The alternating training. `progress(dict)` is told of each epoch's report; `schedule(plan,
    last)` may change the fields of the plan, and gets the last report, or None."""

    def __init__(self, model, train, valid=None, config=None, progress=None, schedule=None):
        super().__init__(make(c.alterrec_trainer_create, model.p, train.p, pointer(valid),
                              pointer(config)), c.alterrec_trainer_free)
        self.model = model

        # There is always one, so that Ctrl-C ends a training.
        def on_progress(now, _):
            if progress is not None and now.contents.report:
                return progress(fields(now.contents.report.contents))
            return None

        def on_schedule(plan, last, _):
            return schedule(plan.contents, fields(last.contents) if last else None)

        self._progress = callback(_c.alterrec_progress_fn, on_progress)
        check(c.alterrec_trainer_on_progress(self.p, self._progress, None))
        if schedule is not None:
            self._schedule = callback(_c.alterrec_schedule_fn, on_schedule)
            check(c.alterrec_trainer_on_schedule(self.p, self._schedule, None))

    def run(self):
        check(c.alterrec_trainer_run(self.p))

    def plan(self):
        """The built-in schedule's plan for the next epoch; its fields may be changed."""
        plan = struct(_c.alterrec_plan)
        check(c.alterrec_trainer_plan(ctypes.byref(plan), self.p))
        return plan

    def epoch(self, plan=None):
        report = struct(_c.alterrec_epoch_report)
        check(c.alterrec_trainer_epoch(ctypes.byref(report), self.p,
                                       plan and ctypes.byref(plan)))
        return fields(report)

    def step(self, batch, plan=None):
        report = struct(_c.alterrec_step_report)
        check(c.alterrec_trainer_step(ctypes.byref(report), self.p, batch.p,
                                      plan and ctypes.byref(plan)))
        return fields(report)

    def end_epoch(self):
        report = struct(_c.alterrec_epoch_report)
        check(c.alterrec_trainer_end_epoch(ctypes.byref(report), self.p))
        return fields(report)

    def use_best(self):
        check(c.alterrec_trainer_use_best(self.p))

    def cancel(self):
        """From any thread, while the trainer lives."""
        check(c.alterrec_trainer_cancel(self.p))

    def save(self, path):
        check(c.alterrec_trainer_save(self.p, text(path)))

    def resume(self, path):
        check(c.alterrec_trainer_resume(self.p, text(path)))

    @property
    def reports(self):
        """The report of every epoch so far."""
        found = []
        for epoch in range(c.alterrec_trainer_epochs(self.p)):
            report = struct(_c.alterrec_epoch_report)
            check(c.alterrec_trainer_report(ctypes.byref(report), self.p, epoch))
            found.append(fields(report))
        return found


def evaluate(model, held_out, train=None, config=None):
    """Every figure of an evaluation, as alterrec_evaluation_json gives them."""
    go_on = callback(_c.alterrec_progress_fn, lambda *_: None)
    made = make(c.alterrec_evaluate, model.p, held_out.p, pointer(train), pointer(config), go_on,
                None)
    with Handle(made, c.alterrec_evaluation_free) as evaluation:
        return json.loads(c.alterrec_evaluation_json(evaluation.p))
