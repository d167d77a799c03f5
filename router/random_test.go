package router

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// dice makes random tables and requests out of few words, so that they meet often.
type dice struct{ *rand.Rand }

func roll(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](d dice, all ...T) T { return all[d.IntN(len(all))] }

// yes holds once in n times.
func (d dice) yes(n int) bool { return d.IntN(n) == 0 }

func (d dice) host() string {
	return pick(d, "a.test", "b.a.test", "c.b.a.test", "test", "b.test", "x", "[::1]", "192.0.2.7", "", "c.c.c.test")
}

func (d dice) path() string {
	return pick(d, "/", "/a", "/a/", "/a/b", "/ab", "/a/b/", "/a/b/c", "/b", "/b/a", "//", "/a//b", "", "*", "/a/b/c/d/e/f")
}

func (d dice) match() config.Match {
	m := config.Match{Host: pick(d, "", "", "a.test", "b.a.test", "*.a.test", "*.test", "*.b.a.test", "test", "x", "[::1]")}
	if d.yes(3) {
		m.Path = pick(d, "/", "/a", "/a/b", "/ab", "/a/b/c", "//")
	} else {
		m.PathPrefix = pick(d, "", "", "/", "/a", "/a/b", "/ab", "/a/b/c", "/b", "//", "/a/")
	}
	return m
}

func (d dice) percent() config.Percent {
	return pick(d, 0, 1, percentUnit/100, percentUnit, 10*percentUnit, 50*percentUnit, 99*percentUnit, config.Whole)
}

func (d dice) value() string { return pick(d, "", "v1", "v2", "v3", "beta", "beta-2", "x", "tenant-7") }

func (d dice) key() config.Key {
	return pick(d, config.Key{Header: "X-Key"}, config.Key{Cookie: "uid"}, config.Key{Query: "k"}, config.Key{ClientAddress: true})
}

// matcher gives at most one way to match a value.
func (d dice) matcher() (exact, prefix, regexp string) {
	switch d.IntN(4) {
	case 0:
		return pick(d, "beta", "v2", "x"), "", ""
	case 1:
		return "", pick(d, "b", "beta-", "v"), ""
	case 2:
		return "", "", pick(d, "^beta(-[0-9]+)?$", "[0-9]$", "x|v1", "^$")
	}
	return "", "", ""
}

func (d dice) pin() config.Pin {
	var p config.Pin
	k := pick(d, config.Key{Header: "X-Key"}, config.Key{Cookie: "uid"}, config.Key{Query: "k"})
	p.Header, p.Cookie, p.Query = k.Header, k.Cookie, k.Query
	p.Exact, p.Prefix, p.Regexp = d.matcher()
	if p.Exact+p.Prefix+p.Regexp != "" {
		p.Variant = pick(d, "v1", "v2", "v3")
	}
	return p
}

func (d dice) predicate(depth int) config.Predicate {
	kind := d.IntN(9)
	if depth == 0 {
		kind = 3 + d.IntN(6)
	}
	switch kind {
	case 0:
		return config.Predicate{All: []config.Predicate{d.predicate(depth - 1), d.predicate(depth - 1)}}
	case 1:
		return config.Predicate{Any: []config.Predicate{d.predicate(depth - 1), d.predicate(depth - 1)}}
	case 2:
		part := d.predicate(depth - 1)
		return config.Predicate{Not: &part}
	case 3:
		return config.Predicate{Method: []string{"GET", "HEAD"}}
	case 4:
		return pick(d, config.Predicate{Path: "/a"}, config.Predicate{PathPrefix: "/a/"}, config.Predicate{PathRegexp: "b$"},
			config.Predicate{PathPrefix: "/"})
	case 5:
		return config.Predicate{Client: d.networks()}
	case 6:
		k := d.key()
		return config.Predicate{Percent: d.percent(), Of: &k}
	}
	var p config.Predicate
	k := pick(d, config.Key{Header: "x-key"}, config.Key{Cookie: "uid"}, config.Key{Query: "k"})
	p.Header, p.Cookie, p.Query = k.Header, k.Cookie, k.Query
	p.Exact, p.Prefix, p.Regexp = d.matcher()
	if p.Exact+p.Prefix+p.Regexp == "" && d.yes(2) {
		p.In = []string{"v1", "beta"}
	} else if p.Exact+p.Prefix+p.Regexp == "" && d.yes(2) {
		p.InFile, p.List = "list.txt", pick(d, nil, []string{"x", "tenant-7"})
	}
	return p
}

// networks is a short or a long list.
func (d dice) networks() []string {
	list := []string{pick(d, "192.0.2.0/24", "192.0.2.77/25", "2001:db8::/32", "198.51.100.7", "::/0")}
	if d.yes(2) {
		for i := range 12 {
			list = append(list, fmt.Sprintf("10.%d.0.0/%d", i, 14+i), fmt.Sprintf("2001:db8:%d::/%d", i, 40+i))
		}
	}
	return list
}

