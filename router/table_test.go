package router

import (
	"fmt"
	"strings"
	"testing"

	"haldane/config"
)

// serve is a service with one variant and the given rules.
func serve(rules ...config.Match) config.Service {
	return config.Service{Match: rules, Variants: variants("v1")}
}

func TestMatch(t *testing.T) {
	table := build(t, Options{Default: "rest", Services: map[string]config.Service{
		"exact":  serve(config.Match{Host: "Shop.example.com", PathPrefix: "/api"}, config.Match{Host: "shop.example.com", Path: "/api/status"}),
		"deep":   serve(config.Match{Host: "shop.example.com", PathPrefix: "/api/v2/"}),
		"wild":   serve(config.Match{Host: "*.example.com", PathPrefix: "/"}),
		"wilder": serve(config.Match{Host: "*.com."}),
		"below":  serve(config.Match{Host: "*.shop.example.com", PathPrefix: "/only"}),
		"any":    serve(config.Match{PathPrefix: "/health"}),
		"once":   serve(config.Match{Host: "shop.example.com", Path: "/api/v2"}),
		"rest":   serve(config.Match{Host: "rest.test"}),
	}})
	cases := []struct{ host, path, want string }{
		{"shop.example.com", "/api", "exact"},
		{"shop.example.com", "/api/", "exact"},
		{"shop.example.com", "/api/x", "exact"},
		{"shop.example.com", "/apix", "wild"}, // the host's rules have no such path
		{"shop.example.com", "/", "wild"},
		{"shop.example.com", "/api/status", "exact"},
		{"shop.example.com", "/api/v2", "once"},
		{"shop.example.com", "/api/v2/", "deep"},
		{"shop.example.com", "/api/v2/x/y/z", "deep"},
		{"shop.example.com", "/api/v22", "exact"},
		{"a.example.com", "/api", "wild"},
		{"a.b.c.example.com", "*", "wild"},
		{"example.com", "/", "wilder"},
		{"x.shop.example.com", "/only/this", "below"},
		{"x.shop.example.com", "/health", "wild"},
		{"com", "/health/live", "any"},
		{"com", "/other", "rest"},
		{"", "/health", "any"},
		{"", "", "rest"},
		{"notexample.com", "/", "wilder"},
		{".example.com", "/", "wild"},
		{"[::1]", "/", "rest"},
	}
	for _, c := range cases {
		if got := table.Match(get(c.host, c.path)); got == nil || got.Name != c.want {
			t.Errorf("%s%s belongs to %v, want %s", c.host, c.path, got, c.want)
		}
	}
}

// TestOneServiceMayRepeatItself writes one rule in two ways.
func TestOneServiceMayRepeatItself(t *testing.T) {
	build(t, Options{Services: map[string]config.Service{
		"a": serve(config.Match{Host: "a", PathPrefix: "/p"}, config.Match{Host: "A.", PathPrefix: "/p/"}, config.Match{}, config.Match{PathPrefix: "/"}),
	}})
}

func TestNoMatchWithoutDefault(t *testing.T) {
	table := build(t, Options{Services: map[string]config.Service{"a": serve(config.Match{Host: "a.test"})}})
	if s := table.Match(get("b.test", "/")); s != nil {
		t.Errorf("service %s for a host that nobody has", s.Name)
	}
}

func TestServicesAndVariantsAreSorted(t *testing.T) {
	table := build(t, Options{Services: map[string]config.Service{
		"b": serve(config.Match{Host: "b"}), "a": {Match: []config.Match{{Host: "a"}}, Variants: variants("z", "y", "x"), Stable: "z"},
	}})
	for i, s := range table.Services() {
		if s.Index != i {
			t.Errorf("service %s at %d has index %d", s.Name, i, s.Index)
		}
	}
	a := table.Services()[0]
	if got := fmt.Sprint(a.Name, a.Variants); got != "a[{x} {y} {z}]" {
		t.Errorf("got %s", got)
	}
	if i, ok := a.Variant("y"); i != 1 || !ok {
		t.Errorf("variant y is %d, %v", i, ok)
	}
	if _, ok := a.Variant("w"); ok {
		t.Error("there is no variant w")
	}
}

