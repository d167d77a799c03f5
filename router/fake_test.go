package router

import (
	"net/netip"
	"strings"
	"testing"

	"haldane/config"
)

// pair is a name and a value.
type pair struct {
	name  string
	value []byte
}

// request is a request made of slices. Its look-ups allocate nothing.
type request struct {
	method, host, path     []byte
	fields, cookies, query []pair
	client                 netip.Addr
}

func (r *request) Method() []byte         { return r.method }
func (r *request) Host() []byte           { return r.host }
func (r *request) Path() []byte           { return r.path }
func (r *request) ClientAddr() netip.Addr { return r.client }

func (r *request) Field(name string) ([]byte, bool) {
	for i := range r.fields {
		if strings.EqualFold(r.fields[i].name, name) {
			return r.fields[i].value, true
		}
	}
	return nil, false
}

func (r *request) Cookie(name string) ([]byte, bool) { return first(r.cookies, name) }

func (r *request) Query(name string) ([]byte, bool) { return first(r.query, name) }

func first(pairs []pair, name string) ([]byte, bool) {
	for i := range pairs {
		if pairs[i].name == name {
			return pairs[i].value, true
		}
	}
	return nil, false
}

// get is a GET request for a host and a path.
func get(host, path string) *request {
	return &request{method: []byte("GET"), host: []byte(host), path: []byte(path), client: netip.MustParseAddr("192.0.2.1")}
}

// field, cookie and param add to a request.
func (r *request) field(name, value string) *request {
	r.fields = append(r.fields, pair{name, []byte(value)})
	return r
}

func (r *request) cookie(name, value string) *request {
	r.cookies = append(r.cookies, pair{name, []byte(value)})
	return r
}

func (r *request) param(name, value string) *request {
	r.query = append(r.query, pair{name, []byte(value)})
	return r
}

func (r *request) from(client string) *request {
	r.client = netip.MustParseAddr(client)
	return r
}

// user is a request with a user key in the cookie uid.
func user(key string) *request { return get("shop.example.com", "/").cookie("uid", key) }

// variants names the variants of a service.
func variants(names ...string) map[string]config.Variant {
	all := make(map[string]config.Variant)
	for _, name := range names {
		all[name] = config.Variant{Endpoints: []string{"127.0.0.1:1"}}
	}
	return all
}

// shop is a service with stable v1, canary v2 and the user key in the cookie uid.
func shop() config.Service {
	return config.Service{
		Variants: variants("v1", "v2"), Stable: "v1", Canary: "v2",
		Sticky: &config.Sticky{Key: config.Key{Cookie: "uid"}},
	}
}

// build makes a table or fails the test.
func build(t testing.TB, o Options) *Table {
	t.Helper()
	table, err := Build(o)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return table
}

// with changes splits or fails the test.
func with(t testing.TB, table *Table, specs map[string]SplitSpec) *Table {
	t.Helper()
	changed, err := table.With(specs)
	if err != nil {
		t.Fatalf("with: %v", err)
	}
	return changed
}

// released is the service shop in the middle of a rollout; change may alter the service and its split.
func released(t testing.TB, change func(*config.Service, *SplitSpec)) *Service {
	t.Helper()
	settings := shop()
	spec := SplitSpec{Rollout: "r1", Revision: 7, Stable: "v1", Canary: "v2", Revocation: &Revocation{}}
	if change != nil {
		change(&settings, &spec)
	}
	table := build(t, Options{
		Services: map[string]config.Service{"shop": settings},
		Segments: map[string]config.Predicate{
			"staff":    {Header: "X-Staff", Exact: "yes"},
			"everyone": {Header: "X-Everyone"},
			"testers":  {Percent: 20 * percentUnit, Of: &config.Key{Cookie: "uid"}},
		},
		Splits: map[string]SplitSpec{"shop": spec},
	})
	return table.Services()[0]
}

// percentUnit is one percent.
const percentUnit = config.Whole / 100
