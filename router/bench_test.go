package router

import (
	"fmt"
	"strconv"
	"testing"

	"haldane/config"
)

// hotCase is a request that takes one way through the router.
type hotCase struct {
	table   *Table
	request *request
	reason  Reason
}

// hotCases are the ways. One service has everything; the requests differ in what they bring.
func hotCases(t testing.TB) map[string]hotCase {
	settings := shop()
	settings.Match = []config.Match{{Host: "*.example.com", PathPrefix: "/api"}}
	settings.Sticky.Issue = true
	settings.Pins = []config.Pin{
		{Header: "X-Variant"},
		{Cookie: "beta", Prefix: "yes", Variant: "v2"},
		{Header: "User-Agent", Regexp: `(?i)beta-(app|web)/[0-9]+\.[0-9]+`, Variant: "v2"},
	}
	settings.Tenants = &config.Tenants{Header: "X-Tenant", Pins: map[string]string{"acme": "v2"}}
	segments := map[string]config.Predicate{"testers": {Any: []config.Predicate{
		{All: []config.Predicate{{PathRegexp: "^/api/v[0-9]+/"}, {Method: []string{"GET"}}, {Header: "X-Staff", Exact: "yes"}}},
		{Client: []string{"10.0.0.0/8", "2001:db8::/32"}},
		{Percent: 1, Of: &config.Key{Cookie: "uid"}},
	}}}
	spec := SplitSpec{
		Rollout: "r1", Stable: "v1", Canary: "v2", Weight: 5 * percentUnit,
		Segment: "testers", Strength: 50 * percentUnit, Revocation: &Revocation{},
	}
	table := func(change func(*config.Service, *SplitSpec)) *Table {
		settings, spec := settings, spec
		change(&settings, &spec)
		return build(t, Options{
			Services: map[string]config.Service{"shop": settings}, Segments: segments, Splits: map[string]SplitSpec{"shop": spec},
		})
	}
	full := table(func(*config.Service, *SplitSpec) {})
	optedIn := table(func(s *config.Service, spec *SplitSpec) {
		s.OptIn = &config.OptIn{Query: "early", Field: "X-Early", Cookie: "early", Tenants: map[string]string{"early": "alpha"}}
		spec.OptIn = "beta"
	})
	key := "3f6c1c1e-5d0b-4d3e-9a51-0d9f6f0b7c11"
	bare := func() *request {
		return get("shop.example.com", "/api/v1/cart").field("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
	}
	return map[string]hotCase{
		"override": {table(func(_ *config.Service, s *SplitSpec) { s.Override = "v1" }), bare(), ReasonOverride},
		"pin":      {full, bare().field("X-Variant", "v2"), ReasonPin},
		"regexp":   {full, get("shop.example.com", "/api").field("User-Agent", "Beta-App/1.2"), ReasonPin},
		"tenant":   {full, bare().field("X-Tenant", "acme"), ReasonPin},
		"segment":  {full, bare().field("X-Staff", "yes").cookie("uid", key), ReasonSegment},
		"sticky":   {full, bare().cookie("uid", key), ReasonSticky},
		"issue":    {full, bare(), ReasonSticky},
		"client": {table(func(s *config.Service, _ *SplitSpec) {
			s.Sticky = &config.Sticky{Key: config.Key{ClientAddress: true}}
		}), bare(), ReasonSticky},
		"plain sticky": {table(func(s *config.Service, spec *SplitSpec) {
			s.Pins, s.Tenants, spec.Segment = nil, nil, ""
		}), bare().cookie("uid", key), ReasonSticky},
		"opt-in by cookie": {optedIn, bare().cookie("uid", key).cookie("early", "beta"), ReasonOptIn},
		"opt-in by tenant": {optedIn, bare().cookie("uid", key).field("X-Tenant", "early"), ReasonOptIn},
		"part": {table(func(_ *config.Service, spec *SplitSpec) {
			spec.Partial = &config.Partial{
				Templates: map[string]string{"item": "/api/v1/items/{id}/reviews", "cart": "/api/{version}/cart/*"}, Segments: []string{"testers"},
			}
			spec.Back = 1
		}), bare().cookie("uid", key), ReasonSticky},
		"random": {table(func(s *config.Service, spec *SplitSpec) {
			s.Pins, s.Tenants, s.Sticky, spec.Segment = nil, nil, nil, ""
		}), bare(), ReasonSplit},
	}
}

// BenchmarkAssign is match and assign, one way at a time.
func BenchmarkAssign(b *testing.B) {
	cases := hotCases(b)
	for _, name := range names(cases) {
		b.Run(name, func(b *testing.B) {
			c := cases[name]
			b.ReportAllocs()
			for b.Loop() {
				c.table.Match(c.request).Assign(c.request, 1)
			}
		})
	}
}

// BenchmarkMatch finds a service among many: by its host, and by its path on one host that all share.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		byHost, byPath := make(map[string]config.Service), make(map[string]config.Service)
		for i := range n {
			name := strconv.Itoa(i)
			byHost[name] = serve(config.Match{Host: fmt.Sprintf("s%d.example.com", i), PathPrefix: "/api"}, config.Match{Host: fmt.Sprintf("*.s%d.test", i)})
			byPath[name] = serve(config.Match{Host: "example.com", PathPrefix: fmt.Sprintf("/team-%d/s", i)})
		}
		hosts, paths := build(b, Options{Services: byHost}), build(b, Options{Services: byPath})
		last := n - 1
		for _, c := range []struct {
			name    string
			table   *Table
			request *request
		}{
			{"host", hosts, get(fmt.Sprintf("s%d.example.com", last), "/api/v1/cart/17")},
			{"wildcard", hosts, get(fmt.Sprintf("a.b.s%d.test", last), "/")},
			{"path", paths, get("example.com", fmt.Sprintf("/team-%d/s/v1/cart/17", last))},
		} {
			b.Run(fmt.Sprintf("%s-%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if c.table.Match(c.request) == nil {
						b.Fatal("no service")
					}
				}
			})
		}
	}
}

// BenchmarkWith changes one split among many services, as each step of a rollout does.
func BenchmarkWith(b *testing.B) {
	services, specs := make(map[string]config.Service), make(map[string]SplitSpec)
	for i := range 10_000 {
		s, name := shop(), strconv.Itoa(i)
		s.Match = []config.Match{{Host: name}}
		services[name], specs[name] = s, SplitSpec{Rollout: "r1", Stable: "v1", Canary: "v2", Weight: percentUnit}
	}
	table := with(b, build(b, Options{Services: services}), specs)
	b.ReportAllocs()
	for b.Loop() {
		spec := specs["5000"]
		spec.Revision++
		specs["5000"] = spec
		table = with(b, table, specs)
	}
}

// BenchmarkMemo is a regular expression that knows the value, one that does not use the memo, and all cores at once with
// one value and with many.
func BenchmarkMemo(b *testing.B) {
	e := newExpression(b, `(?i)beta-(app|web)/[0-9]+\.[0-9]+`)
	value := []byte("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)")
	b.Run("hit", func(b *testing.B) {
		for b.Loop() {
			e.matches(value)
		}
	})
	b.Run("without", func(b *testing.B) {
		for b.Loop() {
			e.compiled.Match(value)
		}
	})
	b.Run("one-value", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				e.matches(value)
			}
		})
	})
	b.Run("many-values", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			mine := append([]byte(nil), value...)
			for i := byte(0); pb.Next(); i++ {
				mine[0] = i
				e.matches(mine)
			}
		})
	})
}
