package alterrec

// #include <alterrec/alterrec.h>
// #include <stdlib.h>
import "C"

import (
	"runtime"
	"unsafe"
)

// Catalog is the items: keys, texts, text features. One that another handle lends is empty after
// that has closed.
type Catalog struct {
	p     *C.alterrec_catalog
	owner any // lends it; nil: its own
}

func (c *Catalog) pointer() *C.alterrec_catalog {
	if c == nil {
		return nil
	}
	return c.p
}

// NewCatalog makes one of keys (nil: "0", "1", ...) and texts (nil: none).
func NewCatalog(items int, keys, texts []string) (*Catalog, error) {
	if keys != nil && len(keys) != items || texts != nil && len(texts) != items {
		return nil, wrong("%d items, %d keys, %d texts", items, len(keys), len(texts))
	}
	c := &Catalog{}
	err := withStrings(keys, texts, func(k, t **C.char) C.alterrec_status {
		return C.alterrec_catalog_create(&c.p, k, t, C.int64_t(items))
	})
	return made(c, (*Catalog).Close, err)
}

// ReadCatalog reads an item file.
func ReadCatalog(path string, config *Config) (*Catalog, error) {
	defer runtime.KeepAlive(config)
	c := &Catalog{}
	err := withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_catalog_read(&c.p, p, config.pointer())
	})
	return made(c, (*Catalog).Close, err)
}

// Close frees it, unless another handle lends it.
func (c *Catalog) Close() {
	if c.owner == nil {
		C.alterrec_catalog_free(c.p)
	}
	c.p = nil
	runtime.SetFinalizer(c, nil)
}

func (c *Catalog) changeable() error {
	if c.owner != nil {
		return wrong("the catalog is another handle's and cannot be changed")
	}
	return nil
}

// SetFeatures sets the text features, [items, dim].
func (c *Catalog) SetFeatures(features []float32, dim int) error {
	defer runtime.KeepAlive(c)
	if err := sized("features", len(features), c.Items(), int64(dim)); err != nil {
		return err
	}
	if err := c.changeable(); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_catalog_set_features(c.p, floats(features), C.int64_t(c.Items()),
			C.int64_t(dim))
	})
}

// ReadFeatures reads the text features from a .npy file.
func (c *Catalog) ReadFeatures(path string) error {
	defer runtime.KeepAlive(c)
	if err := c.changeable(); err != nil {
		return err
	}
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_catalog_read_features(c.p, p)
	})
}

// HashFeatures makes the text features from the texts.
func (c *Catalog) HashFeatures(config *Config) error {
	defer runtime.KeepAlive(c)
	defer runtime.KeepAlive(config)
	if err := c.changeable(); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_catalog_hash_features(c.p, config.pointer())
	})
}

// Items is the number of items.
func (c *Catalog) Items() int64 {
	defer runtime.KeepAlive(c)
	return int64(C.alterrec_catalog_items(c.p))
}

// Key is an item's key, "" if there is no such item.
func (c *Catalog) Key(item int32) string {
	defer runtime.KeepAlive(c)
	return C.GoString(C.alterrec_catalog_key(c.p, C.int32_t(item)))
}

// Text is an item's text, "" if there is none.
func (c *Catalog) Text(item int32) string {
	defer runtime.KeepAlive(c)
	return C.GoString(C.alterrec_catalog_text(c.p, C.int32_t(item)))
}

// Find gives the item of that key, or -1.
func (c *Catalog) Find(key string) (item int32) {
	defer runtime.KeepAlive(c)
	if whole(key) != nil {
		return -1
	}
	text := C.CString(key)
	defer C.free(unsafe.Pointer(text))
	return int32(C.alterrec_catalog_find(c.p, text))
}

// FeatureDim is the features' dimension, 0 if there are none.
func (c *Catalog) FeatureDim() int64 {
	defer runtime.KeepAlive(c)
	return int64(C.alterrec_catalog_feature_dim(c.p))
}

// Features gives a copy of the features [items, dim], nil if there are none.
func (c *Catalog) Features() []float32 {
	defer runtime.KeepAlive(c)
	values := C.alterrec_catalog_features(c.p)
	if values == nil {
		return nil
	}
	lent := unsafe.Slice((*float32)(unsafe.Pointer(values)), c.Items()*c.FeatureDim())
	return append([]float32(nil), lent...)
}

