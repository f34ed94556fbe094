package alterrec

// #include "callbacks.h"
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// Trainer is a training of a model, which only it may use while it is inside a call.
type Trainer struct {
	p      *C.alterrec_trainer
	kept   kept
	ending sync.RWMutex // Cancel comes from any goroutine, also while Close runs
}

// NewTrainer makes one; valid may be nil.
func NewTrainer(model *Model, train, valid *Sessions, config *Config) (*Trainer, error) {
	defer runtime.KeepAlive(model)
	defer runtime.KeepAlive(train)
	defer runtime.KeepAlive(valid)
	defer runtime.KeepAlive(config)
	t := &Trainer{}
	err := call(func() C.alterrec_status {
		return C.alterrec_trainer_create(&t.p, model.p, train.pointer(), valid.pointer(),
			config.pointer())
	})
	return made(t, (*Trainer).Close, err)
}

// Close frees it and its callbacks.
func (t *Trainer) Close() {
	t.ending.Lock()
	defer t.ending.Unlock()
	C.alterrec_trainer_free(t.p)
	t.p = nil
	t.kept.forget()
	runtime.SetFinalizer(t, nil)
}

// Cancel stops the trainer at its next step, from any goroutine.
func (t *Trainer) Cancel() error {
	t.ending.RLock()
	defer t.ending.RUnlock()
	return call(func() C.alterrec_status { return C.alterrec_trainer_cancel(t.p) })
}

// OnProgress sets the progress callback; nil: none. So do the others.
func (t *Trainer) OnProgress(callback ProgressFunc) error {
	return t.kept.replace(keptProgress, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.trainer_on_progress(t.p, h) })
}

// OnFusion sets the fusion by which validation ranks the fused scores.
func (t *Trainer) OnFusion(callback FusionFunc) error {
	return t.kept.replace(keptFusion, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.trainer_on_fusion(t.p, h) })
}

// OnSchedule sets what may change the plans of Run.
func (t *Trainer) OnSchedule(callback ScheduleFunc) error {
	return t.kept.replace(keptSchedule, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.trainer_on_schedule(t.p, h) })
}

// OnNegatives sets what names the negatives under NegativesHost.
func (t *Trainer) OnNegatives(callback NegativesFunc) error {
	return t.kept.replace(keptNegatives, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.trainer_on_negatives(t.p, h) })
}

// OnLog sets what gets the lines that belong into a log; Stop stops the trainer as Cancel does.
func (t *Trainer) OnLog(callback LogFunc) error {
	return t.kept.replace(keptLog, callback, callback == nil,
		func(h C.uintptr_t) C.alterrec_status { return C.trainer_on_log(t.p, h) })
}

// Run trains epoch after epoch.
func (t *Trainer) Run() error {
	defer runtime.KeepAlive(t)
	return call(func() C.alterrec_status { return C.alterrec_trainer_run(t.p) })
}

// Plan gives the built-in schedule's plan for the next epoch.
func (t *Trainer) Plan() (*Plan, error) {
	defer runtime.KeepAlive(t)
	plan := &Plan{size: uint32(unsafe.Sizeof(Plan{}))}
	return plan, call(func() C.alterrec_status {
		return C.alterrec_trainer_plan((*C.alterrec_plan)(unsafe.Pointer(plan)), t.p)
	})
}

func (t *Trainer) report(function func(*C.alterrec_epoch_report) C.alterrec_status) (EpochReport, error) {
	defer runtime.KeepAlive(t)
	report := EpochReport{size: uint32(unsafe.Sizeof(EpochReport{}))}
	err := call(func() C.alterrec_status {
		return function((*C.alterrec_epoch_report)(unsafe.Pointer(&report)))
	})
	return report, err
}

// Epoch trains one epoch as the plan says; nil: as the built-in schedule plans it.
func (t *Trainer) Epoch(plan *Plan) (EpochReport, error) {
	return t.report(func(r *C.alterrec_epoch_report) C.alterrec_status {
		return C.alterrec_trainer_epoch(r, t.p, (*C.alterrec_plan)(unsafe.Pointer(plan)))
	})
}

// Step trains one step on a labelled batch.
func (t *Trainer) Step(batch *Batch, plan *Plan) (StepReport, error) {
	defer runtime.KeepAlive(t)
	defer runtime.KeepAlive(batch)
	report := StepReport{size: uint32(unsafe.Sizeof(StepReport{}))}
	err := call(func() C.alterrec_status {
		return C.alterrec_trainer_step((*C.alterrec_step_report)(unsafe.Pointer(&report)), t.p,
			batch.p, (*C.alterrec_plan)(unsafe.Pointer(plan)))
	})
	return report, err
}

// Batches is the number of batches of the next epoch.
func (t *Trainer) Batches() int64 {
	defer runtime.KeepAlive(t)
	return int64(C.alterrec_trainer_batches(t.p))
}

// GetBatch puts one of them into batch.
func (t *Trainer) GetBatch(batch *Batch, index int64) error {
	defer runtime.KeepAlive(t)
	defer runtime.KeepAlive(batch)
	return call(func() C.alterrec_status {
		return C.alterrec_trainer_batch(batch.p, t.p, C.int64_t(index))
	})
}

// EndEpoch ends an epoch of Steps.
func (t *Trainer) EndEpoch() (EpochReport, error) {
	return t.report(func(r *C.alterrec_epoch_report) C.alterrec_status {
		return C.alterrec_trainer_end_epoch(r, t.p)
	})
}

// UseBest gives the model the weights of the best epoch.
func (t *Trainer) UseBest() error {
	defer runtime.KeepAlive(t)
	return call(func() C.alterrec_status { return C.alterrec_trainer_use_best(t.p) })
}

// Save writes a checkpoint.
func (t *Trainer) Save(path string) error {
	defer runtime.KeepAlive(t)
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_trainer_save(t.p, p)
	})
}

// Resume goes on where a checkpoint stands.
func (t *Trainer) Resume(path string) error {
	defer runtime.KeepAlive(t)
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_trainer_resume(t.p, p)
	})
}

// Epochs is the number of epochs trained so far.
func (t *Trainer) Epochs() int64 {
	defer runtime.KeepAlive(t)
	return int64(C.alterrec_trainer_epochs(t.p))
}

// Report gives the report of an epoch.
func (t *Trainer) Report(epoch int64) (EpochReport, error) {
	return t.report(func(r *C.alterrec_epoch_report) C.alterrec_status {
		return C.alterrec_trainer_report(r, t.p, C.int64_t(epoch))
	})
}
