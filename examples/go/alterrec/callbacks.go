package alterrec

// #include "callbacks.h"
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// What a callback gets is the library's, and valid during the call alone.
type (
	// ProgressFunc is told where the work stands.
	ProgressFunc func(progress *Progress) error
	// FusionFunc fills tile.Fused with finite numbers.
	FusionFunc func(tile *FusionTile) error
	// ScheduleFunc may change the plan of the next epoch; last is nil before the first.
	ScheduleFunc func(plan *Plan, last *EpochReport) error
	// NegativesFunc fills [len(examples.Labels), perExample] items.
	NegativesFunc func(negatives []int32, examples *Examples, perExample int) error
	// LogFunc gets what belongs into a log: a line, at LogInfo or LogWarning.
	LogFunc func(level int32, message string) error
)

// FusionTile is both towers' scores of some sessions for all items, row after row.
type FusionTile struct {
	FirstSession, Sessions, Items int
	ID, Text, Fused               []float32
}

// Examples is the examples of one batch.
type Examples struct {
	Labels          []int32
	items           *C.int32_t
	starts, lengths []int64
}

// Prefix gives the items before the label of an example.
func (e *Examples) Prefix(example int) []int32 {
	first := unsafe.Add(unsafe.Pointer(e.items), 4*e.starts[example])
	return unsafe.Slice((*int32)(first), int(e.lengths[example]))
}

// kept is the handles under which C knows the callbacks of one handle of the library.
type kept [5]cgo.Handle

const (
	keptProgress = iota
	keptFusion
	keptSchedule
	keptNegatives
	keptLog
)

// replace gives the library a callback, and forgets the one that it had if it takes it.
func (k *kept) replace(kind int, callback any, none bool, set func(C.uintptr_t) C.alterrec_status) error {
	var handle cgo.Handle
	if !none {
		handle = cgo.NewHandle(callback)
	}
	err := call(func() C.alterrec_status { return set(C.uintptr_t(handle)) })
	old := k[kind]
	if err != nil {
		old = handle
	} else {
		k[kind] = handle
	}
	if old != 0 {
		old.Delete()
	}
	return err
}

func (k *kept) forget() {
	for kind, handle := range k {
		if handle != 0 {
			handle.Delete()
		}
		k[kind] = 0
	}
}

//export goProgress
func goProgress(progress *C.alterrec_progress, handle C.uintptr_t) C.int32_t {
	return answer(func() error {
		callback := cgo.Handle(handle).Value().(ProgressFunc)
		return callback((*Progress)(unsafe.Pointer(progress)))
	})
}

//export goFusion
func goFusion(tile *C.alterrec_fusion_tile, handle C.uintptr_t) C.int32_t {
	return answer(func() error {
		callback := cgo.Handle(handle).Value().(FusionFunc)
		count := int(tile.sessions * tile.items)
		return callback(&FusionTile{
			int(tile.first_session), int(tile.sessions), int(tile.items),
			unsafe.Slice((*float32)(tile.id), count),
			unsafe.Slice((*float32)(tile.text), count),
			unsafe.Slice((*float32)(tile.fused), count),
		})
	})
}

//export goSchedule
func goSchedule(plan *C.alterrec_plan, last *C.alterrec_epoch_report, handle C.uintptr_t) C.int32_t {
	return answer(func() error {
		callback := cgo.Handle(handle).Value().(ScheduleFunc)
		return callback((*Plan)(unsafe.Pointer(plan)), (*EpochReport)(unsafe.Pointer(last)))
	})
}

//export goNegatives
func goNegatives(negatives *C.int32_t, examples *C.alterrec_examples, perExample C.int64_t,
	handle C.uintptr_t) C.int32_t {
	return answer(func() error {
		callback := cgo.Handle(handle).Value().(NegativesFunc)
		count := int(examples.count)
		return callback(unsafe.Slice((*int32)(negatives), count*int(perExample)), &Examples{
			unsafe.Slice((*int32)(examples.labels), count),
			examples.items,
			unsafe.Slice((*int64)(examples.starts), count),
			unsafe.Slice((*int64)(examples.lengths), count),
		}, int(perExample))
	})
}

//export goLog
func goLog(level C.int32_t, message *C.char, handle C.uintptr_t) C.int32_t {
	return answer(func() error {
		callback := cgo.Handle(handle).Value().(LogFunc)
		return callback(int32(level), C.GoString(message))
	})
}
