package app

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"haldane/store"
)

// A disk that takes nothing is no reason not to serve; another process and a later version are.
func TestFull(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.ENOSPC: true, syscall.EROFS: true, syscall.EIO: true, syscall.EDQUOT: true,
		store.ErrLocked: false, store.ErrNewer: false, syscall.EACCES: false, errors.New("other"): false,
	} {
		if got := full(fmt.Errorf("open: %w", err)); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
