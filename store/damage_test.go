package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// schema1.db was written by a version that knew nothing of schemas.
func TestFileOfTheFirstSchemaIsBroughtUpToDate(t *testing.T) {
	old, err := os.ReadFile("testdata/schema1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := openFile(t, path)
		wantRecords(t, s, record("cart", 1, `{"version":1,"revision":3}`), record("shop", 2, `{"version":1,"revision":2}`))
		if s.Damage() != nil {
			t.Error(s.Damage())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := openFile(t, path)
	defer s.Close()
	save(t, s, with(record("shop", 2, "c"), []Ending{ending("shop", 1)}, nil))
	wantEnded(t, s, "shop", listed(ending("shop", 1)))
}

func TestFileOfALaterVersionIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openFile(t, path)
	save(t, s, record("shop", 0, "a"))
	err := s.(*file).db.Update(func(tx *bbolt.Tx) error {
		text := binary.BigEndian.AppendUint64(nil, schemaVersion+1)
		return tx.Bucket([]byte(bucketSchema)).Put([]byte(versionKey), seal([]byte(versionKey), text))
	})
	if err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed, error %v", err)
	}
}

// busyFile is the path of a file with a past, and what is in it now and was before the last transaction.
func busyFile(t *testing.T) (path string, now, before []Record) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	s := openFile(t, path)
	for i := range uint64(20) {
		save(t, s,
			with(Record{Service: "shop", Revision: i, Value: bigValue(i)[:9000]}, []Ending{ending("shop", int(i))}, []Entry{entry(int(i), "a")}),
			record("cart", i, fmt.Sprint(i)), record(fmt.Sprint("other", i), 0, "x"))
	}
	before = loaded(t, s)
	save(t, s, record("cart", 20, "last"))
	now = loaded(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, now, before
}

func loaded(t *testing.T, s Store) []Record {
	t.Helper()
	records, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// survives opens a file with these bytes: what it holds is what was written, or it is empty and says why. Then it can be used.
func survives(t *testing.T, what string, data []byte, allowed ...[]Record) (damage error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenFile(path)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer s.Close()
	got, err := s.Load()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if damage = s.Damage(); damage != nil {
		if len(got) != 0 {
			t.Errorf("%s: %v, and yet there are %d records", what, damage, len(got))
		}
		if kept, err := filepath.Glob(path + ".damaged-*"); len(data) > 0 && (err != nil || len(kept) != 1 || !strings.Contains(damage.Error(), kept[0])) {
			t.Errorf("%s: %q does not say where the file is: %v", what, damage, kept)
		}
	} else if !someEqual(got, allowed) {
		t.Errorf("%s: nobody noticed: %s", what, cmp.Diff(allowed[0], got))
	}
	revision := uint64(0)
	for _, r := range got {
		if r.Service == "shop" {
			revision = r.Revision
		}
	}
	if err := s.Save([]Record{with(record("shop", revision, "new"), []Ending{ending("shop", 99)}, []Entry{entry(99, "z")})}); err != nil {
		t.Errorf("%s: save: %v", what, err)
	}
	if _, err := s.Ended(""); err != nil {
		t.Errorf("%s: history: %v", what, err)
	}
	if _, err := s.Audit(AuditMost); err != nil {
		t.Errorf("%s: audit: %v", what, err)
	}
	return damage
}

func someEqual(got []Record, allowed [][]Record) bool {
	for _, want := range allowed {
		if cmp.Equal(want, got) {
			return true
		}
	}
	return false
}

func TestFlippedBytes(t *testing.T) {
	path, now, before := busyFile(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped, noticed := 0, 0
	const step = 1999
	for at := 0; at < len(data); at++ {
		if inHead := at%os.Getpagesize() < 40 && at%11 == 0; !inHead && at%step != 0 {
			continue
		}
		bad := bytes.Clone(data)
		bad[at] ^= byte(1 << (at % 8))
		flipped++
		if survives(t, fmt.Sprintf("byte %d", at), bad, now, before) != nil {
			noticed++
		}
	}
	t.Logf("%d bytes flipped in %d, %d times damage", flipped, len(data), noticed)
	if noticed == 0 {
		t.Error("damage was never noticed")
	}
}

func TestTruncatedFile(t *testing.T) {
	path, now, _ := busyFile(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 15, 16, 63, 79, 80, 1024, 4095, 4096, 4176, 8191, 8192, 12288, len(data) / 3, len(data) / 2} {
		if survives(t, fmt.Sprintf("%d bytes", size), data[:size], now) == nil {
			t.Errorf("%d of %d bytes are no damage", size, len(data))
		}
	}
	survives(t, "a page less", data[:len(data)-os.Getpagesize()], now) // which may be a free one
}

func TestGarbageIsMovedAside(t *testing.T) {
	garbage := bytes.Repeat([]byte("not a database "), 2000)
	if survives(t, "garbage", garbage) == nil {
		t.Error("garbage is a database")
	}
}

// A process that is killed before it has acted on a loss leaves the knowledge of it to the next one.
func TestDamageStaysUntilItIsAccepted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	var first string
	for i := range 4 {
		s := openFile(t, path)
		switch damage := s.Damage(); {
		case i == 0:
			first = damage.Error()
		case i < 3 && (damage == nil || damage.Error() != first):
			t.Errorf("start %d: damage %v, want %s", i, damage, first)
		case i == 3 && damage != nil:
			t.Errorf("it was accepted, and is said again: %v", damage)
		}
		if i == 2 {
			if err := s.Accept(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Pages that lead to each other would end the process with a full stack.
func TestPageThatLeadsToItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openFile(t, path)
	for i := range 500 {
		save(t, s, Record{Service: fmt.Sprintf("service %d", i), Value: bigValue(1)[:300]})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size, loops := os.Getpagesize(), 0
	for at := 2 * size; at < len(data); at += size {
		if binary.NativeEndian.Uint16(data[at+8:]) != pageBranch {
			continue
		}
		binary.NativeEndian.PutUint64(data[at+pageHead+8:], binary.NativeEndian.Uint64(data[at:]))
		loops++
	}
	if loops == 0 {
		t.Fatal("there is no branch in the file")
	}
	if damage := survives(t, "loop", data); damage == nil || !strings.Contains(damage.Error(), "two places") {
		t.Errorf("damage %v", damage)
	}
}

func TestSubstituteSaysWhy(t *testing.T) {
	why := errors.New("no space")
	s := NewSubstitute(why)
	if s.Damage() != why {
		t.Error(s.Damage())
	}
}

// A file that is in order but lacks a record would let its rollout begin again.
func TestMissingRecordIsMissed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := openFile(t, path)
	save(t, s, record("cart", 0, "b"), record("shop", 0, "a"))
	err := s.(*file).db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucketRollouts)).Delete([]byte("shop")) })
	if err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	s = openFile(t, path)
	defer s.Close()
	if damage := s.Damage(); damage == nil || !strings.Contains(damage.Error(), "of 2 records 1 are there") {
		t.Errorf("damage %v", damage)
	}
	wantRecords(t, s)
	if kept, err := filepath.Glob(path + ".damaged-*"); err != nil || len(kept) != 1 {
		t.Errorf("the file is not kept: %v, error %v", kept, err)
	}
}
