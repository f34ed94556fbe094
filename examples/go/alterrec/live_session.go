package alterrec

// #include <alterrec/alterrec.h>
import "C"

import (
	"runtime"
	"unsafe"
)

// LiveSession is a visitor's session that grows: a further item costs what one item costs, and lists
// and scores are those of the whole session in a Batch, bit for bit. It keeps its recommender, whose
// Close may come first.
//
// What changes a session needs it to itself, which a channel or a lock of yours sees to; TopK, Score,
// Items and MarshalBinary only read it, from any number of goroutines. Any number of sessions of one
// recommender are used at once.
type LiveSession struct {
	p       *C.alterrec_live_session
	catalog int64 // the number of its items
}

// NewLiveSession makes a session without items.
func NewLiveSession(recommender *Recommender) (*LiveSession, error) {
	p, end := recommender.hold()
	defer end()
	l := &LiveSession{catalog: itemsOf(p)}
	err := call(func() C.alterrec_status {
		return C.alterrec_live_session_create(&l.p, p)
	})
	return made(l, (*LiveSession).Close, err)
}

// Close frees it. A closed session gives errors.
func (l *LiveSession) Close() {
	C.alterrec_live_session_free(l.p)
	l.p = nil
	runtime.SetFinalizer(l, nil)
}

// Push adds the visitor's next item, on the calling thread alone.
func (l *LiveSession) Push(item int32) error {
	defer runtime.KeepAlive(l)
	return call(func() C.alterrec_status {
		return C.alterrec_live_session_push(l.p, C.int32_t(item))
	})
}

// handlesOf gives the sessions as C takes an array of them; a closed one, or nil, is refused there.
func handlesOf(sessions []*LiveSession) []*C.alterrec_live_session {
	handles := make([]*C.alterrec_live_session, len(sessions), len(sessions)+1)
	for i, session := range sessions {
		if session != nil {
			handles[i] = session.p
		}
	}
	return handles
}

// PushMany adds items[s] to sessions[s], all of them or none, in one product, on at most so many
// threads (0: the recommender's). The sessions are different ones of one recommender.
func PushMany(sessions []*LiveSession, items []int32, threads int32) error {
	defer runtime.KeepAlive(sessions)
	if err := sized("items", len(items), int64(len(sessions)), 1); err != nil {
		return err
	}
	handles := handlesOf(sessions)
	return call(func() C.alterrec_status {
		return C.alterrec_live_sessions_push(unsafe.SliceData(handles), int32s(items),
			C.int64_t(len(handles)), C.int32_t(threads))
	})
}

// Len is the number of items.
func (l *LiveSession) Len() int {
	defer runtime.KeepAlive(l)
	return int(C.alterrec_live_session_length(l.p))
}

// Items gives a copy of all items, in their order.
func (l *LiveSession) Items() []int32 {
	defer runtime.KeepAlive(l)
	items := C.alterrec_live_session_items(l.p)
	return append([]int32(nil), unsafe.Slice((*int32)(unsafe.Pointer(items)), l.Len())...)
}

// Reset takes away all items and exclusions; memory and ExcludeOwn stay for the next visitor.
func (l *LiveSession) Reset() {
	defer runtime.KeepAlive(l)
	C.alterrec_live_session_reset(l.p)
}

// ExcludeOwn says whether the session's own items are left out of its lists; at first they are not.
func (l *LiveSession) ExcludeOwn(exclude bool) error {
	defer runtime.KeepAlive(l)
	number := C.int32_t(0)
	if exclude {
		number = 1
	}
	return call(func() C.alterrec_status {
		return C.alterrec_live_session_exclude_own(l.p, number)
	})
}

// Exclude leaves out these items from now on, besides those named before.
func (l *LiveSession) Exclude(items []int32) error {
	defer runtime.KeepAlive(l)
	return call(func() C.alterrec_status {
		return C.alterrec_live_session_exclude(l.p, int32s(items), C.int64_t(len(items)))
	})
}

// TopK gives the best k items, as one list.
func (l *LiveSession) TopK(k int, search *Search) (*Recommendations, error) {
	defer runtime.KeepAlive(l)
	return find(k, 1, l.catalog, search,
		func(items *C.int32_t, scores *C.float, met *C.alterrec_search_report,
			how *C.alterrec_search) C.alterrec_status {
			return C.alterrec_live_session_top_k(items, scores, met, l.p, C.int64_t(k), how)
		})
}

// TopKMany gives the lists of many sessions of one recommender, in one search.
func TopKMany(sessions []*LiveSession, k int, search *Search) (*Recommendations, error) {
	defer runtime.KeepAlive(sessions)
	var catalog int64
	if len(sessions) > 0 && sessions[0] != nil {
		catalog = sessions[0].catalog
	}
	handles := handlesOf(sessions)
	return find(k, int64(len(sessions)), catalog, search,
		func(items *C.int32_t, scores *C.float, met *C.alterrec_search_report,
			how *C.alterrec_search) C.alterrec_status {
			return C.alterrec_live_sessions_top_k(items, scores, met, unsafe.SliceData(handles),
				C.int64_t(len(handles)), C.int64_t(k), how)
		})
}

// Score fills the scores of given items, all [items]; nil: not wanted.
func (l *LiveSession) Score(fused, id, text []float32, items []int32, search *Search) error {
	defer runtime.KeepAlive(l)
	for _, scores := range [][]float32{fused, id, text} {
		if scores != nil && len(scores) != len(items) {
			return wrong("%d scores, %d items", len(scores), len(items))
		}
	}
	return search.with(func(how *C.alterrec_search) C.alterrec_status {
		return C.alterrec_live_session_score(floats(fused), floats(id), floats(text), l.p,
			int32s(items), C.int64_t(len(items)), how)
	})
}

// MarshalBinary gives items and exclusions as bytes, for UnmarshalBinary.
func (l *LiveSession) MarshalBinary() ([]byte, error) {
	defer runtime.KeepAlive(l)
	bytes := make([]byte, C.alterrec_live_session_size(l.p))
	return bytes, call(func() C.alterrec_status {
		return C.alterrec_live_session_serialize(unsafe.Pointer(unsafe.SliceData(bytes)), l.p,
			C.size_t(len(bytes)))
	})
}

// UnmarshalBinary replaces what the session holds by what the bytes say, which may come from a
// session of another recommender over as many items. Bytes of any content are safe.
func (l *LiveSession) UnmarshalBinary(bytes []byte) error {
	defer runtime.KeepAlive(l)
	return call(func() C.alterrec_status {
		return C.alterrec_live_session_restore(l.p, unsafe.Pointer(unsafe.SliceData(bytes)),
			C.size_t(len(bytes)))
	})
}
