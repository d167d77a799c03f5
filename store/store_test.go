package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// opener makes an empty store for one test.
type opener func(t *testing.T) Store

// Every store keeps the same promises.
func TestConformance(t *testing.T) {
	stores := map[string]opener{
		"memory": func(*testing.T) Store { return NewMemory() },
		"file": func(t *testing.T) Store {
			s, err := OpenFile(filepath.Join(t.TempDir(), "state.db"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	}
	promises := map[string]func(*testing.T, Store){
		"empty":                      isEmpty,
		"saves and loads":            savesAndLoads,
		"counts revisions":           countsRevisions,
		"refuses a stale writer":     refusesStale,
		"all or nothing":             allOrNothing,
		"two records of a service":   refusesTwice,
		"no name":                    refusesNameless,
		"deletes":                    deletes,
		"a deleted one starts again": startsAgain,
		"values are copies":          copies,
		"writers take turns":         takeTurns,
		"closed":                     closed,
		"keeps what ended":           keepsEndings,
		"bounds what ended":          boundsEndings,
		"an ending once":             endingOnce,
		"keeps the audit":            keepsAudit,
		"bounds the audit":           boundsAudit,
		"nothing of a failed save":   nothingOfFailed,
		"nameless endings":           refusesNamelessEndings,
	}
	for kind, open := range stores {
		for name, promise := range promises {
			t.Run(kind+"/"+name, func(t *testing.T) {
				s := open(t)
				t.Cleanup(func() { _ = s.Close() })
				promise(t, s)
			})
		}
	}
}

func save(t *testing.T, s Store, records ...Record) {
	t.Helper()
	if err := s.Save(records); err != nil {
		t.Fatal(err)
	}
}

func wantRecords(t *testing.T, s Store, want ...Record) {
	t.Helper()
	got, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

func record(service string, revision uint64, value string) Record {
	return Record{Service: service, Revision: revision, Value: []byte(value)}
}

func isEmpty(t *testing.T, s Store) {
	wantRecords(t, s)
	save(t, s)
	wantRecords(t, s)
}

func savesAndLoads(t *testing.T, s Store) {
	save(t, s, record("shop", 0, "a"), record("cart", 0, "b"))
	wantRecords(t, s, record("cart", 1, "b"), record("shop", 1, "a"))
}

func countsRevisions(t *testing.T, s Store) {
	for i := range uint64(5) {
		save(t, s, record("shop", i, fmt.Sprint(i)))
	}
	wantRecords(t, s, record("shop", 5, "4"))
}

func refusesStale(t *testing.T, s Store) {
	save(t, s, record("shop", 0, "a"))
	for _, revision := range []uint64{0, 2, 1 << 63} {
		err := s.Save([]Record{record("shop", revision, "b")})
		if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "shop") {
			t.Errorf("from revision %d: error %v is no conflict that names the service", revision, err)
		}
	}
	if err := s.Save([]Record{record("cart", 1, "b")}); !errors.Is(err, ErrConflict) {
		t.Errorf("a record that does not exist has revision 0, got error %v", err)
	}
	wantRecords(t, s, record("shop", 1, "a"))
}

func allOrNothing(t *testing.T, s Store) {
	save(t, s, record("shop", 0, "a"))
	if err := s.Save([]Record{record("cart", 0, "b"), record("shop", 1, "c"), record("user", 7, "d")}); !errors.Is(err, ErrConflict) {
		t.Fatalf("error %v is no conflict", err)
	}
	wantRecords(t, s, record("shop", 1, "a"))
}

func refusesTwice(t *testing.T, s Store) {
	if err := s.Save([]Record{record("shop", 0, "a"), record("shop", 1, "b")}); err == nil || errors.Is(err, ErrConflict) {
		t.Errorf("two records of one service: error %v", err)
	}
	wantRecords(t, s)
}

func refusesNameless(t *testing.T, s Store) {
	if err := s.Save([]Record{record("shop", 0, "a"), record("", 0, "b")}); err == nil {
		t.Error("a record without a service was taken")
	}
	wantRecords(t, s)
}

func deletes(t *testing.T, s Store) {
	save(t, s, record("shop", 0, "a"), record("cart", 0, "b"), record("user", 0, "c"))
	if err := s.Delete([]string{"user", "nobody", "shop"}); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, s, record("cart", 1, "b"))
}

func startsAgain(t *testing.T, s Store) {
	save(t, s, record("shop", 0, "a"))
	if err := s.Delete([]string{"shop"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Save([]Record{record("shop", 1, "b")}); !errors.Is(err, ErrConflict) {
		t.Errorf("a deleted record has no revision, got error %v", err)
	}
	save(t, s, record("shop", 0, "c"))
	wantRecords(t, s, record("shop", 1, "c"))
}

func copies(t *testing.T, s Store) {
	value := []byte("abc")
	save(t, s, Record{Service: "shop", Value: value})
	value[0] = 'x'
	loaded, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	loaded[0].Value[1] = 'y'
	wantRecords(t, s, record("shop", 1, "abc"))
}

// takeTurns: of many writers that all saw the same revision, one wins.
func takeTurns(t *testing.T, s Store) {
	var group sync.WaitGroup
	var mu sync.Mutex
	var winners int
	for i := range 8 {
		group.Go(func() {
			err := s.Save([]Record{record("shop", 0, fmt.Sprint(i))})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winners++
			} else if !errors.Is(err, ErrConflict) {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if winners != 1 {
		t.Errorf("%d writers won", winners)
	}
}

func closed(t *testing.T, s Store) {
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err == nil {
		t.Error("a closed store loads")
	}
	if err := s.Save([]Record{record("shop", 0, "a")}); err == nil {
		t.Error("a closed store saves")
	}
	if err := s.Delete([]string{"shop"}); err == nil {
		t.Error("a closed store deletes")
	}
}
