package balance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"haldane/proxy/http1"
	"haldane/proxy/upstream"
)

// names is a resolver under the control of a test.
type names struct {
	mu      sync.Mutex
	answers map[string][]string
	err     error
	hang    bool
	asked   int
}

func (n *names) set(host string, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[host], n.err, n.hang = addresses, nil, false
}

func (n *names) spoil(err error, hang bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err, n.hang = err, hang
}

func (n *names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	n.asked++
	answer, err, hang := n.answers[host], n.err, n.hang
	n.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, text := range answer {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

// running runs a group until the test of it ends, inside a bubble.
func running(g *Group) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { g.Run(ctx) })
	return func() {
		cancel()
		wait.Wait()
	}
}

// have are the addresses of a group.
func have(g *Group) []string {
	var all []string
	for _, e := range g.Endpoints() {
		all = append(all, e.Address())
	}
	return all
}

// want checks the addresses of a group.
func want(t *testing.T, g *Group, addresses ...string) {
	t.Helper()
	if got := have(g); !slices.Equal(got, addresses) {
		t.Errorf("the endpoints are %v, want %v", got, addresses)
	}
}

func named(n *names) Options {
	return Options{Endpoints: []string{"web.test:80"}, Resolve: time.Second, Resolver: n}
}

func TestANameStandsForItsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{"web.test": {"10.0.0.2", "::ffff:10.0.0.1", "10.0.0.2", "fd00::1"}}}
		g := New(named(n), nil)
		if e := g.Pick(0, nil); e != nil {
			t.Errorf("picked %s before the first lookup", e.Address())
		}
		if !g.Unresolved() {
			t.Error("there is nothing to look up before the first lookup")
		}
		g.Resolve(t.Context())
		if same := New(named(n), g); g.Unresolved() || same != g || New(Options{Endpoints: []string{"10.0.0.1:80"}}, nil).Unresolved() {
			t.Error("there is something to look up after the first lookup, or of an address")
		}
		want(t, g, "10.0.0.1:80", "10.0.0.2:80")
		defer running(g)()
		kept := g.Endpoints()[1]
		n.set("web.test", "10.0.0.3", "10.0.0.2")
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, g, "10.0.0.2:80", "10.0.0.3:80")
		if g.Endpoints()[0] != kept {
			t.Error("an address that stayed got a new endpoint")
		}
		if name := string(kept.Authority()); name != "web.test:80" {
			t.Errorf("its authority is %q", name)
		}
		n.set("web.test", "fd00::1")
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, g, "[fd00::1]:80")
	})
}

func TestTheLastGoodAnswerIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{"web.test": {"10.0.0.1"}}}
		g := New(named(n), nil)
		g.Resolve(t.Context())
		defer running(g)()
		first := g.Endpoints()[0]
		for i, fail := range []func(){
			func() { n.spoil(errors.New("no such host"), false) },
			func() { n.spoil(nil, true) },
			func() { n.set("web.test") },
		} {
			fail()
			time.Sleep(lookupTime + 2*time.Second)
			synctest.Wait()
			if len(g.Endpoints()) != 1 || g.Endpoints()[0] != first {
				t.Errorf("failure %d: the endpoints are %v", i, have(g))
			}
		}
		s := g.Status().Names[0]
		if s.Failures < 3 || s.Last.What != "look up web.test: the name has no address" {
			t.Errorf("%+v", s)
		}
	})
}

func TestANameThatIsFoundLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{}, err: errors.New("no such host")}
		o := named(n)
		o.Endpoints = append(o.Endpoints, "10.0.0.9:80", "web.test:80", "localhost:80")
		g := New(o, nil)
		limited, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g.Resolve(limited)
		want(t, g, "10.0.0.9:80", "localhost:80")
		if s := g.Status().Endpoints[0]; s.Name != "web.test:80" || s.Address != "" || s.Up {
			t.Errorf("%+v", s)
		}
		defer running(g)()
		n.set("web.test", "10.0.0.1")
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, g, "10.0.0.1:80", "10.0.0.9:80", "localhost:80")
		if c := draws(g, 4000)[g.Endpoints()[0]]; c < 1700 || c > 2300 {
			t.Errorf("a name that stands there twice was picked %d of 4000 times", c)
		}
		if n.asked != 2 {
			t.Errorf("%d lookups", n.asked)
		}
	})
}

