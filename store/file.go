package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long a second process waits for the first to let go of the file: enough for a quick restart, short
// enough that a mistake is noticed.
const lockTimeout = time.Second

// bucketName is the one bucket of the file; its keys are the names of services.
const bucketName = "rollouts"

// revisionSize is the length of the revision (big endian) in front of each value.
const revisionSize = 8

// file keeps records in a bbolt file: a transaction is on the disk when it returns, and a process that is killed at any
// moment leaves the last committed one.
type file struct {
	db   *bbolt.DB
	path string
}

// OpenFile opens the file at path, or creates it with mode 0600; its folder must exist. It waits at most a second for
// another process that has it open and then returns ErrLocked.
func OpenFile(path string) (Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open state file %s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte(bucketName))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prepare state file %s: %w", path, errors.Join(err, db.Close()))
	}
	return &file{db: db, path: path}, nil
}

// Load implements Store.
func (f *file) Load() ([]Record, error) {
	var out []Record
	err := f.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketName)).ForEach(func(k, v []byte) error {
			revision, value, err := decode(v)
			if err != nil {
				return fmt.Errorf("service %q: %w", k, err)
			}
			// bbolt's bytes live in its memory map and end with the transaction.
			out = append(out, Record{Service: string(k), Revision: revision, Value: slices.Clone(value)})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("load rollouts from %s: %w", f.path, err)
	}
	return out, nil
}

// Save implements Store.
func (f *file) Save(records []Record) error {
	err := checkRecords(records)
	if err == nil {
		err = f.db.Update(func(tx *bbolt.Tx) error { return put(tx.Bucket([]byte(bucketName)), records) })
	}
	if err != nil {
		return fmt.Errorf("save rollouts to %s: %w", f.path, err)
	}
	return nil
}

// put writes the records into the bucket. An error rolls the transaction back.
func put(bucket *bbolt.Bucket, records []Record) error {
	for _, r := range records {
		key := []byte(r.Service)
		var stored uint64
		if v := bucket.Get(key); v != nil {
			revision, _, err := decode(v)
			if err != nil {
				return fmt.Errorf("service %q: %w", r.Service, err)
			}
			stored = revision
		}
		if err := checkRevision(r, stored); err != nil {
			return err
		}
		if err := bucket.Put(key, encode(r)); err != nil {
			return fmt.Errorf("service %q: %w", r.Service, err)
		}
	}
	return nil
}

// Delete implements Store.
func (f *file) Delete(services []string) error {
	err := f.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(bucketName))
		for _, name := range services {
			if err := bucket.Delete([]byte(name)); err != nil {
				return fmt.Errorf("service %q: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete rollouts from %s: %w", f.path, err)
	}
	return nil
}

// Close implements Store.
func (f *file) Close() error {
	if err := f.db.Close(); err != nil {
		return fmt.Errorf("close state file %s: %w", f.path, err)
	}
	return nil
}

// encode is the stored form of a record: its next revision, then the value.
func encode(r Record) []byte {
	out := make([]byte, 0, revisionSize+len(r.Value))
	out = binary.BigEndian.AppendUint64(out, r.Revision+1)
	return append(out, r.Value...)
}

// decode is the inverse of encode. The value aliases v.
func decode(v []byte) (revision uint64, value []byte, err error) {
	if len(v) < revisionSize {
		return 0, nil, fmt.Errorf("a record of %d bytes is cut off", len(v))
	}
	return binary.BigEndian.Uint64(v), v[revisionSize:], nil
}
