package stats

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names lists what a registry knows.
func names(r *Registry) map[string][]string {
	all := make(map[string][]string)
	for _, s := range r.Services() {
		all[s.Name()] = []string{}
		for _, v := range s.Variants() {
			all[s.Name()] = append(all[s.Name()], v.Name())
		}
	}
	return all
}

func TestRegistryIdentity(t *testing.T) {
	r := NewRegistry(0)
	v := r.Service("shop").Variant("v1")
	if r.Service("shop").Variant("v1") != v || v.Service() != r.Service("shop") {
		t.Error("the same names gave other numbers")
	}
	if r.Service("blog").Variant("v1") == v {
		t.Error("another service gave the same numbers")
	}
}

func TestRegistryKeep(t *testing.T) {
	r := NewRegistry(0)
	for _, service := range []string{"shop", "blog", "mail"} {
		r.Service(service).Variant("v1")
		r.Service(service).Variant("v2")
	}
	kept, dropped := r.Service("shop").Variant("v2"), r.Service("shop").Variant("v1")
	kept.Begin(0).End(okay(1))
	begun := dropped.Begin(0)
	r.Keep(map[string][]string{"shop": {"v2", "v3"}, "mail": {"v1", "v2"}, "new": {"v1"}})
	want := map[string][]string{"shop": {"v2"}, "mail": {"v1", "v2"}}
	if diff := cmp.Diff(want, names(r)); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
	begun.End(okay(1)) // in flight when it was dropped
	if r.Service("shop").Variant("v2") != kept || kept.Totals().Requests != 1 {
		t.Error("a variant that was kept has lost its numbers")
	}
	if again := r.Service("shop").Variant("v1"); again == dropped || again.Totals().Requests != 0 {
		t.Error("a variant that comes back begins from zero")
	}
}

func TestDirty(t *testing.T) {
	s := NewRegistry(0).Service("shop")
	v := s.Variant("v1")
	begun := v.Begin(0)
	if s.Dirty() {
		t.Error("a request that began has nothing to judge yet")
	}
	begun.End(okay(1))
	v.Begin(0).End(okay(1))
	if !s.Dirty() || s.Dirty() {
		t.Error("Dirty must say so once")
	}
}

func TestShards(t *testing.T) {
	least := 1
	for least < runtime.GOMAXPROCS(0) && least < maxShards {
		least *= 2
	}
	for asked, want := range map[int]int{0: least, 1: least, 33: 64, 64: 64, 1000: 64, -5: least} {
		if got := NewRegistry(asked).shards; got != max(want, least) {
			t.Errorf("NewRegistry(%d) has %d shards, want %d", asked, got, max(want, least))
		}
	}
}
