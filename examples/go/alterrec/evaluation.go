package alterrec

// #include "callbacks.h"
import "C"

import "runtime"

// Evaluation is the metrics of one evaluation.
type Evaluation struct {
	p *C.alterrec_evaluation
}

// Close frees it.
func (e *Evaluation) Close() {
	C.alterrec_evaluation_free(e.p)
	e.p = nil
	runtime.SetFinalizer(e, nil)
}

// Examples is the number of examples.
func (e *Evaluation) Examples() int64 {
	defer runtime.KeepAlive(e)
	return int64(C.alterrec_evaluation_examples(e.p))
}

// Group holds the examples whose label occurs Low to High-1 times in the training set; -1: open.
type Group struct {
	Low, High, Examples int64
}

// Groups gives the popularity groups.
func (e *Evaluation) Groups() ([]Group, error) {
	defer runtime.KeepAlive(e)
	groups := make([]Group, C.alterrec_evaluation_groups(e.p))
	for i := range groups {
		g := &groups[i]
		err := call(func() C.alterrec_status {
			return C.alterrec_evaluation_group((*C.int64_t)(&g.Low), (*C.int64_t)(&g.High),
				(*C.int64_t)(&g.Examples), e.p, C.int64_t(i))
		})
		if err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// Metric gives one figure; group -1: of all examples.
func (e *Evaluation) Metric(scorer, metric int32, k, group int64) (float64, error) {
	defer runtime.KeepAlive(e)
	var value C.double
	err := call(func() C.alterrec_status {
		return C.alterrec_evaluation_metric(&value, e.p, C.int32_t(scorer), C.int32_t(metric),
			C.int64_t(k), C.int64_t(group))
	})
	return float64(value), err
}

// JSON gives every figure as one line.
func (e *Evaluation) JSON() string {
	defer runtime.KeepAlive(e)
	return C.GoString(C.alterrec_evaluation_json(e.p))
}

// Evaluate evaluates in one call, without callbacks; train and config may be nil.
func Evaluate(model *Model, heldOut, train *Sessions, config *Config) (*Evaluation, error) {
	defer runtime.KeepAlive(model)
	defer runtime.KeepAlive(heldOut)
	defer runtime.KeepAlive(train)
	defer runtime.KeepAlive(config)
	evaluation := &Evaluation{}
	err := call(func() C.alterrec_status {
		return C.alterrec_evaluate(&evaluation.p, model.p, heldOut.pointer(), train.pointer(),
			config.pointer(), nil, nil)
	})
	return made(evaluation, (*Evaluation).Close, err)
}

// Evaluator is a model with what its evaluations are made by.
type Evaluator struct {
	p    *C.alterrec_evaluator
	kept kept
}

// NewEvaluator makes one.
func NewEvaluator(model *Model, config *Config) (*Evaluator, error) {
	defer runtime.KeepAlive(model)
	defer runtime.KeepAlive(config)
	e := &Evaluator{}
	err := call(func() C.alterrec_status {
		return C.alterrec_evaluator_create(&e.p, model.p, config.pointer())
	})
	return made(e, (*Evaluator).Close, err)
}

// Close frees it and its callbacks.
func (e *Evaluator) Close() {
	C.alterrec_evaluator_free(e.p)
	e.p = nil
	e.kept.forget()
	runtime.SetFinalizer(e, nil)
}

// OnProgress sets the progress callback; nil: none.
func (e *Evaluator) OnProgress(callback ProgressFunc) error {
	return e.kept.replace(keptProgress, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.evaluator_on_progress(e.p, h) })
}

// OnFusion sets the fusion; nil: the weighted sum.
func (e *Evaluator) OnFusion(callback FusionFunc) error {
	return e.kept.replace(keptFusion, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.evaluator_on_fusion(e.p, h) })
}

// Run evaluates the model as it is; train may be nil: no baseline, no groups.
func (e *Evaluator) Run(heldOut, train *Sessions) (*Evaluation, error) {
	defer runtime.KeepAlive(e)
	defer runtime.KeepAlive(heldOut)
	defer runtime.KeepAlive(train)
	evaluation := &Evaluation{}
	err := call(func() C.alterrec_status {
		return C.alterrec_evaluator_run(&evaluation.p, e.p, heldOut.pointer(), train.pointer())
	})
	return made(evaluation, (*Evaluation).Close, err)
}