// Sessions is an ordered set of sessions over one catalog.
type Sessions struct {
	p     *C.alterrec_sessions
	owner any
}

func (s *Sessions) pointer() *C.alterrec_sessions {
	if s == nil {
		return nil
	}
	return s.p
}

// NewSessions makes them of one slice a session.
func NewSessions(catalog *Catalog, lists [][]int32) (*Sessions, error) {
	items, offsets := []int32(nil), []int64{0}
	for _, list := range lists {
		items = append(items, list...)
		offsets = append(offsets, int64(len(items)))
	}
	return NewPackedSessions(catalog, items, offsets)
}

// NewPackedSessions makes them of items[offsets[s]:offsets[s+1]].
func NewPackedSessions(catalog *Catalog, items []int32, offsets []int64) (*Sessions, error) {
	defer runtime.KeepAlive(catalog)
	if len(offsets) == 0 || offsets[len(offsets)-1] > int64(len(items)) {
		return nil, wrong("the offsets do not end within the items")
	}
	s := &Sessions{}
	err := call(func() C.alterrec_status {
		return C.alterrec_sessions_create(&s.p, catalog.pointer(), int32s(items), int64s(offsets),
			C.int64_t(len(offsets)-1))
	})
	return made(s, (*Sessions).Close, err)
}

// ReadSessions reads sessions over a known catalog.
func ReadSessions(catalog *Catalog, path string, config *Config) (*Sessions, error) {
	defer runtime.KeepAlive(catalog)
	defer runtime.KeepAlive(config)
	s := &Sessions{}
	err := withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_sessions_read(&s.p, catalog.pointer(), p, config.pointer())
	})
	return made(s, (*Sessions).Close, err)
}

// Report says what reading them from a file met.
func (s *Sessions) Report() (DataReport, error) {
	defer runtime.KeepAlive(s)
	return dataReport(func(report *C.alterrec_data_report) C.alterrec_status {
		return C.alterrec_sessions_report(report, s.p)
	})
}

func dataReport(fill func(*C.alterrec_data_report) C.alterrec_status) (DataReport, error) {
	report := DataReport{size: uint32(unsafe.Sizeof(DataReport{}))}
	err := call(func() C.alterrec_status {
		return fill((*C.alterrec_data_report)(unsafe.Pointer(&report)))
	})
	return report, err
}

// Close frees them, unless another handle lends them.
func (s *Sessions) Close() {
	if s.owner == nil {
		C.alterrec_sessions_free(s.p)
	}
	s.p = nil
	runtime.SetFinalizer(s, nil)
}

// Count is the number of sessions.
func (s *Sessions) Count() int64 {
	defer runtime.KeepAlive(s)
	return int64(C.alterrec_sessions_count(s.p))
}

// Interactions is the number of items over all sessions.
func (s *Sessions) Interactions() int64 {
	defer runtime.KeepAlive(s)
	return int64(C.alterrec_sessions_interactions(s.p))
}

// Get gives a copy of one session's items.
func (s *Sessions) Get(index int64) ([]int32, error) {
	defer runtime.KeepAlive(s)
	var items *C.int32_t
	var length C.int64_t
	err := call(func() C.alterrec_status {
		return C.alterrec_sessions_get(&items, &length, s.p, C.int64_t(index))
	})
	if err != nil {
		return nil, err
	}
	return append([]int32(nil), unsafe.Slice((*int32)(unsafe.Pointer(items)), int(length))...), nil
}

// Dataset is everything one training needs.
type Dataset struct {
	p        *C.alterrec_dataset
	guard    *guard
	catalog  *Catalog
	sessions [3]*Sessions
}

// ReadDataset reads the files that the options data.* name.
func ReadDataset(config *Config) (*Dataset, error) {
	defer runtime.KeepAlive(config)
	d := &Dataset{}
	err := call(func() C.alterrec_status {
		return C.alterrec_dataset_read(&d.p, config.pointer())
	})
	if err != nil {
		return nil, err
	}
	handle := d.p
	d.guard = newGuard(func() { C.alterrec_dataset_free(handle) })
	d.catalog = &Catalog{C.alterrec_dataset_catalog(d.p), d.guard}
	for split := range d.sessions {
		p := C.alterrec_dataset_sessions(d.p, C.int32_t(split))
		if p != nil {
			d.sessions[split] = &Sessions{p, d.guard}
		}
	}
	return d, nil
}

