package proxy

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// What a variant's settings about endpoints do, from the client to the endpoint.

// book is a resolver under the control of a test.
type book struct {
	mu        sync.Mutex
	addresses []netip.Addr
}

func (b *book) set(addresses ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addresses = nil
	for _, a := range addresses {
		b.addresses = append(b.addresses, netip.MustParseAddr(a))
	}
}

func (b *book) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.addresses) == 0 {
		return nil, errors.New("no such host")
	}
	return b.addresses, nil
}

// port is the port of an address.
func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestANameWithoutAddressHasNoEndpoint(t *testing.T) {
	o, names := newOrigin(t, nil), new(book)
	s := plain("web.test:" + port(t, o.address))
	v1 := s.Services["web"].Variants["v1"]
	v1.Resolve = config.Duration(100 * time.Millisecond)
	s.Services["web"].Variants["v1"], s.Resolver = v1, names
	r := start(t, s)
	c := r.dial()
	got := c.send(get("/")).receive()
	if got.status() != 503 || got.value("Haldane-Error") != "no endpoint" || got.value("Retry-After") != "1" {
		t.Errorf("got %q", got.fields)
	}
	if totals := r.totals("v1"); totals.Outcomes[stats.OutcomeConnect] != 1 || totals.InFlight != 0 {
		t.Errorf("counted %+v", totals)
	}
	names.set("127.0.0.1")
	await(t, "the name is found", func() bool { return c.send(get("/")).receive().status() == 200 })
	names.set() // and stays when it is lost
	lost := r.server.Endpoints()[0].Names[0].Failures
	await(t, "lookups fail", func() bool { return r.server.Endpoints()[0].Names[0].Failures > lost+1 })
	if got := c.send(get("/")).receive(); got.status() != 200 {
		t.Errorf("got %q", got.line)
	}
}

// A request without a Host says the endpoint as it is configured, not the address that was found for it.
func TestANameIsTheHost(t *testing.T) {
	o, names := newOrigin(t, nil), new(book)
	names.set("127.0.0.1")
	host := "web.test:" + port(t, o.address)
	s := plain(host)
	s.Resolver = names
	r := start(t, s)
	r.dial().send("GET / HTTP/1.0\r\n\r\n").receive()
	if got := o.last().value("Host"); got != host {
		t.Errorf("the Host is %q", got)
	}
}

// Reloads and changes of the split leave the endpoints of a name, their connections and their look-outs alone.
func TestReloadsKeepEndpoints(t *testing.T) {
	o, names := newOrigin(t, nil), new(book)
	names.set("127.0.0.1")
	s := plain("web.test:" + port(t, o.address))
	v1 := s.Services["web"].Variants["v1"]
	v1.Resolve = config.Duration(50 * time.Millisecond)
	v1.Health = &config.Health{Interval: config.Duration(100 * time.Millisecond), Timeout: config.Duration(time.Second), Healthy: 1, Unhealthy: 3}
	s.Services["web"].Variants["v1"], s.Resolver, s.Stats = v1, names, stats.NewRegistry(0)
	r := start(t, s)
	c := r.dial()
	c.send(get("/")).receive()
	goroutines := runtime.NumGoroutine()
	for i := range 100 {
		if i == 50 {
			v1.SlowStart = config.Duration(time.Second) // another group with the same endpoints
			s.Services["web"].Variants["v1"] = v1
		}
		r.server.Swap(build(t, s, nil, r.server.snapshot.Load()))
	}
	if got := c.send(get("/")).receive(); got.status() != 200 {
		t.Errorf("got %q", got.line)
	}
	if n := r.server.Endpoints()[0].Endpoints[0].Load; n.Open != 1 || n.Idle != 1 {
		t.Errorf("%+v connections after 100 reloads", n)
	}
	await(t, "the goroutines of old snapshots end", func() bool { return runtime.NumGoroutine() <= goroutines+1 })
	delete(s.Services["web"].Variants, "v1")
	s.Services["web"] = config.Service{Variants: map[string]config.Variant{"v2": variantAt(o.address)}, Stable: "v2"}
	r.server.Swap(build(t, s, nil, r.server.snapshot.Load()))
	await(t, "nobody looks after a variant that is gone", func() bool { return runtime.NumGoroutine() < goroutines })
}

func TestUnhealthyEndpointsGetNothing(t *testing.T) {
	var sick atomic.Bool
	healthy := func(v *visit) {
		if strings.Contains(v.line, "/healthz") && sick.Load() {
			v.answer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
			return
		}
		v.ok()
	}
	good := newOrigin(t, nil)
	bad := newOrigin(t, func(v *visit) {
		if healthy(v); !strings.Contains(v.line, "/healthz") && sick.Load() {
			v.t.Log("served while sick")
		}
	})
	s := plain(good.address, bad.address)
	v1 := s.Services["web"].Variants["v1"]
	v1.Health = &config.Health{
		Path: "/healthz", Statuses: []config.StatusRange{{Low: 200, High: 399}},
		Interval: config.Duration(50 * time.Millisecond), Timeout: config.Duration(time.Second), Healthy: 2, Unhealthy: 2,
	}
	s.Services["web"].Variants["v1"] = v1
	r := start(t, s)
	up := func() int {
		n := 0
		for _, e := range r.server.Endpoints()[0].Endpoints {
			if e.Up {
				n++
			}
		}
		return n
	}
	sick.Store(true)
	await(t, "the sick one goes out", func() bool { return up() == 1 })
	before := served(bad)
	c := r.dial()
	for range 50 {
		c.send(get("/")).receive()
	}
	if n := served(bad) - before; n != 0 {
		t.Errorf("%d requests went to the sick one", n)
	}
	sick.Store(false)
	await(t, "it comes back", func() bool { return up() == 2 })
	await(t, "it gets requests", func() bool { c.send(get("/")).receive(); return served(bad) > before })
}

