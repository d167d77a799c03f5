package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// errDamaged says that bytes are not those that were written.
var errDamaged = errors.New("the file is damaged")

// The stored form of a record: its revision (big endian), a checksum of key, revision and value, the value.
const (
	revisionSize = 8
	checkSize    = 4
)

// stored is a record as it is stored.
type stored struct {
	revision uint64
	check    uint32
	value    []byte
}

// checksum is CRC-32C (RFC 3720 section 12.1) of all parts.
func checksum(parts ...[]byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once by the library
	var sum uint32
	for _, part := range parts {
		sum = crc32.Update(sum, table, part)
	}
	return sum
}

// encode is the stored form of a record.
func encode(key []byte, revision uint64, value []byte) ([]byte, stored) {
	out := make([]byte, 0, revisionSize+checkSize+len(value))
	out = binary.BigEndian.AppendUint64(out, revision)
	check := checksum(key, out, value)
	out = binary.BigEndian.AppendUint32(out, check)
	return append(out, value...), stored{revision: revision, check: check}
}

// decode is the inverse of encode. The value aliases v.
func decode(key, v []byte) (stored, error) {
	if len(v) < revisionSize+checkSize {
		return stored{}, fmt.Errorf("%w: service %q: a record of %d bytes is cut off", errDamaged, key, len(v))
	}
	s := stored{
		revision: binary.BigEndian.Uint64(v),
		check:    binary.BigEndian.Uint32(v[revisionSize:]),
		value:    v[revisionSize+checkSize:],
	}
	if s.check != checksum(key, v[:revisionSize], s.value) {
		return stored{}, fmt.Errorf("%w: service %q: the checksum of the record is wrong", errDamaged, key)
	}
	return s, nil
}

// sum is a checksum of all records together: without it a record that is missing would not be missed, and its rollout would
// begin again.
type sum struct {
	number uint64
	check  uint32 // of each record, combined by exclusive or
}

// sumKey is where the sum is stored, in the bucket of the schema.
const sumKey = "sum"

func (s *sum) add(r stored)    { s.number++; s.check ^= r.check }
func (s *sum) remove(r stored) { s.number--; s.check ^= r.check }

// readSum is the stored one.
func readSum(tx *bbolt.Tx) (sum, error) {
	v := tx.Bucket([]byte(bucketSchema)).Get([]byte(sumKey))
	if len(v) != revisionSize+checkSize {
		return sum{}, fmt.Errorf("%w: there is no checksum of the records", errDamaged)
	}
	return sum{number: binary.BigEndian.Uint64(v), check: binary.BigEndian.Uint32(v[revisionSize:])}, nil
}

// write stores it.
func (s *sum) write(tx *bbolt.Tx) error {
	v := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, s.number), s.check)
	if err := tx.Bucket([]byte(bucketSchema)).Put([]byte(sumKey), v); err != nil {
		return fmt.Errorf("the checksum of the records: %w", err)
	}
	return nil
}

// checkSum holds all records to it.
func checkSum(tx *bbolt.Tx) error {
	want, err := readSum(tx)
	if err != nil {
		return err
	}
	var have sum
	err = tx.Bucket([]byte(bucketRollouts)).ForEach(func(k, v []byte) error {
		r, err := decode(k, v)
		have.add(r)
		return err
	})
	if err == nil && have != want {
		err = fmt.Errorf("%w: of %d records %d are there, or they are others", errDamaged, want.number, have.number)
	}
	return err
}

// seal puts a checksum of key and value in front of a value.
func seal(key, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, checksum(key, value)), value...)
}

// unseal is the inverse; false when the bytes are not those that were written.
func unseal(key, v []byte) ([]byte, bool) {
	if len(v) < checkSize || binary.BigEndian.Uint32(v) != checksum(key, v[checkSize:]) {
		return nil, false
	}
	return v[checkSize:], true
}
