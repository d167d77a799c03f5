package router

import (
	"net/netip"
	"strings"
	"testing"

	"haldane/config"
)

// FuzzMatch compares the service for any host and path with the one that the dumb router finds, under rules that overlap.
func FuzzMatch(f *testing.F) {
	o := Options{Default: "default", Services: map[string]config.Service{"default": serve(config.Match{Host: "default"})}}
	for _, host := range []string{"", "a.b", "b", "*.b", "*.a.b", "*.c", "[::1]"} {
		for _, prefix := range []string{"", "/a", "/a/b", "/a/", "//", "/%2f"} {
			if prefix == "/a/" && host != "b" || prefix == "/a" && host == "b" || prefix == "" && host == "*.a.b" {
				continue // once written this way and once that
			}
			o.Services[host+" "+prefix] = serve(config.Match{Host: host, PathPrefix: prefix})
		}
		o.Services[host+" exactly"] = serve(config.Match{Host: host, Path: "/a"}, config.Match{Host: host, Path: "/a/b/c"})
	}
	table := build(f, o)
	for _, host := range []string{"a.b", "x.a.b", "..b", ".b", "", "c", "x.c.", "[::1]"} {
		for _, path := range []string{"", "*", "/", "/a", "/a/", "/a/b/c", "/ab", "//a", "/%2F", "/%2f/"} {
			f.Add(host, path)
		}
	}
	f.Fuzz(func(t *testing.T, host, path string) {
		r := get(host, path)
		if got, want := table.Match(r), dumbMatch(o, r); got.Name != want {
			t.Errorf("host %q path %q: service %q, want %q", host, path, got.Name, want)
		}
	})
}

// FuzzAssign compares the assignment of requests with any values, under pins and a segment of every kind of matcher.
func FuzzAssign(f *testing.F) {
	s := shop()
	s.Variants = variants("v1", "v2", "v3")
	s.Pins = []config.Pin{
		{Header: "pin"},
		{Header: "pin", Exact: "exact", Variant: "v3"},
		{Cookie: "pin", Prefix: "pre", Variant: "v2"},
		{Query: "pin", Regexp: `^[a-z]+-(\d|x)+$`, Variant: "v1"},
	}
	s.Tenants = &config.Tenants{Header: "tenant", Pins: map[string]string{"acme": "v3"}}
	s.Sticky.Issue = true
	of := &config.Key{Cookie: "uid"}
	o := Options{
		Services: map[string]config.Service{"shop": s},
		Segments: map[string]config.Predicate{"s": {Any: []config.Predicate{
			{PathPrefix: "/in/"},
			{PathRegexp: `\.(js|css)$`},
			{Client: []string{"10.0.0.0/8", "::/1"}},
			{Percent: 10 * percentUnit, Of: of},
			{Header: "pin", In: []string{"one", "two"}},
			{Percent: 40 * percentUnit, Of: &config.Key{Header: "tenant"}},
		}}},
		Splits: map[string]SplitSpec{"shop": {
			Rollout: "r", Stable: "v1", Canary: "v2", Weight: 30 * percentUnit, Segment: "s", Strength: 70 * percentUnit,
		}},
	}
	table := build(f, o)
	for _, value := range []string{"", "v1", "exact", "pre", "prefix", "abc-12", "abc-12\n", "acme", "one", "\xff\x00", strings.Repeat("a-1", 100)} {
		f.Add(value, "/in", []byte{10, 1, 2, 3}, uint64(len(value))<<60)
		f.Add(value, "/app.js", []byte("0123456789abcdef"), uint64(len(value)))
	}
	f.Fuzz(func(t *testing.T, value, path string, address []byte, random uint64) {
		client, ok := netip.AddrFromSlice(address)
		if !ok {
			client = netip.IPv4Unspecified()
		}
		for _, place := range []func(r *request){
			func(*request) {},
			func(r *request) { r.field("pin", value) },
			func(r *request) { r.cookie("pin", value) },
			func(r *request) { r.param("pin", value) },
			func(r *request) { r.field("tenant", value) },
			func(r *request) { r.cookie("uid", value) },
		} {
			r := get("x", path)
			r.client = client.Unmap()
			place(r)
			service := table.Match(r)
			for range 2 { // the second time regular expressions remember
				got, want := inNames(service, service.Assign(r, random)), dumbCase{o, "shop", r, random}.assign()
				if got != want {
					t.Errorf("request %+v random %x: %+v, want %+v", r, random, got, want)
				}
			}
		}
	})
}