// served is how many requests an origin has served, looks at its health apart.
func served(o *origin) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, m := range o.requests {
		if !strings.Contains(m.line, "/healthz") {
			n++
		}
	}
	return n
}

func TestHTTPSToTheEndpoint(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Name", r.TLS.ServerName)
		_, _ = w.Write([]byte("secret"))
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	s := plain(server.Listener.Addr().String())
	v1 := s.Services["web"].Variants["v1"]
	v1.TLS = &config.VariantTLS{ServerName: "example.com", CAFile: path}
	s.Services["web"].Variants["v1"], s.Stats = v1, stats.NewRegistry(0)
	r := start(t, s)
	c := r.dial()
	for range 3 {
		if got := c.send(get("/")).receive(); string(got.body) != "secret" || got.value("X-Name") != "example.com" {
			t.Errorf("got %q %q", got.fields, got.body)
		}
	}
	first := r.server.snapshot.Load()
	r.server.Swap(build(t, s, nil, first))
	if r.server.snapshot.Load().group(groupKey{"web", "v1"}) != first.group(groupKey{"web", "v1"}) {
		t.Error("a reload with the same files lost the connections")
	}
	v1.TLS = &config.VariantTLS{ServerName: "wrong.test", CAFile: path}
	s.Services["web"].Variants["v1"] = v1
	r.server.Swap(build(t, s, nil, r.server.snapshot.Load()))
	if got := c.send(get("/")).receive(); got.status() != 502 || got.value("Haldane-Error") != "connect" {
		t.Errorf("got %q", got.fields)
	}
	if err := os.WriteFile(path, block[:len(block)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	s.Table = r.server.snapshot.Load().Table()
	_, err := NewSnapshot(s, r.server.snapshot.Load())
	if err == nil || !strings.Contains(err.Error(), "service web: variant v1: tls: load the authorities: "+path) {
		t.Errorf("half a file: %v", err)
	}
}

func TestTheQueueOfAVariant(t *testing.T) {
	release := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		if strings.Contains(v.line, "/hold") {
			<-release
		}
		v.ok()
	})
	letGo := sync.OnceFunc(func() { close(release) })
	t.Cleanup(letGo)
	s := plain(o.address)
	v1 := s.Services["web"].Variants["v1"]
	v1.MaxConnections, v1.Queue = 1, config.Queue{Size: 1, Timeout: config.Duration(patience)}
	s.Services["web"].Variants["v1"] = v1
	r := start(t, s)
	holding, waiting, refused := r.dial(), r.dial(), r.dial()
	load := func() (n int) { return r.server.Endpoints()[0].Endpoints[0].Load.Waiting }
	holding.send(get("/hold"))
	await(t, "the connection is in use", func() bool { return r.server.Endpoints()[0].Endpoints[0].InFlight == 1 && o.held() == 1 })
	waiting.send(get("/"))
	await(t, "one waits", func() bool { return load() == 1 })
	if got := refused.send(get("/")).receive(); got.status() != 503 || got.value("Retry-After") != "1" {
		t.Errorf("got %q", got.fields)
	}
	letGo()
	if a, b := holding.receive(), waiting.receive(); a.status() != 200 || b.status() != 200 {
		t.Errorf("got %q and %q", a.line, b.line)
	}
	if totals := r.totals("v1"); totals.Outcomes[stats.OutcomeRefused] != 1 || o.held() != 1 {
		t.Errorf("counted %+v, %d connections", totals, o.held())
	}
}

// A canary that is rolled back while a request waits for a connection to it gets nothing; the stable answers.
func TestRevokedInTheQueue(t *testing.T) {
	release := make(chan struct{})
	v1 := newOrigin(t, nil)
	v2 := newOrigin(t, func(v *visit) {
		if v.read() {
			<-release
			v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	letGo := sync.OnceFunc(func() { close(release) })
	t.Cleanup(letGo)
	s, spec := two(v1.address, v2.address), rollout(config.Whole)
	canary := s.Services["web"].Variants["v2"]
	canary.MaxConnections, canary.Queue = 1, config.Queue{Size: 5, Timeout: config.Duration(patience)}
	s.Services["web"].Variants["v2"] = canary
	r := startSplit(t, s, map[string]router.SplitSpec{"web": spec}, zap.NewNop())
	holding, waiting := r.dial(), r.dial()
	holding.send(get("/"))
	// A connection alone is not enough: what was not sent yet goes to the stable, too.
	await(t, "the canary has the request", func() bool { return v2.count() == 1 })
	waiting.send(get("/"))
	await(t, "one waits", func() bool { return r.server.Endpoints()[1].Endpoints[0].Load.Waiting == 1 })
	spec.Revocation.Revoke()
	letGo()
	holding.receive()
	if got := waiting.receive(); got.value("X-Variant") != "v1" || v2.count() != 1 {
		t.Errorf("got %q, and the canary %d requests", got.fields, v2.count())
	}
}
