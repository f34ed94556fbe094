// Package alterrec is libalterrec for Go: session-based recommendation from item IDs and item text.
//
// What each function does stands in the comments of alterrec.h; here is what Go adds.
//
//   - A handle is freed by Close, or at last by the garbage collector. A closed one gives errors.
//     Close a Trainer or Evaluator that has callbacks: they may keep it alive.
//   - Slices go to the library as they are, without a copy, for the length of the call. What the
//     library lends is copied on its way out, since a Go slice keeps no C memory alive.
//   - A failing call gives an *Error with the status and the library's text.
//   - A callback's error ends the call that asked it, and is what the call returns; Stop stops it
//     cleanly. A panic in a callback goes on in the caller of that call; it does not unwind C.
//   - A Recommender, and any Catalog, Sessions, Dataset, Evaluation, may be used by many goroutines at
//     once, a Model or a LiveSession by many that do not change it; everything else by one at a time.
package alterrec

// #cgo pkg-config: alterrec
// #include <alterrec/alterrec.h>
// #include <stdlib.h>
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Status is the kind of an error.
type Status int32

const (
	InvalidArgument Status = C.ALTERREC_ERROR_INVALID_ARGUMENT
	OutOfMemory     Status = C.ALTERREC_ERROR_OUT_OF_MEMORY
	IO              Status = C.ALTERREC_ERROR_IO
	Parse           Status = C.ALTERREC_ERROR_PARSE
	NotFound        Status = C.ALTERREC_ERROR_NOT_FOUND
	Mismatch        Status = C.ALTERREC_ERROR_MISMATCH
	NotFinite       Status = C.ALTERREC_ERROR_NOT_FINITE
	Unsupported     Status = C.ALTERREC_ERROR_UNSUPPORTED
	Busy            Status = C.ALTERREC_ERROR_BUSY
	Backend         Status = C.ALTERREC_ERROR_BACKEND
)

func (s Status) String() string {
	return C.GoString(C.alterrec_status_name(C.alterrec_status(s)))
}

// Error is a failed call.
type Error struct {
	Status Status
	Text   string
}

func (e *Error) Error() string {
	return e.Text
}

// Is makes errors.Is compare the status: errors.Is(err, &Error{Status: NotFound}).
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Status == e.Status && (other.Text == "" || other.Text == e.Text)
}

func wrong(format string, values ...any) error {
	return &Error{InvalidArgument, fmt.Sprintf(format, values...)}
}

// Stop is what a callback returns to stop the work cleanly; of a fusion, to leave the tile to the
// weighted sum; of negatives, to leave the batch to random draws.
var Stop = errors.New("stop")

// What callbacks returned, or panicked with, under the number that goes through C in its place.
var (
	pending sync.Map
	numbers atomic.Int32
)

const firstNumber = -1 << 30

type panicked struct{ value any }

func failed(value any) C.int32_t {
	number := firstNumber + numbers.Add(1)&0xffffff
	pending.Store(number, value)
	return C.int32_t(number)
}

// answer runs a callback for C.
func answer(callback func() error) (code C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			code = failed(panicked{value})
		}
	}()
	switch err := callback(); {
	case err == nil:
		return 0
	case errors.Is(err, Stop):
		return 1
	default:
		return failed(err)
	}
}

// call makes an error of a status. The error's text belongs to the thread of the call.
func call(function func() C.alterrec_status) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := function()
	if status == C.ALTERREC_OK {
		return nil
	}
	if value, found := pending.LoadAndDelete(int32(status)); found {
		if p, ok := value.(panicked); ok {
			panic(p.value)
		}
		return value.(error)
	}
	text := make([]byte, C.alterrec_last_error_copy(nil, 0)+1)
	C.alterrec_last_error_copy((*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
	return &Error{Status(status), string(text[:len(text)-1])}
}

// Version is that of the library that is running: major * 1000000 + minor * 1000 + patch.
func Version() uint32 {
	return uint32(C.alterrec_version())
}

// BuildInfo names version, compiler, oneDNN version and instruction set.
func BuildInfo() string {
	return C.GoString(C.alterrec_build_info())
}

// ---- What goes to C ----

var nothing [1]int64

func int32s(values []int32) *C.int32_t {
	if len(values) == 0 {
		return (*C.int32_t)(unsafe.Pointer(&nothing))
	}
	return (*C.int32_t)(unsafe.Pointer(&values[0]))
}

func int64s(values []int64) *C.int64_t {
	if len(values) == 0 {
		return (*C.int64_t)(unsafe.Pointer(&nothing))
	}
	return (*C.int64_t)(unsafe.Pointer(&values[0]))
}

// floats gives NULL for nil: not wanted, or not given.
func floats(values []float32) *C.float {
	return (*C.float)(unsafe.Pointer(unsafe.SliceData(values)))
}

func sized(name string, length int, rows, columns int64) error {
	fits := length == 0
	if rows > 0 && columns > 0 { // their product may be too large for a number
		fits = int64(length)%columns == 0 && int64(length)/columns == rows
	}
	if rows < 0 || columns < 0 || !fits {
		return wrong("%s has %d values, not %d * %d", name, length, rows, columns)
	}
	return nil
}

// whole is whether C sees all of a string: it would lose what stands behind a 0.
func whole(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return wrong("%q holds a 0", text)
	}
	return nil
}

// cstrings are strings as C takes an array of them; free them behind the call. NULL for nil.
type cstrings struct {
	array  **C.char
	length int
}

func newStrings(texts []string) (cstrings, error) {
	if texts == nil {
		return cstrings{}, nil
	}
	for _, text := range texts {
		if err := whole(text); err != nil {
			return cstrings{}, err
		}
	}
	size := C.size_t(len(texts)+1) * C.size_t(unsafe.Sizeof((*C.char)(nil)))
	s := cstrings{(**C.char)(C.malloc(size)), len(texts)}
	for i, text := range texts {
		unsafe.Slice(s.array, s.length)[i] = C.CString(text)
	}
	return s, nil
}

// withStrings lends two lists of strings to C.
func withStrings(first, second []string, function func(first, second **C.char) C.alterrec_status) error {
	a, err := newStrings(first)
	if err != nil {
		return err
	}
	defer a.free()
	b, err := newStrings(second)
	if err != nil {
		return err
	}
	defer b.free()
	return call(func() C.alterrec_status { return function(a.array, b.array) })
}

func (s cstrings) free() {
	if s.array == nil {
		return
	}
	for _, text := range unsafe.Slice(s.array, s.length) {
		C.free(unsafe.Pointer(text))
	}
	C.free(unsafe.Pointer(s.array))
}

// withString lends a string to C.
func withString(text string, function func(*C.char) C.alterrec_status) error {
	if err := whole(text); err != nil {
		return err
	}
	c := C.CString(text)
	defer C.free(unsafe.Pointer(c))
	return call(func() C.alterrec_status { return function(c) })
}
