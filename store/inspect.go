package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lockRetry is how often a lock is tried.
const lockRetry = 20 * time.Millisecond

// inspect looks at the file before bbolt does, which trusts what it reads: a page that leads to itself would end the process. A
// damaged file is moved aside. It returns what was wrong with it; nil for nothing.
func inspect(path string) (damage, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator says where the state is
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := lock(f); err != nil { // what somebody writes would look damaged
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(info, now) { //nolint:gosec // as above
		return inspect(path) // another process has moved it aside while we waited for the lock
	}
	if info.Size() == 0 { // nothing to be moved aside; another process that has just made it may have it open
		return errors.New("the state file is empty"), nil
	}
	switch err := checkPages(f, info.Size()); {
	case errors.Is(err, errDamaged):
		return setAside(path, err)
	case err != nil:
		return nil, err
	}
	return nil, nil
}

// lock takes the lock that bbolt takes. Closing the file lets go of it.
func lock(f *os.File) error {
	for deadline := time.Now().Add(lockTimeout); ; time.Sleep(lockRetry) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("lock: %w", err)
		case time.Now().After(deadline):
			return ErrLocked
		}
	}
}

// readAt fills the buffer from the offset.
func readAt(r io.ReaderAt, buffer []byte, offset int64) error {
	_, err := r.ReadAt(buffer, offset)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends in the middle of a page", errDamaged)
	}
	return err
}