func TestBuildErrors(t *testing.T) {
	host := config.Match{Host: "a.test"}
	one := func(change func(*config.Service)) Options {
		s := shop()
		s.Match = []config.Match{host}
		change(&s)
		return Options{Services: map[string]config.Service{"shop": s}}
	}
	segment := func(p config.Predicate) Options {
		return Options{Segments: map[string]config.Predicate{"s": {All: []config.Predicate{{Path: "/"}, {Not: &p}}}}}
	}
	cases := map[string]Options{
		`service shop: it has no variants`:            one(func(s *config.Service) { s.Variants = nil }),
		`service shop: with several variants, stable`: one(func(s *config.Service) { s.Stable = "" }),
		`service shop: unknown variant "v9"`:          one(func(s *config.Service) { s.Stable = "v9" }),
		`service shop: split: unknown variant "v9"`:   one(func(s *config.Service) { s.Split = map[string]config.Percent{"v9": 1} }),
		`service shop: the shares of the split do not add up to 100%`: one(func(s *config.Service) {
			s.Split = map[string]config.Percent{"v1": 1}
		}),
		`service shop: the shares of the split`: one(func(s *config.Service) {
			s.Split = map[string]config.Percent{"v1": config.Whole, "v2": 1}
		}),
		`service shop: pin 1: unknown variant "v9"`: one(func(s *config.Service) {
			s.Pins = []config.Pin{{Header: "X", Exact: "x", Variant: "v9"}}
		}),
		`service shop: pin 1: a pin needs`: one(func(s *config.Service) { s.Pins = []config.Pin{{}} }),
		`service shop: pin 2: compile the regular expression "("`: one(func(s *config.Service) {
			s.Pins = []config.Pin{{Header: "X"}, {Header: "X", Regexp: "(", Variant: "v1"}}
		}),
		`service shop: tenant "x": unknown variant "v9"`: one(func(s *config.Service) {
			s.Tenants = &config.Tenants{Header: "T", Pins: map[string]string{"x": "v9"}}
		}),
		`service shop: sticky: it is not said where`: one(func(s *config.Service) { s.Sticky = &config.Sticky{} }),
		`service shop: match 2: host "a.*.test"`: one(func(s *config.Service) {
			s.Match = append(s.Match, config.Match{Host: "a.*.test"})
		}),
		`service b: match 1: service a already matches the same requests`: {Services: map[string]config.Service{
			"a": serve(config.Match{Host: "x", PathPrefix: "/p/"}), "b": serve(config.Match{Host: "X.", PathPrefix: "/p"}),
		}},
		`default: unknown service "none"`:                   {Default: "none"},
		`unknown service "none"`:                            {Splits: map[string]SplitSpec{"none": {}}},
		`segment s: part 2: a predicate says nothing`:       segment(config.Predicate{}),
		`segment s: part 2: client "1.2.3": `:               segment(config.Predicate{Client: []string{"1.2.3"}}),
		`segment s: part 2: compile the regular`:            segment(config.Predicate{PathRegexp: "("}),
		`segment s: part 2: percent: it is not said where`:  segment(config.Predicate{Percent: 1, Of: &config.Key{}}),
		`segment s: part 2: compile the regular expression`: segment(config.Predicate{Header: "X", Regexp: "a{2,1}"}),
	}
	for want, o := range cases {
		if _, err := Build(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s...", err, want)
		}
	}
}

func TestWithErrors(t *testing.T) {
	table := build(t, Options{Services: map[string]config.Service{"shop": shop()}})
	cases := map[string]map[string]SplitSpec{
		`unknown service "shoe"`:                     {"shop": {Stable: "v1"}, "shoe": {}},
		`split of service shop: with several`:        {"shop": {}},
		`split of service shop: unknown variant "x"`: {"shop": {Stable: "x"}},
		`split of service shop: unknown variant "y"`: {"shop": {Stable: "v1", Canary: "y"}},
		`split of service shop: unknown variant "z"`: {"shop": {Stable: "v1", Override: "z"}},
		`split of service shop: unknown segment "s"`: {"shop": {Stable: "v1", Segment: "s"}},
		`split of service shop: weight 101% or`:      {"shop": {Stable: "v1", Weight: config.Whole + percentUnit}},
		`split of service shop: weight 0% or`:        {"shop": {Stable: "v1", Strength: config.Whole + 1}},
	}
	for want, specs := range cases {
		if changed, err := table.With(specs); err == nil || changed != nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s...", err, want)
		}
	}
}

// TestWithSharesTheRest changes one split of three services: the others stay the very same values, and the old table does
// not change.
func TestWithSharesTheRest(t *testing.T) {
	a, b, c := shop(), shop(), shop()
	a.Match, b.Match, c.Match = []config.Match{{Host: "a"}}, []config.Match{{Host: "b"}}, []config.Match{{Host: "c"}}
	c.Canary, c.Split = "", map[string]config.Percent{"v2": config.Whole}
	old := build(t, Options{Services: map[string]config.Service{"a": a, "b": b, "c": c}})
	spec := SplitSpec{Rollout: "r", Revision: 1, Stable: "v1", Canary: "v2", Weight: config.Whole}
	one := with(t, old, map[string]SplitSpec{"a": spec})
	two := with(t, one, map[string]SplitSpec{"a": spec, "c": {Stable: "v1"}})
	if one.Services()[0] != two.Services()[0] || old.Services()[1] != two.Services()[1] {
		t.Error("services were copied whose splits did not change")
	}
	variant := func(table *Table, host string) string {
		s := table.Match(get(host, "/"))
		return s.Variants[s.Assign(get(host, "/"), 0).Variant].Name
	}
	back := with(t, two, nil)
	got := fmt.Sprint(variant(old, "a"), variant(one, "a"), variant(two, "a"), variant(back, "a"),
		variant(old, "c"), variant(two, "c"), variant(back, "c"))
	if want := "v1v2v2v1v2v1v2"; strings.ReplaceAll(got, " ", "") != want {
		t.Errorf("variants %s, want %s", got, want)
	}
	if back.Services()[2] == two.Services()[2] || two.Services()[0].Index != 0 || two.Match(get("a", "/")) != two.Services()[0] {
		t.Error("a changed service is not in its place")
	}
	if s := one.Services()[0].Split(); s.Revision != 1 || s.Rollout != "r" || s.Shares[1] != config.Whole || s.Override != -1 {
		t.Errorf("split %+v", s)
	}
}

// TestLongHostsAndPaths holds that a client cannot make matching slow: the work is bounded by the operator's rules.
func TestLongHostsAndPaths(t *testing.T) {
	table := build(t, Options{Services: map[string]config.Service{
		"a": serve(config.Match{Host: "*.example.com", PathPrefix: "/a/b"}),
		"b": serve(config.Match{Host: "*.test"}),
	}})
	host := strings.Repeat("a.", 100_000)
	if start := table.hosts.start([]byte(host + "example.com")); string(start) != "example.com" {
		t.Errorf("the walk begins %d bytes before the end", len(start))
	}
	path := "/a/b" + strings.Repeat("/", 100_000)
	for end, want := range map[string]string{"example.com": "a", "test": "b", "xexample.com": "", "example.comm": ""} {
		got := ""
		if s := table.Match(get(host+end, path)); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("the long host that ends in %s belongs to %q, want %q", end, got, want)
		}
	}
}
