package store

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockTimeout is how long a second process waits for the first to let go of the file: enough for a quick restart, short
// enough that a mistake is noticed.
const lockTimeout = time.Second

// file keeps records in a bbolt file: a transaction is on the disk when it returns, and a process that is killed at any
// moment leaves the last committed one.
type file struct {
	db     *bbolt.DB
	path   string
	damage error // set once
}

// OpenFile opens the file at path, or creates it with mode 0600; its folder must exist. It waits at most a second for
// another process that has it open and then returns ErrLocked. A file of an earlier version is brought up to date; one of a
// later version is ErrNewer. A damaged file is moved aside, to the same name with ".damaged-" and the time behind it, and an
// empty one takes its place: Damage says so.
func OpenFile(path string) (Store, error) {
	found, err := inspect(path)
	if err != nil {
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	if err := guarded(func() error { return create(path) }); err != nil {
		return nil, fmt.Errorf("make state file %s: %w", path, err)
	}
	f := &file{path: path}
	err = guarded(func() error { return f.open(found) })
	if errors.Is(err, errDamaged) && found == nil { // what no look at the pages has found
		f.close()
		if found, err = setAside(path, err); err == nil {
			err = guarded(func() error { return f.open(found) })
		}
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("open state file %s: %w", path, err)
	}
	sweep(path)
	return f, nil
}

// close frees a file that could not be opened.
func (f *file) close() {
	if f.db != nil {
		_ = guarded(f.db.Close) // there is a better error already
		f.db = nil
	}
}

// open opens the file, whose pages are in order. damage is that of the file before; nil for none.
func (f *file) open(damage error) error {
	db, err := bbolt.Open(f.path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", errDamaged, err)
	case err != nil:
		return err
	}
	f.db = db
	if f.damage, err = prepare(db, damage); err != nil {
		return err
	}
	return db.View(checkSum)
}

// guarded does something with the file. What bbolt answers damage with, a panic or a memory fault, becomes an error.
func guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return do()
}

// view reads in one transaction.
func (f *file) view(what string, do func(*bbolt.Tx) error) error {
	if err := guarded(func() error { return f.db.View(do) }); err != nil {
		return fmt.Errorf("%s from %s: %w", what, f.path, err)
	}
	return nil
}

// update writes in one transaction.
func (f *file) update(what string, do func(*bbolt.Tx) error) error {
	if err := guarded(func() error { return f.db.Update(do) }); err != nil {
		return fmt.Errorf("%s to %s: %w", what, f.path, err)
	}
	return nil
}

// Load implements Store.
func (f *file) Load() ([]Record, error) {
	var out []Record
	err := f.view("load rollouts", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketRollouts)).ForEach(func(k, v []byte) error {
			r, err := decode(k, v)
			if err != nil {
				return err
			}
			// bbolt's bytes live in its memory map and end with the transaction.
			out = append(out, Record{Service: string(k), Revision: r.revision, Value: slices.Clone(r.value)})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Save implements Store.
func (f *file) Save(records []Record) error {
	if err := checkRecords(records); err != nil {
		return fmt.Errorf("save rollouts to %s: %w", f.path, err)
	}
	return f.update("save rollouts", func(tx *bbolt.Tx) error { return put(tx, records) })
}

// put writes the records. An error rolls the transaction back.
func put(tx *bbolt.Tx, records []Record) error {
	bucket := tx.Bucket([]byte(bucketRollouts))
	total, err := readSum(tx)
	if err != nil {
		return err
	}
	var endings []Ending
	var audit []Entry
	for _, r := range records {
		key := []byte(r.Service)
		var before stored
		if v := bucket.Get(key); v != nil {
			if before, err = decode(key, v); err != nil {
				return err
			}
			total.remove(before)
		}
		if err := checkRevision(r, before.revision); err != nil {
			return err
		}
		text, after := encode(key, r.Revision+1, r.Value)
		if err := bucket.Put(key, text); err != nil {
			return fmt.Errorf("service %q: %w", r.Service, err)
		}
		total.add(after)
		endings, audit = append(endings, r.Endings...), append(audit, r.Audit...)
	}
	if err := total.write(tx); err != nil {
		return err
	}
	return errors.Join(putEndings(tx, endings), putAudit(tx, audit))
}

// Delete implements Store.
func (f *file) Delete(services []string) error {
	return f.update("delete rollouts", func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(bucketRollouts))
		total, err := readSum(tx)
		if err != nil {
			return err
		}
		for _, name := range services {
			key := []byte(name)
			v := bucket.Get(key)
			if v == nil {
				continue
			}
			before, err := decode(key, v)
			if err != nil {
				return err
			}
			total.remove(before)
			if err := bucket.Delete(key); err != nil {
				return fmt.Errorf("service %q: %w", name, err)
			}
		}
		return total.write(tx)
	})
}

// Close implements Store.
func (f *file) Close() error {
	if err := guarded(f.db.Close); err != nil {
		return fmt.Errorf("close state file %s: %w", f.path, err)
	}
	return nil
}
