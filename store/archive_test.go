package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func moment(seconds int) time.Time {
	return time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// ending is a rollout of a service that ended so late.
func ending(service string, seconds int) Ending {
	id := fmt.Sprintf("%s-%d", service, seconds)
	return Ending{ID: id, Service: service, Ended: moment(seconds), Summary: []byte("summary of " + id), Report: []byte("report of " + id)}
}

// with is a record that brings more.
func with(r Record, endings []Ending, audit []Entry) Record {
	r.Endings, r.Audit = endings, audit
	return r
}

func wantEnded(t *testing.T, s Store, service string, want ...Ending) {
	t.Helper()
	got, err := s.Ended(service)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ended of %q (-want +got):\n%s", service, diff)
	}
}

// listed is an ending as a list has it.
func listed(e Ending) Ending {
	e.Report = nil
	return e
}

func wantReport(t *testing.T, s Store, id, want string) {
	t.Helper()
	if got, err := s.Report(id); err != nil || string(got) != want {
		t.Errorf("report %s is %q, error %v, want %q", id, got, err, want)
	}
}

func keepsEndings(t *testing.T, s Store) {
	early, late, other := ending("shop", 1), ending("shop", 3), ending("cart", 2)
	save(t, s, with(record("shop", 0, "a"), []Ending{late, early}, nil), with(record("cart", 0, "a"), []Ending{other}, nil))
	wantEnded(t, s, "", listed(late), listed(other), listed(early))
	wantEnded(t, s, "shop", listed(late), listed(early))
	wantEnded(t, s, "none")
	wantReport(t, s, late.ID, "report of shop-3")
	wantReport(t, s, "none", "")
	if err := s.Delete([]string{"shop"}); err != nil {
		t.Fatal(err)
	}
	wantEnded(t, s, "shop", listed(late), listed(early))
	wantRecords(t, s, record("cart", 1, "a")) // Load leaves endings out
}

func boundsEndings(t *testing.T, s Store) {
	const services, each = 25, EndingsPerService + 3
	revision := uint64(0)
	for n := range services {
		var endings []Ending
		for i := range each {
			endings = append(endings, ending(fmt.Sprintf("s%02d", n), n*each+i))
		}
		save(t, s, with(record("shop", revision, "a"), endings, nil))
		revision++
	}
	all, err := s.Ended("")
	if err != nil || len(all) != EndingsMost {
		t.Fatalf("%d ended rollouts, error %v", len(all), err)
	}
	latest, err := s.Ended("s24")
	if err != nil || len(latest) != EndingsPerService || latest[0].ID != fmt.Sprintf("s24-%d", services*each-1) {
		t.Errorf("%d of one service, error %v", len(latest), err)
	}
	wantEnded(t, s, "s00") // 20 services of 50 leave no room for the first ones
	wantReport(t, s, "s00-52", "")
	wantReport(t, s, fmt.Sprintf("s24-%d", 24*each), "") // of its service's 53 the first three are gone
	wantReport(t, s, latest[0].ID, "report of "+latest[0].ID)
}

// endingOnce: what may have been stored already is stored again.
func endingOnce(t *testing.T, s Store) {
	first, second := ending("shop", 1), ending("shop", 1)
	second.Ended, second.Report = moment(9), []byte("other")
	save(t, s, with(record("shop", 0, "a"), []Ending{first}, nil))
	save(t, s, with(record("shop", 1, "a"), []Ending{second}, nil))
	wantEnded(t, s, "", listed(second))
	wantReport(t, s, first.ID, "other")
}

func entry(seconds int, key string) Entry {
	return Entry{Time: moment(seconds), Key: key, Value: []byte("order " + key)}
}

func keepsAudit(t *testing.T, s Store) {
	save(t, s, with(record("shop", 0, "a"), nil, []Entry{entry(1, "a"), entry(1, "b"), entry(3, "c")}))
	save(t, s, with(record("shop", 1, "a"), nil, []Entry{entry(1, "b"), entry(2, "d")}))
	got, err := s.Audit(3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{entry(3, "c"), entry(2, "d"), entry(1, "b")}, got); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	if all, err := s.Audit(100); err != nil || len(all) != 4 {
		t.Errorf("%d entries, error %v", len(all), err)
	}
}

func boundsAudit(t *testing.T, s Store) {
	var entries []Entry
	for i := range AuditMost {
		entries = append(entries, entry(i, "x"))
	}
	if _, slow := s.(*memory); slow { // which looks at all for each
		entries = entries[:AuditMost/20]
		s.(*memory).audit = slices.Repeat([]Entry{entry(-1, "old")}, AuditMost-len(entries))
	}
	save(t, s, with(record("shop", 0, "a"), nil, entries))
	save(t, s, with(record("shop", 1, "a"), nil, []Entry{entry(AuditMost, "x"), entry(AuditMost+1, "x")}))
	got, err := s.Audit(2 * AuditMost)
	if err != nil || len(got) != AuditMost || !got[0].Time.Equal(moment(AuditMost+1)) {
		t.Errorf("%d entries, error %v", len(got), err)
	}
}

func nothingOfFailed(t *testing.T, s Store) {
	bad := with(record("shop", 7, "a"), []Ending{ending("shop", 1)}, []Entry{entry(1, "a")})
	if err := s.Save([]Record{with(record("cart", 0, "a"), []Ending{ending("cart", 1)}, nil), bad}); !errors.Is(err, ErrConflict) {
		t.Fatalf("error %v", err)
	}
	wantEnded(t, s, "")
	if audit, err := s.Audit(9); err != nil || len(audit) != 0 {
		t.Errorf("audit %v, error %v", audit, err)
	}
}

func refusesNamelessEndings(t *testing.T, s Store) {
	if s.Save([]Record{with(record("shop", 0, "a"), []Ending{{Service: "shop"}}, nil)}) == nil {
		t.Error("an ending without an id was taken")
	}
	if s.Save([]Record{with(record("shop", 0, "a"), nil, []Entry{{}})}) == nil {
		t.Error("an entry without a key was taken")
	}
}