func (d dice) service() config.Service {
	s := config.Service{Variants: variants("v1", "v2", "v3"), Stable: pick(d, "v1", "v2", "v3")}
	for range 1 + d.IntN(3) {
		s.Match = append(s.Match, d.match())
	}
	for range d.IntN(3) {
		s.Pins = append(s.Pins, d.pin())
	}
	if d.yes(3) {
		s.Tenants = &config.Tenants{Header: "X-Tenant", Pins: map[string]string{"tenant-7": "v2", "x": "v3"}}
	}
	d.optIn(&s)
	if d.yes(2) {
		s.Sticky = &config.Sticky{Key: d.key()}
		s.Sticky.Issue = s.Sticky.Cookie != "" && d.yes(2)
	}
	if d.yes(3) {
		s.Split = map[string]config.Percent{"v1": percentUnit / 3, "v2": 40 * percentUnit, "v3": config.Whole - percentUnit/3 - 40*percentUnit}
	}
	return s
}

func (d dice) spec() SplitSpec {
	spec := SplitSpec{
		Rollout: pick(d, "r1", "r2"), Revision: d.Uint64(), Stable: pick(d, "v1", "v2", "v3"), Canary: pick(d, "v1", "v2", "v3"),
		Weight: d.percent(), Segment: pick(d, "", "s1", "s2"), Strength: d.percent(), Revocation: &Revocation{},
	}
	spec.OptIn = pick(d, "", "", "alpha", "beta")
	if d.yes(4) {
		spec.Revocation.Revoke()
	}
	if d.yes(8) {
		spec.Override = pick(d, "v1", "v2", "v3")
	}
	return spec
}

// options makes a table in which no request is claimed twice in the same words.
func (d dice) options() Options {
	o := Options{
		Services: make(map[string]config.Service), Splits: make(map[string]SplitSpec),
		Segments: map[string]config.Predicate{"s1": d.predicate(2), "s2": d.predicate(3)},
	}
	taken := make(map[config.Match]bool)
	for i := range 1 + d.IntN(8) {
		s, name := d.service(), fmt.Sprint("service-", i)
		free := s.Match[:0]
		for _, rule := range s.Match {
			words := config.Match{Host: rule.Host, Path: rule.Path}
			if rule.Path == "" {
				words.PathPrefix = trimPrefix(rule.PathPrefix) + "/"
			}
			if !taken[words] {
				taken[words] = true
				free = append(free, rule)
			}
		}
		if s.Match = free; len(free) == 0 {
			continue
		}
		o.Services[name] = s
		if d.yes(2) {
			o.Splits[name] = d.spec()
		}
		if d.yes(6) {
			o.Default = name
		}
	}
	return o
}

func (d dice) request() *request {
	r := get(d.host(), d.path())
	r.method = []byte(pick(d, "GET", "POST", "get"))
	r.client = netip.MustParseAddr(pick(d, "192.0.2.1", "192.0.2.200", "10.5.9.9", "2001:db8:3::1", "198.51.100.7", "203.0.113.9"))
	if d.yes(2) {
		r.field(pick(d, "X-Key", "x-key"), d.value())
	}
	if d.yes(2) {
		r.cookie("uid", d.value())
	}
	if d.yes(2) {
		r.param("k", d.value())
	}
	if d.yes(2) {
		r.field("x-tenant", d.value())
	}
	d.wish(r)
	return r
}

// TestAgainstDumbRouter compares every decision on random tables with the one that loops over the configuration find.
func TestAgainstDumbRouter(t *testing.T) {
	d := roll(2)
	seen := make(map[dumbAssignment]int)
	for range 1500 {
		o := d.options()
		table := build(t, o)
		for range 40 {
			r := d.request()
			s, want := table.Match(r), dumbMatch(o, r)
			if s == nil {
				if want != "" {
					t.Fatalf("host %q path %q: no service, want %s", r.host, r.path, want)
				}
				continue
			}
			if s.Name != want {
				t.Fatalf("host %q path %q: service %s, want %q", r.host, r.path, s.Name, want)
			}
			random := pick(d, 0, ^uint64(0), d.Uint64(), d.Uint64(), d.Uint64())
			got, reference := inNames(s, s.Assign(r, random)), dumbCase{o, s.Name, r, random}.assign()
			if diff := cmp.Diff(reference, got); diff != "" {
				t.Fatalf("service %+v\nsplit %+v\nsegments %+v\nrequest %s %s %q %q %q %s\n(-want +got)\n%s", o.Services[s.Name],
					o.Splits[s.Name], o.Segments, r.method, r.path, r.fields, r.cookies, r.query, r.client, diff)
			}
			got.Variant = ""
			seen[got]++
		}
	}
	if len(seen) < 17 {
		t.Errorf("the random tables lead to few kinds of assignments only: %v", seen)
	}
}

func inNames(s *Service, a Assignment) dumbAssignment {
	return dumbAssignment{s.Variants[a.Variant].Name, a.Reason, a.Stratum, a.Refused, a.Issue, a.User != 0}
}
