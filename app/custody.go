package app

import (
	"errors"
	"path/filepath"
	"sync"

	"haldane/config"
	"haldane/store"
)

// errReleased is what a store says that another process has.
var errReleased = errors.New("another process is taking over")

// custody is the store of this process, which it can let go of, and take back when nothing comes of that.
type custody struct {
	path string // "" for memory

	mu   sync.Mutex
	open store.Store // nil while it is let go of
}

// newCustody opens the store.
func newCustody(cfg config.State) (*custody, error) {
	if cfg.Store == config.StoreMemory {
		return &custody{open: store.NewMemory()}, nil
	}
	c := &custody{path: filepath.Join(cfg.Directory, "haldane.db")}
	return c, c.reclaim()
}

// release closes the file, so that another process can open it. What is only in memory stays.
func (c *custody) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == "" {
		return nil
	}
	err := c.open.Close()
	c.open = nil
	return err
}

// reclaim opens the file.
func (c *custody) reclaim() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open != nil {
		return nil
	}
	opened, err := store.OpenFile(c.path)
	if err != nil {
		return err
	}
	c.open = opened
	return nil
}

// current is the store, if this process has it.
func (c *custody) current() (store.Store, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		return nil, errReleased
	}
	return c.open, nil
}

// Load implements store.Store.
func (c *custody) Load() ([]store.Record, error) {
	s, err := c.current()
	if err != nil {
		return nil, err
	}
	return s.Load()
}

// Save implements store.Store.
func (c *custody) Save(records []store.Record) error {
	s, err := c.current()
	if err != nil {
		return err
	}
	return s.Save(records)
}

// Delete implements store.Store.
func (c *custody) Delete(services []string) error {
	s, err := c.current()
	if err != nil {
		return err
	}
	return s.Delete(services)
}

// Close implements store.Store. A store that was let go of is closed already.
func (c *custody) Close() error {
	s, err := c.current()
	if err != nil {
		return nil
	}
	return s.Close()
}
