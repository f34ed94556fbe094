package alterrec

// #include "callbacks.h"
import "C"

import (
	"runtime"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// Filter is what may be recommended at all. Fill it, then share it.
type Filter struct {
	p *C.alterrec_filter
}

// NewFilter makes one that allows all items.
func NewFilter(items int64) (*Filter, error) {
	f := &Filter{}
	err := call(func() C.alterrec_status {
		return C.alterrec_filter_create(&f.p, C.int64_t(items))
	})
	return made(f, (*Filter).Close, err)
}

// Close frees it.
func (f *Filter) Close() {
	C.alterrec_filter_free(f.p)
	f.p = nil
	runtime.SetFinalizer(f, nil)
}

// AllowBitmap allows only the items whose bit is 1, eight a byte, the lowest first.
func (f *Filter) AllowBitmap(bits []byte, items int64) error {
	defer runtime.KeepAlive(f)
	if err := sized("bits", len(bits), items/8+min(items%8, 1), 1); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_filter_allow_bitmap(f.p,
			(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bits))), C.int64_t(items))
	})
}

// AllowOnly allows only these items.
func (f *Filter) AllowOnly(items []int32) error {
	defer runtime.KeepAlive(f)
	return call(func() C.alterrec_status {
		return C.alterrec_filter_allow_only(f.p, int32s(items), C.int64_t(len(items)))
	})
}

// Exclude allows none of these items.
func (f *Filter) Exclude(items []int32) error {
	defer runtime.KeepAlive(f)
	return call(func() C.alterrec_status {
		return C.alterrec_filter_exclude(f.p, int32s(items), C.int64_t(len(items)))
	})
}

// Cap lets at most perList items of a category into a list; categories: one an item.
func (f *Filter) Cap(categories []int32, perList int64) error {
	defer runtime.KeepAlive(f)
	return call(func() C.alterrec_status {
		return C.alterrec_filter_cap(f.p, int32s(categories), C.int64_t(len(categories)),
			C.int64_t(perList))
	})
}

// Search is how a call searches. The zero value, or nil, is exact, over all items.
type Search struct {
	Filter     *Filter
	Threads    int32
	Candidates int64
	Fusion     FusionFunc // nil: the weighted sum
}

// with calls with the struct that C has for how to search.
func (s *Search) with(inside func(how *C.alterrec_search) C.alterrec_status) error {
	defer runtime.KeepAlive(s)
	how := &C.alterrec_search{struct_size: C.sizeof_alterrec_search}
	if s != nil {
		how.threads = C.int32_t(s.Threads)
		how.candidates = C.int64_t(s.Candidates)
		if s.Filter != nil {
			how.filter = s.Filter.p
		}
		if s.Fusion != nil {
			handle := cgo.NewHandle(s.Fusion)
			defer handle.Delete()
			// A handle in the place of an address must not lie where Go looks for addresses.
			held := (*C.alterrec_search)(C.malloc(C.sizeof_alterrec_search))
			defer C.free(unsafe.Pointer(held))
			*held = *how
			C.search_by_fusion(held, C.uintptr_t(handle))
			how = held
		}
	}
	return call(func() C.alterrec_status { return inside(how) })
}

// Recommendations are the best K items of each session, row after row; -1 where there are no more.
type Recommendations struct {
	K                             int
	Items                         []int32
	Scores                        []float32
	Guaranteed, Reranked, Rescans int64
}

// find makes room for the k best of so many sessions, of `most` items in all, and has a function of C
// fill it. k is bounded before memory of its size is taken; the library says what is wrong with it.
func find(k int, sessions, most int64, search *Search, fill func(*C.int32_t, *C.float,
	*C.alterrec_search_report, *C.alterrec_search) C.alterrec_status) (*Recommendations, error) {
	size := min(max(int64(k), 0), most) * sessions
	best := &Recommendations{K: k, Items: make([]int32, size), Scores: make([]float32, size)}
	met := C.alterrec_search_report{struct_size: C.sizeof_alterrec_search_report}
	err := search.with(func(how *C.alterrec_search) C.alterrec_status {
		return fill(int32s(best.Items), floats(best.Scores), &met, how)
	})
	if err != nil {
		return nil, err
	}
	best.Guaranteed, best.Reranked = int64(met.guaranteed), int64(met.reranked)
	best.Rescans = int64(met.rescans)
	return best, nil
}

// List gives the items of one session.
func (r *Recommendations) List(session int) []int32 {
	list := r.Items[session*r.K : (session+1)*r.K]
	for i, item := range list {
		if item < 0 {
			return list[:i]
		}
	}
	return list
}

// Recommender is an immutable serving snapshot. Any number of goroutines use it at once, each with
// a Batch of its own; calls under way when it is closed come to their end.
type Recommender struct {
	p       *C.alterrec_recommender
	guard   *guard
	catalog *Catalog
	ending  sync.Mutex
}

// hold gives the snapshot for one call, and what ends the hold. The lock is not held during the call:
// a fusion that calls the recommender again would wait for a Close that waits for it.
func (r *Recommender) hold() (*C.alterrec_recommender, func()) {
	r.ending.Lock()
	defer r.ending.Unlock()
	p := C.alterrec_recommender_hold(r.p)
	return p, func() { C.alterrec_recommender_free(p) }
}

