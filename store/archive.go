package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Ended rollouts and the audit in the file. Nothing is decided by them, so an entry that is damaged is left out and costs
// nothing else.

// timed is a key that sorts by time.
func timed(t time.Time, key string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())), key...)
}

// timeOf and restOf are the parts of such a key.
func timeOf(key []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(key))).UTC()
}

func restOf(key []byte) string { return string(key[8:]) }

// putEndings stores ended rollouts, each in the place of one with its id, and forgets the oldest ones.
func putEndings(tx *bbolt.Tx, endings []Ending) error {
	if len(endings) == 0 {
		return nil
	}
	history, reports := tx.Bucket([]byte(bucketHistory)), tx.Bucket([]byte(bucketReports))
	for i := range endings {
		e := &endings[i]
		key := timed(e.Ended, e.ID)
		if err := dropEnding(history, e.ID); err != nil {
			return err
		}
		text := binary.AppendUvarint(nil, uint64(len(e.Service)))
		text = append(append(text, e.Service...), e.Summary...)
		if err := history.Put(key, seal(key, text)); err != nil {
			return fmt.Errorf("rollout %s: %w", e.ID, err)
		}
		if err := reports.Put([]byte(e.ID), seal([]byte(e.ID), e.Report)); err != nil {
			return fmt.Errorf("report of rollout %s: %w", e.ID, err)
		}
	}
	return trimEndings(history, reports)
}

// dropEnding forgets the summary of a rollout, whenever it ended.
func dropEnding(history *bbolt.Bucket, id string) error {
	var gone [][]byte
	cursor := history.Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		if len(k) > 8 && restOf(k) == id {
			gone = append(gone, slices.Clone(k))
		}
	}
	for _, k := range gone {
		if err := history.Delete(k); err != nil {
			return fmt.Errorf("rollout %s: %w", id, err)
		}
	}
	return nil
}

// trimEndings forgets what there is no room for.
func trimEndings(history, reports *bbolt.Bucket) error {
	var room quota
	var gone [][]byte
	cursor := history.Cursor()
	for k, v := cursor.Last(); k != nil; k, v = cursor.Prev() {
		e, whole := readEnding(k, v)
		if !whole || !room.take(e.Service) {
			gone = append(gone, slices.Clone(k))
		}
	}
	for _, k := range gone {
		if err := history.Delete(k); err != nil {
			return fmt.Errorf("forget an ended rollout: %w", err)
		}
		if len(k) <= 8 {
			continue
		}
		if err := reports.Delete(k[8:]); err != nil {
			return fmt.Errorf("forget a report: %w", err)
		}
	}
	return nil
}

// readEnding reads a summary; false when it is damaged.
func readEnding(k, v []byte) (Ending, bool) {
	text, whole := unseal(k, v)
	if !whole || len(k) <= 8 {
		return Ending{}, false
	}
	length, n := binary.Uvarint(text)
	if n <= 0 || length > uint64(len(text)-n) {
		return Ending{}, false
	}
	service, summary := text[n:n+int(length)], text[n+int(length):]
	return Ending{ID: restOf(k), Service: string(service), Ended: timeOf(k), Summary: bytes.Clone(summary)}, true
}

// Ended implements Store.
func (f *file) Ended(service string) ([]Ending, error) {
	var list []Ending
	err := f.view("list ended rollouts", func(tx *bbolt.Tx) error {
		cursor := tx.Bucket([]byte(bucketHistory)).Cursor()
		for k, v := cursor.Last(); k != nil; k, v = cursor.Prev() {
			if e, whole := readEnding(k, v); whole && (service == "" || e.Service == service) {
				list = append(list, e)
			}
		}
		return nil
	})
	return list, err
}

// Report implements Store.
func (f *file) Report(id string) ([]byte, error) {
	var text []byte
	err := f.view("read a report", func(tx *bbolt.Tx) error {
		v := tx.Bucket([]byte(bucketReports)).Get([]byte(id))
		if v == nil {
			return nil
		}
		report, whole := unseal([]byte(id), v)
		if !whole {
			return fmt.Errorf("%w: the checksum of the report %s is wrong", errDamaged, id)
		}
		text = bytes.Clone(report)
		return nil
	})
	return text, err
}

// putAudit stores entries of the audit and forgets the oldest ones.
func putAudit(tx *bbolt.Tx, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	bucket := tx.Bucket([]byte(bucketAudit))
	for i := range entries {
		key := timed(entries[i].Time, entries[i].Key)
		if err := bucket.Put(key, seal(key, entries[i].Value)); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
	}
	var gone [][]byte
	kept := 0
	cursor := bucket.Cursor()
	for k, _ := cursor.Last(); k != nil; k, _ = cursor.Prev() {
		if kept++; kept > AuditMost {
			gone = append(gone, slices.Clone(k))
		}
	}
	for _, k := range gone {
		if err := bucket.Delete(k); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
	}
	return nil
}

// Audit implements Store.
func (f *file) Audit(most int) ([]Entry, error) {
	var list []Entry
	err := f.view("read the audit", func(tx *bbolt.Tx) error {
		cursor := tx.Bucket([]byte(bucketAudit)).Cursor()
		for k, v := cursor.Last(); k != nil && len(list) < most; k, v = cursor.Prev() {
			if value, whole := unseal(k, v); whole && len(k) > 8 {
				list = append(list, Entry{Time: timeOf(k), Key: restOf(k), Value: bytes.Clone(value)})
			}
		}
		return nil
	})
	return list, err
}