func TestANameHasABoundedNumberOfAddresses(t *testing.T) {
	n := &names{answers: map[string][]string{}}
	for i := range 1000 {
		n.answers["web.test"] = append(n.answers["web.test"], fmt.Sprintf("10.0.%d.%d", i/250, i%250))
	}
	g := New(named(n), nil)
	g.Resolve(t.Context())
	if len(g.Endpoints()) != maxAddresses {
		t.Errorf("%d endpoints", len(g.Endpoints()))
	}
}

// What a configuration does not touch goes on; what is known about an endpoint stays with it in any case.
func TestAGroupTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{"web.test": {"10.0.0.1", "10.0.0.2"}}}
		o := named(n)
		o.Ejection.Failures, o.Ejection.MaxShare, o.Ejection.Time = 3, 50*percent, 1e9
		first := New(o, nil)
		first.Resolve(t.Context())
		first.Replace(nil)
		if New(o, first) != first {
			t.Error("the same options made another group")
		}
		o.SlowStart = time.Second
		second := New(o, first)
		old, fresh := first.Endpoints(), second.Endpoints()
		if !slices.Equal(old, fresh) {
			t.Error("a changed slow start made other endpoints")
		}
		o.Transport.MaxConnections = 7
		third := New(o, second)
		if third.Endpoints()[0] == old[0] || third.Endpoints()[0].condition != old[0].condition {
			t.Error("a changed transport must make another endpoint about which the same is known")
		}
		third.Replace(first)
		fail(old[0], 3) // an exchange that began before
		if draws(third, 100)[third.Endpoints()[0]] != 0 {
			t.Error("what an exchange reports that began before is lost")
		}
		time.Sleep(time.Second)
		third.Tick(time.Now())
		if draws(third, 1000)[third.Endpoints()[0]] == 0 {
			t.Error("the ejection did not end")
		}
		third.Close()
	})
}

// The previous group goes on looking names up until it is replaced, and may lose sight of what the next one has taken over.
func TestAPreviousGroupLeavesEndpointsAlone(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n := &names{answers: map[string][]string{"web.test": {"127.0.0.1"}}}
	o := Options{Endpoints: []string{"web.test:" + port}, Resolver: n, Transport: upstream.Options{Timeouts: upstream.Timeouts{KeepAlive: time.Minute}}}
	first := New(o, nil)
	first.Resolve(t.Context())
	first.Replace(nil)
	o.SlowStart = time.Second
	second := New(o, first)
	kept := second.Endpoints()[0]
	exchange := func() {
		t.Helper()
		response, err := kept.Transport().RoundTrip(&http1.Request{
			Method: []byte("GET"), Target: []byte("/"), Fields: http1.Fields{{Name: []byte("Host"), Value: []byte("web.test")}},
		}, upstream.Exchange{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response); err != nil {
			t.Fatal(err)
		}
		response.Close()
	}
	n.set("web.test", "127.0.0.2")
	first.lookUp(t.Context(), first.targets[0])
	if exchange(); kept.Transport().Load().Open != 0 {
		t.Error("an address that is gone keeps its connections")
	}
	second.Replace(first)
	if exchange(); kept.Transport().Load().Idle != 1 {
		t.Error("an address that was taken over keeps no connection")
	}
	o.SlowStart = 2 * time.Second
	third := New(o, second)
	third.Replace(second)
	second.lookUp(t.Context(), second.targets[0])
	third.Tick(time.Now())
	if kept.Transport().Load().Idle != 1 {
		t.Error("a group that was replaced closed a connection")
	}
	third.Close()
	if kept.Transport().Load().Open != 0 {
		t.Error("a connection was left open")
	}
}