// NewRecommender makes one of the model as it is now.
func NewRecommender(model *Model, config *Config) (*Recommender, error) {
	defer runtime.KeepAlive(model)
	defer runtime.KeepAlive(config)
	r := &Recommender{}
	return r.guarded(call(func() C.alterrec_status {
		return C.alterrec_recommender_create(&r.p, model.p, config.pointer())
	}))
}

// OpenRecommender maps a file that Save wrote, which must not be changed while it is open; of config
// compute.threads and serve.verify count.
func OpenRecommender(path string, config *Config) (*Recommender, error) {
	defer runtime.KeepAlive(config)
	r := &Recommender{}
	return r.guarded(withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_recommender_open(&r.p, p, config.pointer())
	}))
}

// Save writes all that serving needs to one file.
func (r *Recommender) Save(path string) error {
	p, end := r.hold()
	defer end()
	return withString(path, func(path *C.char) C.alterrec_status {
		return C.alterrec_recommender_save(p, path)
	})
}

// guarded completes a recommender that was made without err.
func (r *Recommender) guarded(err error) (*Recommender, error) {
	if err != nil {
		return nil, err
	}
	p := r.p
	r.guard = newGuard(func() { C.alterrec_recommender_free(p) })
	r.catalog = &Catalog{C.alterrec_recommender_catalog(r.p), r.guard}
	return r, nil
}

// Close frees it; the catalog that it lent is empty from then on.
func (r *Recommender) Close() {
	r.ending.Lock()
	defer r.ending.Unlock()
	r.catalog.p, r.p = nil, nil
	r.guard.close()
}

func itemsOf(p *C.alterrec_recommender) int64 {
	return int64(C.alterrec_catalog_items(C.alterrec_recommender_catalog(p)))
}

// Catalog gives the catalog of its items.
func (r *Recommender) Catalog() *Catalog { return r.catalog }

// TopK gives the best k items of every session of the batch.
func (r *Recommender) TopK(batch *Batch, k int, search *Search) (*Recommendations, error) {
	p, end := r.hold()
	defer end()
	defer runtime.KeepAlive(batch)
	return find(k, batch.Count(), itemsOf(p), search,
		func(items *C.int32_t, scores *C.float, met *C.alterrec_search_report,
			how *C.alterrec_search) C.alterrec_status {
			return C.alterrec_recommender_top_k(items, scores, met, p, batch.p, C.int64_t(k), how)
		})
}

// Score fills the scores of given items, all [sessions, count]; nil: not wanted.
func (r *Recommender) Score(fused, id, text []float32, batch *Batch, items []int32,
	search *Search) error {
	p, end := r.hold()
	defer end()
	defer runtime.KeepAlive(batch)
	rows := max(batch.Count(), 1)
	count := int64(len(items)) / rows
	for _, scores := range [][]float32{fused, id, text} {
		if scores != nil && len(scores) != len(items) || int64(len(items)) != rows*count {
			return wrong("not as many scores as items, or no list for each session")
		}
	}
	return search.with(func(how *C.alterrec_search) C.alterrec_status {
		return C.alterrec_recommender_score(floats(fused), floats(id), floats(text), p, batch.p,
			int32s(items), C.int64_t(count), how)
	})
}

// Width is that of the vectors below.
func (r *Recommender) Width() int64 {
	p, end := r.hold()
	defer end()
	return int64(C.alterrec_recommender_width(p))
}

// ItemVectors fills [count, width], of the items from first on.
func (r *Recommender) ItemVectors(vectors []float32, first, count int64) error {
	p, end := r.hold()
	defer end()
	if err := sized("vectors", len(vectors), count, int64(C.alterrec_recommender_width(p))); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_recommender_item_vectors(floats(vectors), p, C.int64_t(first),
			C.int64_t(count))
	})
}

// SessionVectors fills [sessions, width].
func (r *Recommender) SessionVectors(vectors []float32, batch *Batch) error {
	p, end := r.hold()
	defer end()
	width := int64(C.alterrec_recommender_width(p))
	if err := sized("vectors", len(vectors), batch.Count(), width); err != nil {
		return err
	}
	defer runtime.KeepAlive(batch)
	return call(func() C.alterrec_status {
		return C.alterrec_recommender_session_vectors(floats(vectors), p, batch.p)
	})
}

// WriteItemVectors writes all items' vectors as a .npy file.
func (r *Recommender) WriteItemVectors(path string) error {
	p, end := r.hold()
	defer end()
	return withString(path, func(path *C.char) C.alterrec_status {
		return C.alterrec_recommender_write_item_vectors(p, path)
	})
}

// WriteSessionVectors writes the vectors of the batch's sessions as a .npy file.
func (r *Recommender) WriteSessionVectors(batch *Batch, path string) error {
	p, end := r.hold()
	defer end()
	defer runtime.KeepAlive(batch)
	return withString(path, func(path *C.char) C.alterrec_status {
		return C.alterrec_recommender_write_session_vectors(p, batch.p, path)
	})
}
