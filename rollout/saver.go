package rollout

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"haldane/store"
)

const (
	// saveTimeout is how long a rollout waits for the disk. All rollouts wait meanwhile, so it is short: a disk that hangs
	// must not blind the judge.
	saveTimeout = time.Second
	// drainTimeout is how long a stopping manager waits for a save that hangs.
	drainTimeout = 5 * time.Second
)

var errSlow = fmt.Errorf("the store has not answered for %s", saveTimeout)

// saver writes records, one transaction at a time, and does not wait for a store that hangs. It belongs to whoever holds the
// manager's lock.
type saver struct {
	store store.Store
	open  *transaction // in the store's hands; nil for none

	failures uint64 // saves that did not work
}

// transaction is a save that was handed to the store.
type transaction struct {
	drafts []draft
	done   chan error // gets the store's answer, has room for it
	late   bool       // nobody waits any more
}

// draft is a record on its way to the store.
type draft struct {
	r      *runner
	record store.Record
}

// save writes the drafts in one transaction. With an error they may or may not be stored: see relearn.
func (v *saver) save(drafts []draft) (err error) {
	if len(drafts) == 0 {
		return nil
	}
	defer func() {
		if err != nil {
			v.failures++
		}
	}()
	if v.open != nil {
		if err := v.settle(); errors.Is(err, errSlow) {
			return err
		}
	}
	records := make([]store.Record, len(drafts))
	for i, d := range drafts {
		d.record.Revision = d.r.stored
		drafts[i], records[i] = d, d.record
	}
	t := &transaction{drafts: drafts, done: make(chan error, 1)}
	v.open = t
	go func() { t.done <- v.store.Save(records) }()
	return v.settle()
}

// settle waits for the open transaction, but only once.
func (v *saver) settle() error {
	t := v.open
	if t.late {
		select {
		case err := <-t.done:
			return v.close(t, err)
		default:
			return errSlow
		}
	}
	timer := time.NewTimer(saveTimeout)
	defer timer.Stop()
	select {
	case err := <-t.done:
		return v.close(t, err)
	case <-timer.C:
		t.late = true
		return errSlow
	}
}

// close takes note of the store's answer.
func (v *saver) close(t *transaction, err error) error {
	v.open = nil
	if errors.Is(err, store.ErrConflict) {
		v.relearn(t.drafts)
		return err
	}
	for _, d := range t.drafts {
		if err != nil {
			d.r.failed = d.record.Value
			continue
		}
		d.r.stored, d.r.failed = d.record.Revision+1, nil
		d.r.owed.settle(&d.record)
	}
	return err
}

// relearn heals a conflict with ourselves: a save that ended with an error, but whose bytes had reached the disk.
func (v *saver) relearn(drafts []draft) {
	records, err := v.store.Load()
	if err != nil {
		return // the next save meets the same conflict and asks again
	}
	for _, record := range records {
		for _, d := range drafts {
			if d.record.Service == record.Service && d.r.failed != nil && bytes.Equal(d.r.failed, record.Value) {
				d.r.stored, d.r.failed = record.Revision, nil
			}
		}
	}
}

// delete forgets services. It does not wait for a store that hangs: they are forgotten another time.
func (v *saver) delete(services []string) error {
	if len(services) == 0 {
		return nil
	}
	if v.open != nil {
		if err := v.settle(); errors.Is(err, errSlow) {
			return err
		}
	}
	return v.store.Delete(services)
}

// drain waits for the open transaction for the last time.
func (v *saver) drain() error {
	if v.open == nil {
		return nil
	}
	timer := time.NewTimer(drainTimeout)
	defer timer.Stop()
	select {
	case err := <-v.open.done:
		return v.close(v.open, err)
	case <-timer.C:
		return errSlow
	}
}
