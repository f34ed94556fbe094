package alterrec

// #include <alterrec/alterrec.h>
import "C"

import (
	"runtime"
	"unsafe"
)

// Model is the parameters of both towers.
type Model struct {
	p       *C.alterrec_model
	guard   *guard
	catalog *Catalog
	config  *Config
}

func (m *Model) lend(err error) (*Model, error) {
	if err != nil {
		return nil, err
	}
	p := m.p
	m.guard = newGuard(func() { C.alterrec_model_free(p) })
	m.catalog = &Catalog{C.alterrec_model_catalog(m.p), m.guard}
	m.config = &Config{C.alterrec_model_config(m.p), m.guard}
	return m, nil
}

// NewModel makes one with fresh parameters.
func NewModel(catalog *Catalog, config *Config) (*Model, error) {
	defer runtime.KeepAlive(catalog)
	defer runtime.KeepAlive(config)
	m := &Model{}
	return m.lend(call(func() C.alterrec_status {
		return C.alterrec_model_create(&m.p, catalog.pointer(), config.pointer())
	}))
}

// LoadModel opens a model file.
func LoadModel(path string) (*Model, error) {
	m := &Model{}
	return m.lend(withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_model_load(&m.p, p)
	}))
}

// Close frees it; the catalog and options that it lent are empty from then on.
func (m *Model) Close() {
	m.catalog.p, m.config.p, m.p = nil, nil, nil
	m.guard.close()
}

// Save writes a model file.
func (m *Model) Save(path string) error {
	defer runtime.KeepAlive(m)
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_model_save(m.p, p)
	})
}

// Import sets parameters from a safetensors file.
func (m *Model) Import(path string) error {
	defer runtime.KeepAlive(m)
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_model_import(m.p, p)
	})
}

// AddItems puts items behind those of the catalog; texts and features ([items, feature dim]) may
// be nil. A catalog that the model lent before is empty afterwards.
func (m *Model) AddItems(keys, texts []string, features []float32) error {
	defer runtime.KeepAlive(m)
	if texts != nil && len(texts) != len(keys) {
		return wrong("%d keys, %d texts", len(keys), len(texts))
	}
	if features != nil {
		dim := m.catalog.FeatureDim()
		if err := sized("features", len(features), int64(len(keys)), dim); err != nil {
			return err
		}
	}
	err := withStrings(keys, texts, func(k, t **C.char) C.alterrec_status {
		return C.alterrec_model_add_items(m.p, k, t, floats(features), C.int64_t(len(keys)))
	})
	if err == nil {
		m.catalog.p = nil
		m.catalog = &Catalog{C.alterrec_model_catalog(m.p), m.guard}
	}
	return err
}

// Catalog gives the model's catalog, valid until AddItems.
func (m *Model) Catalog() *Catalog { return m.catalog }

// Config gives the options that the model was made with.
func (m *Model) Config() *Config { return m.config }

// Dim is the option model.dim.
func (m *Model) Dim() int64 {
	defer runtime.KeepAlive(m)
	return int64(C.alterrec_model_dim(m.p))
}

// Tensor is a parameter tensor's name and shape.
type Tensor struct {
	Name  string
	Shape []int64
}

// Tensors describes every parameter tensor.
func (m *Model) Tensors() ([]Tensor, error) {
	defer runtime.KeepAlive(m)
	tensors := make([]Tensor, C.alterrec_model_tensor_count(m.p))
	for i := range tensors {
		t := C.alterrec_tensor{struct_size: C.sizeof_alterrec_tensor}
		err := call(func() C.alterrec_status {
			return C.alterrec_model_tensor_describe(&t, m.p, C.int64_t(i))
		})
		if err != nil {
			return nil, err
		}
		tensors[i] = tensorOf(&t)
	}
	return tensors, nil
}

// Tensor describes one parameter tensor.
func (m *Model) Tensor(name string) (Tensor, error) {
	defer runtime.KeepAlive(m)
	t := C.alterrec_tensor{struct_size: C.sizeof_alterrec_tensor}
	err := withString(name, func(n *C.char) C.alterrec_status {
		return C.alterrec_model_tensor_find(&t, m.p, n)
	})
	if err != nil {
		return Tensor{}, err
	}
	return tensorOf(&t), nil
}

func tensorOf(t *C.alterrec_tensor) Tensor {
	found := Tensor{Name: C.GoString(t.name)}
	for d := 0; d < int(t.dims); d++ {
		found.Shape = append(found.Shape, int64(t.shape[d]))
	}
	return found
}

// GetTensor copies the values of a tensor out.
func (m *Model) GetTensor(values []float32, name string) error {
	defer runtime.KeepAlive(m)
	return withString(name, func(n *C.char) C.alterrec_status {
		return C.alterrec_model_get_tensor(floats(values), m.p, n, C.int64_t(len(values)))
	})
}

// SetTensor sets the values of a tensor.
func (m *Model) SetTensor(name string, values []float32) error {
	defer runtime.KeepAlive(m)
	return withString(name, func(n *C.char) C.alterrec_status {
		return C.alterrec_model_set_tensor(m.p, n, floats(values), C.int64_t(len(values)))
	})
}

// ItemVectors fills [items, dim] of one tower.
func (m *Model) ItemVectors(vectors []float32, tower int32) error {
	defer runtime.KeepAlive(m)
	if err := sized("vectors", len(vectors), m.catalog.Items(), m.Dim()); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_model_item_vectors(floats(vectors), m.p, C.int32_t(tower))
	})
}

// SessionVectors fills [sessions, dim] of one tower.
func (m *Model) SessionVectors(vectors []float32, tower int32, batch *Batch) error {
	defer runtime.KeepAlive(m)
	defer runtime.KeepAlive(batch)
	if err := sized("vectors", len(vectors), batch.Count(), m.Dim()); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_model_session_vectors(floats(vectors), m.p, C.int32_t(tower), batch.p)
	})
}

// Score fills [sessions, items].
func (m *Model) Score(scores []float32, scorer int32, batch *Batch) error {
	defer runtime.KeepAlive(m)
	defer runtime.KeepAlive(batch)
	if err := sized("scores", len(scores), batch.Count(), m.catalog.Items()); err != nil {
		return err
	}
	return call(func() C.alterrec_status {
		return C.alterrec_model_score(floats(scores), m.p, C.int32_t(scorer), batch.p)
	})
}

// ChooseAlpha chooses the weight of the fusion, and gives the metric at each of `points` weights.
func (m *Model) ChooseAlpha(valid *Sessions, points int, config *Config) (float64, []float64, error) {
	defer runtime.KeepAlive(m)
	defer runtime.KeepAlive(valid)
	defer runtime.KeepAlive(config)
	var alpha float64
	curve := make([]float64, min(max(points, 0), 1001)) // the library refuses more
	err := call(func() C.alterrec_status {
		return C.alterrec_model_choose_alpha((*C.double)(&alpha),
			(*C.double)(unsafe.Pointer(unsafe.SliceData(curve))), m.p, valid.pointer(),
			C.int64_t(points), config.pointer())
	})
	return alpha, curve, err
}
