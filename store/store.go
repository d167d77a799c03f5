// Package store is where the state of rollouts outlives the process.
//
// It owns records: one per service, each a revision and bytes it does not look into. Writes are compare-and-swap on the
// revision and all records of one Save are written or none. With a record come the things that happened to its service:
// rollouts that ended, each with its report, and entries of the audit; of these it keeps so many, and forgets the oldest. It
// does not know what a rollout is, does not retry and does not decide what a failure means: the caller does.
//
// Concurrency: every Store may be used by several goroutines at once.
package store

import (
	"errors"
	"fmt"
	"time"
)

// ErrConflict says that a record was not at the revision its writer had seen: somebody else wrote it. Nothing was
// written. Test for it with errors.Is.
var ErrConflict = errors.New("the record has another revision")

// ErrLocked says that another process has the file open. Test for it with errors.Is.
var ErrLocked = errors.New("another instance runs")

// ErrNewer says that the file was written by a later version, in a schema that this one does not know. The file is left
// as it is. Test for it with errors.Is.
var ErrNewer = errors.New("written by a later version of Haldane")

// What is kept at most.
const (
	// EndingsPerService is how many ended rollouts of one service are kept.
	EndingsPerService = 50
	// EndingsMost is how many are kept of all services together.
	EndingsMost = 1000
	// AuditMost is how many entries of the audit are kept.
	AuditMost = 10_000
)

// Record is what is remembered of one service.
type Record struct {
	// Service is the name of the service, and the key. Never empty.
	Service string
	// Revision counts the writes of the record. In Load it is the stored one. In Save it is the one that the writer last
	// saw, zero for a record that must not exist yet; the record is stored with Revision+1.
	Revision uint64
	// Value is the state, as its owner encoded it.
	Value []byte
	// Endings and Audit are stored in the same transaction, or not at all. To store one again replaces it. Load leaves
	// them out.
	Endings []Ending
	Audit   []Entry
}

// Ending is a rollout that ended.
type Ending struct {
	// ID is the rollout's, and the key. Never empty.
	ID string
	// Service is the service it was a rollout of.
	Service string
	// Ended is when.
	Ended time.Time
	// Summary is what a list shows of it, Report is the whole. Ended leaves the report out.
	Summary, Report []byte
}

// Entry is one line of the audit.
type Entry struct {
	// Time is when it happened.
	Time time.Time
	// Key tells it from others of the same time. Never empty.
	Key string
	// Value is the entry, as its owner encoded it.
	Value []byte
}

// Store remembers records.
type Store interface {
	// Load returns all records, sorted by service. The values are the caller's own.
	Load() ([]Record, error)
	// Save writes all records in one transaction, or none of them when it returns an error. An error that is ErrConflict
	// names the first service whose stored revision is not that of its record. No record may be named twice.
	Save(records []Record) error
	// Delete forgets the records of services in one transaction, but not what has ended. Names that are not stored are
	// ignored.
	Delete(services []string) error
	// Ended returns the rollouts of a service that have ended, or of all services for an empty name; the latest first.
	Ended(service string) ([]Ending, error)
	// Report returns the report of a rollout that has ended; nil when there is none.
	Report(id string) ([]byte, error)
	// Audit returns the latest entries, at most so many, the latest first.
	Audit(most int) ([]Entry, error)
	// Damage says why what was stored is lost, so that the store begins empty; nil when nothing is. It stays, over restarts,
	// until Accept.
	Damage() error
	// Accept ends Damage: what follows from it has been stored.
	Accept() error
	// Close frees the store. Any later call but Damage returns an error.
	Close() error
}

// checkRecords refuses what no store may write: records without a name, and two for the same service, which could not
// both be at their revision.
func checkRecords(records []Record) error {
	seen := make(map[string]struct{}, len(records))
	for i := range records {
		r := &records[i]
		if r.Service == "" {
			return errors.New("a record without a service")
		}
		if _, twice := seen[r.Service]; twice {
			return fmt.Errorf("two records for service %q", r.Service)
		}
		seen[r.Service] = struct{}{}
		for j := range r.Endings {
			if r.Endings[j].ID == "" {
				return fmt.Errorf("service %q: an ended rollout without an id", r.Service)
			}
		}
		for j := range r.Audit {
			if r.Audit[j].Key == "" {
				return fmt.Errorf("service %q: an entry of the audit without a key", r.Service)
			}
		}
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