// Close frees it; the catalog and sessions that it lent are empty from then on.
func (d *Dataset) Close() {
	d.catalog.Close()
	for _, sessions := range d.sessions {
		if sessions != nil {
			sessions.Close()
		}
	}
	d.p = nil
	d.guard.close()
}

// Catalog gives the dataset's catalog.
func (d *Dataset) Catalog() *Catalog {
	return d.catalog
}

// Train, Valid and Test give its sessions, nil if there are none.
func (d *Dataset) Train() *Sessions { return d.sessions[C.ALTERREC_SPLIT_TRAIN] }
func (d *Dataset) Valid() *Sessions { return d.sessions[C.ALTERREC_SPLIT_VALID] }
func (d *Dataset) Test() *Sessions  { return d.sessions[C.ALTERREC_SPLIT_TEST] }

// Report says what was read and what was dropped.
func (d *Dataset) Report() (DataReport, error) {
	defer runtime.KeepAlive(d)
	return dataReport(func(report *C.alterrec_data_report) C.alterrec_status {
		return C.alterrec_dataset_report(report, d.p)
	})
}

// Batch is sessions to score or to train on, and working memory: one a goroutine, used again.
type Batch struct {
	p *C.alterrec_batch
}

// NewBatch makes an empty one.
func NewBatch() (*Batch, error) {
	b := &Batch{}
	err := call(func() C.alterrec_status { return C.alterrec_batch_create(&b.p) })
	return made(b, (*Batch).Close, err)
}

// Close frees it.
func (b *Batch) Close() {
	C.alterrec_batch_free(b.p)
	b.p = nil
	runtime.SetFinalizer(b, nil)
}

// Clear removes all sessions and exclusions.
func (b *Batch) Clear() error {
	defer runtime.KeepAlive(b)
	return call(func() C.alterrec_status { return C.alterrec_batch_clear(b.p) })
}

// Add appends a session.
func (b *Batch) Add(items []int32) error {
	defer runtime.KeepAlive(b)
	return call(func() C.alterrec_status {
		return C.alterrec_batch_add(b.p, int32s(items), C.int64_t(len(items)))
	})
}

// AddLabelled appends a session to train on.
func (b *Batch) AddLabelled(items, labels []int32) error {
	defer runtime.KeepAlive(b)
	if len(items) != len(labels) {
		return wrong("%d items, %d labels", len(items), len(labels))
	}
	return call(func() C.alterrec_status {
		return C.alterrec_batch_add_labelled(b.p, int32s(items), int32s(labels),
			C.int64_t(len(items)))
	})
}

// SetNegatives names the negatives, [examples, perExample].
func (b *Batch) SetNegatives(negatives []int32, perExample int) error {
	defer runtime.KeepAlive(b)
	examples := b.Examples()
	if err := sized("negatives", len(negatives), examples, int64(perExample)); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_batch_set_negatives(b.p, int32s(negatives), C.int64_t(examples),
			C.int64_t(perExample))
	})
}

// Exclude keeps items from being recommended for one session; -1: for any of them.
func (b *Batch) Exclude(session int64, items []int32) error {
	defer runtime.KeepAlive(b)
	return call(func() C.alterrec_status {
		return C.alterrec_batch_exclude(b.p, C.int64_t(session), int32s(items),
			C.int64_t(len(items)))
	})
}

// ExcludeOwn says whether a session's own items are left out.
func (b *Batch) ExcludeOwn(exclude bool) error {
	defer runtime.KeepAlive(b)
	number := C.int32_t(0)
	if exclude {
		number = 1
	}
	return call(func() C.alterrec_status { return C.alterrec_batch_exclude_own(b.p, number) })
}

// Count is the number of sessions.
func (b *Batch) Count() int64 {
	defer runtime.KeepAlive(b)
	return int64(C.alterrec_batch_count(b.p))
}

// Examples is the number of labels.
func (b *Batch) Examples() int64 {
	defer runtime.KeepAlive(b)
	return int64(C.alterrec_batch_examples(b.p))
}
