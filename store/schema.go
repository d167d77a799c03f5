package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// The buckets of the file.
const (
	// bucketSchema holds what is to be known about the file itself.
	bucketSchema = "schema"
	// bucketRollouts holds the records; the keys are the names of services.
	bucketRollouts = "rollouts"
	// bucketHistory holds the summaries of ended rollouts, by time and id; bucketReports their reports, by id.
	bucketHistory = "history"
	bucketReports = "reports"
	// bucketAudit holds the audit, by time.
	bucketAudit = "audit"
)

// buckets are all of the present schema.
func buckets() []string {
	return []string{bucketSchema, bucketRollouts, bucketHistory, bucketReports, bucketAudit}
}

const (
	// schemaVersion is the one that is written. Version 1 had one bucket, records without checksums, and said nothing about
	// itself.
	schemaVersion = 2
	// versionKey and lostKey are keys in the bucket of the schema: the version, and why what was stored is lost.
	versionKey = "version"
	lostKey    = "lost"
)

// prepare makes a file what this version writes: a new one, or one of an earlier version. It writes only where it must, so that
// a full disk does not matter to a file that is up to date. damage is that of a file that was here before; what is returned is
// that, or that of an earlier process that has not come to act on it.
func prepare(db *bbolt.DB, damage error) (lost, err error) {
	version := uint64(0)
	err = db.View(func(tx *bbolt.Tx) error {
		if version, err = readVersion(tx); err != nil {
			return err
		}
		if version == schemaVersion && damage == nil {
			if text := tx.Bucket([]byte(bucketSchema)).Get([]byte(lostKey)); text != nil {
				lost = errors.New(string(text))
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case version > schemaVersion:
		return nil, fmt.Errorf("%w: its schema is %d, this one knows %d", ErrNewer, version, schemaVersion)
	case version == schemaVersion && damage == nil:
		return lost, nil
	}
	return damage, db.Update(func(tx *bbolt.Tx) error { return migrate(tx, version, damage) })
}

// readVersion is the version of the file's schema; 0 for a new file.
func readVersion(tx *bbolt.Tx) (uint64, error) {
	have := map[string]bool{}
	err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error { have[string(name)] = true; return nil })
	if err != nil {
		return 0, err
	}
	switch {
	case len(have) == 0:
		return 0, nil
	case len(have) == 1 && have[bucketRollouts]:
		return 1, nil
	case !have[bucketSchema]:
		return 0, fmt.Errorf("%w: it does not say what it is", errDamaged)
	}
	text, whole := unseal([]byte(versionKey), tx.Bucket([]byte(bucketSchema)).Get([]byte(versionKey)))
	if !whole || len(text) != 8 {
		return 0, fmt.Errorf("%w: the version of its schema cannot be read", errDamaged)
	}
	version := binary.BigEndian.Uint64(text)
	for _, name := range buckets() {
		if version == schemaVersion && !have[name] {
			return 0, fmt.Errorf("%w: its bucket %s is missing", errDamaged, name)
		}
	}
	return version, nil
}

// migrate writes the present schema over an earlier one, in one transaction.
func migrate(tx *bbolt.Tx, version uint64, damage error) error {
	for _, name := range buckets() {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return fmt.Errorf("make the bucket %s: %w", name, err)
		}
	}
	schema := tx.Bucket([]byte(bucketSchema))
	if damage != nil {
		if err := schema.Put([]byte(lostKey), []byte(damage.Error())); err != nil {
			return fmt.Errorf("note that the state is lost: %w", err)
		}
	}
	if version < schemaVersion {
		if err := addChecksums(tx); err != nil {
			return fmt.Errorf("bring schema %d up to date: %w", version, err)
		}
	}
	text := binary.BigEndian.AppendUint64(nil, schemaVersion)
	if err := schema.Put([]byte(versionKey), seal([]byte(versionKey), text)); err != nil {
		return fmt.Errorf("note the schema: %w", err)
	}
	return nil
}

// addChecksums is the way from version 1, whose records were a revision and a value, to version 2.
func addChecksums(tx *bbolt.Tx) error {
	bucket := tx.Bucket([]byte(bucketRollouts))
	var total sum
	records := map[string][]byte{} // a bucket must not be changed while it is walked
	err := bucket.ForEach(func(k, v []byte) error {
		if len(v) < revisionSize {
			return fmt.Errorf("%w: service %q: a record of %d bytes is cut off", errDamaged, k, len(v))
		}
		text, r := encode(k, binary.BigEndian.Uint64(v), v[revisionSize:])
		records[string(k)] = text
		total.add(r)
		return nil
	})
	if err != nil {
		return err
	}
	for name, text := range records {
		if err := bucket.Put([]byte(name), text); err != nil {
			return fmt.Errorf("service %q: %w", name, err)
		}
	}
	return total.write(tx)
}

// Damage implements Store.
func (f *file) Damage() error { return f.damage }

// Accept implements Store.
func (f *file) Accept() error {
	return f.update("accept the loss of the state", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketSchema)).Delete([]byte(lostKey))
	})
}
