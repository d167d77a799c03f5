// Package store is where the state of rollouts outlives the process.
//
// It owns records: one per service, each a revision and bytes it does not look into. Writes are compare-and-swap on the
// revision and all records of one Save are written or none. It does not know what a rollout is, does not retry and does
// not decide what a failure means: the caller does.
//
// Concurrency: every Store may be used by several goroutines at once.
package store

import (
	"errors"
	"fmt"
)

// ErrConflict says that a record was not at the revision its writer had seen: somebody else wrote it. Nothing was
// written. Test for it with errors.Is.
var ErrConflict = errors.New("the record has another revision")

// ErrLocked says that another process has the file open. Test for it with errors.Is.
var ErrLocked = errors.New("another instance runs")

// Record is what is remembered of one service.
type Record struct {
	// Service is the name of the service, and the key. Never empty.
	Service string
	// Revision counts the writes of the record. In Load it is the stored one. In Save it is the one that the writer last
	// saw, zero for a record that must not exist yet; the record is stored with Revision+1.
	Revision uint64
	// Value is the state, as its owner encoded it.
	Value []byte
}

// Store remembers records.
type Store interface {
	// Load returns all records, sorted by service. The values are the caller's own.
	Load() ([]Record, error)
	// Save writes all records in one transaction, or none of them when it returns an error. An error that is ErrConflict
	// names the first service whose stored revision is not that of its record. No record may be named twice.
	Save(records []Record) error
	// Delete forgets services in one transaction. Names that are not stored are ignored.
	Delete(services []string) error
	// Close frees the store. Any later call returns an error.
	Close() error
}

// checkRecords refuses what no store may write: records without a name, and two for the same service, which could not
// both be at their revision.
func checkRecords(records []Record) error {
	seen := make(map[string]struct{}, len(records))
	for _, r := range records {
		if r.Service == "" {
			return errors.New("a record without a service")
		}
		if _, twice := seen[r.Service]; twice {
			return fmt.Errorf("two records for service %q", r.Service)
		}
		seen[r.Service] = struct{}{}
	}
	return nil
}

// checkRevision is the compare of compare-and-swap.
func checkRevision(r Record, stored uint64) error {
	if r.Revision != stored {
		return fmt.Errorf("service %q: %w: written from %d, stored is %d", r.Service, ErrConflict, r.Revision, stored)
	}
	return nil
}
