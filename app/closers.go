package app

import (
	"errors"
	"fmt"
)

// closers is a stack of named things to close, last opened first.
type closers struct{ stack []closer }

type closer struct {
	name string
	run  func() error
}

// add is called right next to where the thing is opened.
func (c *closers) add(name string, run func() error) {
	c.stack = append(c.stack, closer{name, run})
}

// close closes everything once, in reverse order, and joins the errors.
func (c *closers) close() error {
	var errs []error
	for len(c.stack) > 0 {
		top := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		if err := top.run(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", top.name, err))
		}
	}
	return errors.Join(errs...)
}
