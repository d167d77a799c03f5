package router

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"

	"haldane/config"
)

// compile compiles a predicate or fails the test.
func compile(t testing.TB, p config.Predicate) condition {
	t.Helper()
	c, err := (&compiler{}).condition("s", &p)
	if err != nil {
		t.Fatalf("compile %+v: %v", p, err)
	}
	return c
}

func holds(c condition, r *request) bool { return c.holds(ask{Request: r, sticky: &sticky{}}) }

func TestPredicates(t *testing.T) {
	header := func(p config.Predicate) config.Predicate { p.Header = "X-Group"; return p }
	group := func(value string) *request { return get("x", "/").field("x-group", value) }
	no := config.Predicate{Header: "X-Group", Exact: "no"}
	cases := []struct {
		name   string
		p      config.Predicate
		in     []*request
		out    []*request
		always bool // out is empty on purpose
	}{
		{name: "present", p: header(config.Predicate{}), in: []*request{group("a"), group("")}, out: []*request{get("x", "/")}},
		{name: "exact", p: header(config.Predicate{Exact: "a"}), in: []*request{group("a")}, out: []*request{group("A"), group("ab"), group(""), get("x", "/")}},
		{name: "prefix", p: header(config.Predicate{Prefix: "ab"}), in: []*request{group("ab"), group("abc")}, out: []*request{group("a"), group("cab")}},
		{name: "regexp", p: header(config.Predicate{Regexp: "^a.c$"}), in: []*request{group("abc")}, out: []*request{group("abcd"), group(""), get("x", "/")}},
		{name: "in", p: header(config.Predicate{In: []string{"a", "b"}}), in: []*request{group("a"), group("b")}, out: []*request{group("c"), group("")}},
		{name: "file", p: header(config.Predicate{InFile: "f", List: []string{"a"}}), in: []*request{group("a")}, out: []*request{group("f")}},
		{name: "empty file", p: header(config.Predicate{InFile: "f"}), out: []*request{group("a"), group(""), get("x", "/")}},
		{name: "cookie", p: config.Predicate{Cookie: "c", Exact: "1"}, in: []*request{get("x", "/").cookie("c", "1")}, out: []*request{get("x", "/").cookie("C", "1")}},
		{name: "query", p: config.Predicate{Query: "q", Exact: "1"}, in: []*request{get("x", "/").param("q", "1")}, out: []*request{get("x", "/").cookie("q", "1")}},
		{name: "method", p: config.Predicate{Method: []string{"POST", "GET"}}, in: []*request{get("x", "/")}, out: []*request{{method: []byte("get")}}},
		{name: "path", p: config.Predicate{Path: "/a"}, in: []*request{get("x", "/a")}, out: []*request{get("x", "/a/"), get("x", "/")}},
		{name: "path prefix", p: config.Predicate{PathPrefix: "/a"}, in: []*request{get("x", "/a"), get("x", "/a/b")}, out: []*request{get("x", "/ab"), get("x", "/"), get("x", "")}},
		{name: "slash prefix", p: config.Predicate{PathPrefix: "/"}, in: []*request{get("x", "/a"), get("x", ""), get("x", "*")}, always: true},
		{name: "path regexp", p: config.Predicate{PathRegexp: "/v[0-9]+/"}, in: []*request{get("x", "/v1/a")}, out: []*request{get("x", "/v/a")}},
		{name: "not", p: config.Predicate{Not: &no}, in: []*request{group("a"), get("x", "/")}, out: []*request{group("no")}},
		{name: "all", p: config.Predicate{All: []config.Predicate{{Header: "X-Group"}, {Path: "/"}}}, in: []*request{group("a")}, out: []*request{get("x", "/"), {path: []byte("/")}}},
		{name: "any", p: config.Predicate{Any: []config.Predicate{{Header: "X-Group"}, {Path: "/b"}}}, in: []*request{group("a"), get("x", "/b")}, out: []*request{get("x", "/")}},
		{name: "client", p: config.Predicate{Client: []string{"10.0.0.0/8", "fe80::/10"}}, in: []*request{get("x", "/").from("10.1.2.3"), get("x", "/").from("fe80::1%eth0")}, out: []*request{get("x", "/"), {}}},
	}
	for _, c := range cases {
		compiled := compile(t, c.p)
		if !c.always && len(c.out) == 0 {
			t.Errorf("%s: the case cannot fail", c.name)
		}
		for i, r := range c.in {
			if !holds(compiled, r) {
				t.Errorf("%s: request %d is not in", c.name, i)
			}
		}
		for i, r := range c.out {
			if holds(compiled, r) {
				t.Errorf("%s: request %d is in", c.name, i)
			}
		}
	}
}

// TestPercentOfAKey holds that a share is the right size, nested in larger ones of the same segment, empty for requests
// without the key, and whole at 100 %.
func TestPercentOfAKey(t *testing.T) {
	of := &config.Key{Header: "X-Tenant"}
	five := compile(t, config.Predicate{Percent: 5 * percentUnit, Of: of})
	twenty := compile(t, config.Predicate{Percent: 20 * percentUnit, Of: of})
	whole, none := compile(t, config.Predicate{Percent: config.Whole, Of: of}), compile(t, config.Predicate{Of: of})
	n, hits := 50_000, 0
	for i := range n {
		r := get("x", "/").field("X-Tenant", strconv.Itoa(i))
		in := holds(five, r)
		if in {
			hits++
		}
		if in && !holds(twenty, r) || !holds(whole, r) || holds(none, r) {
			t.Fatalf("tenant %d: shares are not nested", i)
		}
	}
	within(t, "5% of tenants", hits, n, 0.05)
	if r := get("x", "/"); holds(whole, r) || holds(whole, r.field("X-Tenant", "")) {
		t.Error("a request without the key is in a share of it")
	}
}

// TestManyNetworks compares the long list of networks with the loop over them.
func TestManyNetworks(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 1))
	address := func() netip.Addr {
		if random.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(random.IntN(4)), byte(random.IntN(4)), byte(random.IntN(256))})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, byte(random.IntN(3)), 15: byte(random.IntN(256))})
	}
	for range 100 {
		texts := make([]string, fewNetworks+1+random.IntN(20))
		plain := make(fewClients, len(texts))
		for i := range texts {
			addr := address()
			texts[i] = fmt.Sprintf("%s/%d", addr, 8+random.IntN(addr.BitLen()-7))
			if random.IntN(4) == 0 {
				texts[i] = addr.String()
			}
			plain[i], _ = parseNetwork(texts[i])
		}
		many := compile(t, config.Predicate{Client: texts})
		if _, long := many.(*manyClients); !long {
			t.Fatalf("%d networks are %T", len(texts), many)
		}
		for range 200 {
			r := &request{client: address()}
			if got, want := holds(many, r), holds(plain, r); got != want {
				t.Fatalf("%s in %v: %v, want %v", r.client, texts, got, want)
			}
		}
		if holds(many, &request{}) {
			t.Error("a request without an address is in the list")
		}
	}
}
