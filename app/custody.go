package app

import (
	"errors"
	"path/filepath"
	"sync"
	"syscall"

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
	err := c.reclaim()
	if full(err) {
		// Traffic matters more than memory: everything is on its stable variant, and says why.
		return &custody{open: store.NewSubstitute(err)}, nil
	}
	return c, err
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

// full says whether the disk cannot be written to, which is no reason not to serve.
func full(err error) bool {
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
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

// Ended implements store.Store.
func (c *custody) Ended(service string) ([]store.Ending, error) {
	s, err := c.current()
	if err != nil {
		return nil, err
	}
	return s.Ended(service)
}

// Report implements store.Store.
func (c *custody) Report(id string) ([]byte, error) {
	s, err := c.current()
	if err != nil {
		return nil, err
	}
	return s.Report(id)
}

// Audit implements store.Store.
func (c *custody) Audit(most int) ([]store.Entry, error) {
	s, err := c.current()
	if err != nil {
		return nil, err
	}
	return s.Audit(most)
}

// Damage implements store.Store.
func (c *custody) Damage() error {
	s, err := c.current()
	if err != nil {
		return nil
	}
	return s.Damage()
}

// Accept implements store.Store.
func (c *custody) Accept() error {
	s, err := c.current()
	if err != nil {
		return err
	}
	return s.Accept()
}

// Close implements store.Store. A store that was let go of is closed already.
func (c *custody) Close() error {
	s, err := c.current()
	if err != nil {
		return nil
	}
	return s.Close()
}
