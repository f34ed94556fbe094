package alterrec

// #include <alterrec/alterrec.h>
// #include <stdlib.h>
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Config is a value for every option. Where a *Config is an argument, nil stands for the defaults,
// or for the options of the model that the call is about.
type Config struct {
	p     *C.alterrec_config
	owner any // lends it; nil: its own
}

// NewConfig makes one with every option at its default.
func NewConfig() (*Config, error) {
	c := &Config{}
	err := call(func() C.alterrec_status { return C.alterrec_config_create(&c.p) })
	return made(c, (*Config).Close, err)
}

// ParseConfig makes one of the defaults and what the YAML text says.
func ParseConfig(yaml string) (*Config, error) {
	c, err := NewConfig()
	if err != nil {
		return nil, err
	}
	return c, c.ReadText(yaml)
}

// guard frees what lends views. The views keep it alive, and it does not know them: a circle with a
// finalizer in it would never be collected.
type guard struct{ free func() }

func newGuard(free func()) *guard {
	g := &guard{free}
	runtime.SetFinalizer(g, (*guard).close)
	return g
}

func (g *guard) close() {
	if g.free != nil {
		g.free()
		g.free = nil
	}
	runtime.SetFinalizer(g, nil)
}

// made hands out a new handle that the garbage collector closes at last.
func made[T any](handle *T, end func(*T), err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(handle, end)
	return handle, nil
}

func (c *Config) pointer() *C.alterrec_config {
	if c == nil {
		return nil
	}
	return c.p
}

// Close frees it.
func (c *Config) Close() {
	if c.owner == nil {
		C.alterrec_config_free(c.p)
	}
	c.p = nil
	runtime.SetFinalizer(c, nil)
}

// Clone makes a copy.
func (c *Config) Clone() (*Config, error) {
	defer runtime.KeepAlive(c)
	copied := &Config{}
	err := call(func() C.alterrec_status { return C.alterrec_config_clone(&copied.p, c.p) })
	return made(copied, (*Config).Close, err)
}

// Set sets an option from the value's text.
func (c *Config) Set(key string, value any) error {
	defer runtime.KeepAlive(c)
	if c.owner != nil {
		return wrong("a model's options cannot be set")
	}
	return withStrings([]string{key}, []string{fmt.Sprint(value)}, func(k, v **C.char) C.alterrec_status {
		return C.alterrec_config_set(c.p, *k, *v)
	})
}

// Get gives the value of an option as text.
func (c *Config) Get(key string) (string, error) {
	defer runtime.KeepAlive(c)
	var value *C.char
	err := withString(key, func(k *C.char) C.alterrec_status {
		return C.alterrec_config_get(&value, c.p, k)
	})
	return C.GoString(value), err
}

// Read sets options from a YAML file.
func (c *Config) Read(path string) error {
	defer runtime.KeepAlive(c)
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_config_read(c.p, p)
	})
}

// ReadText sets options from YAML.
func (c *Config) ReadText(yaml string) error {
	defer runtime.KeepAlive(c)
	text := C.CString(yaml) // with its length, so that C sees all of it
	defer C.free(unsafe.Pointer(text))
	return call(func() C.alterrec_status {
		return C.alterrec_config_read_text(c.p, text, C.size_t(len(yaml)))
	})
}

// Write writes every option as YAML.
func (c *Config) Write(path string) error {
	defer runtime.KeepAlive(c)
	return withString(path, func(p *C.char) C.alterrec_status {
		return C.alterrec_config_write(c.p, p)
	})
}

// Option is a row of the option table.
type Option struct {
	Key, Type, Default, Range, Help string
}

// Options gives the option table.
func Options() ([]Option, error) {
	rows := make([]Option, C.alterrec_option_count())
	for i := range rows {
		row := C.alterrec_option{struct_size: C.uint32_t(unsafe.Sizeof(C.alterrec_option{}))}
		err := call(func() C.alterrec_status {
			return C.alterrec_option_describe(&row, C.int64_t(i))
		})
		if err != nil {
			return nil, err
		}
		rows[i] = Option{C.GoString(row.key), C.GoString(row._type), C.GoString(row.default_value),
			C.GoString(row._range), C.GoString(row.help)}
	}
	return rows, nil
}
