package balance

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"haldane/config"
	"haldane/proxy/upstream"
)

// ward is a prober under the control of a test.
type ward struct {
	mu     sync.Mutex
	sick   map[string]bool // by address
	looks  map[string]int
	looked map[string][]time.Time
}

func newWard() *ward {
	return &ward{sick: map[string]bool{}, looks: map[string]int{}, looked: map[string][]time.Time{}}
}

func (w *ward) set(address string, sick bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sick[address] = sick
}

// seen is how often an address was looked at.
func (w *ward) seen(address string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.looks[address]
}

func (w *ward) Probe(_ context.Context, _ string, o upstream.Options) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks[o.Address]++
	w.looked[o.Address] = append(w.looked[o.Address], time.Now())
	if w.sick[o.Address] {
		return errors.New("sick")
	}
	return nil
}

func attended(w *ward, n int) Options {
	return Options{Endpoints: addresses(n), Prober: w, Health: &config.Health{
		Interval: config.Duration(time.Second), Timeout: config.Duration(time.Second), Healthy: 2, Unhealthy: 3,
	}}
}

// usable are the addresses that get requests.
func usable(g *Group) map[string]int {
	all := make(map[string]int)
	for e, n := range draws(g, 1000) {
		all[e.Address()] = n
	}
	return all
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard()
		g := New(attended(w, 3), nil)
		defer running(g)()
		w.set("10.0.0.1:80", true)
		if usable(g)["10.0.0.1:80"] == 0 {
			t.Error("out before the first look")
		}
		// The first look comes within 0.1 s, and each of the next 0.9 to 1.1 s after the one before.
		time.Sleep(1750 * time.Millisecond) // two looks: the third is at 1.8 s or later
		synctest.Wait()
		if usable(g)["10.0.0.1:80"] == 0 {
			t.Error("out too early")
		}
		time.Sleep(1650 * time.Millisecond) // at 3.4 s there were four
		synctest.Wait()
		if all := usable(g); all["10.0.0.1:80"] != 0 || len(all) != 2 {
			t.Errorf("three bad looks: %v", all)
		}
		w.set("10.0.0.1:80", false)
		time.Sleep(1050 * time.Millisecond) // the sixth is at 4.5 s or later
		synctest.Wait()
		if usable(g)["10.0.0.1:80"] != 0 {
			t.Error("back too early")
		}
		time.Sleep(1200 * time.Millisecond)
		synctest.Wait()
		if usable(g)["10.0.0.1:80"] == 0 {
			t.Error("not back")
		}
		for address, at := range w.looked {
			for i := 1; i < len(at); i++ {
				if gap := at[i].Sub(at[i-1]); gap < 900*time.Millisecond || gap > 1100*time.Millisecond {
					t.Errorf("%s was looked at again after %v", address, gap)
				}
			}
		}
	})
}

// When all are out, all are used: it may be the look that is wrong.
func TestWhenNoneIsHealthyAllAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard()
		g := New(attended(w, 2), nil)
		w.set("10.0.0.1:80", true)
		w.set("10.0.0.2:80", true)
		defer running(g)()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if all := usable(g); len(all) != 2 || g.Status().Panics != 1000 {
			t.Errorf("%v, %d panics", all, g.Status().Panics)
		}
		w.set("10.0.0.2:80", false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if all := usable(g); len(all) != 1 || g.Status().Panics != 1000 {
			t.Errorf("%v, %d panics", all, g.Status().Panics)
		}
	})
}

// Look-outs follow the addresses of a name, and a group that takes over does not forget who was sick.
func TestHealthFollowsTheEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, n := newWard(), &names{answers: map[string][]string{"web.test": {"10.0.0.1", "10.0.0.2"}}}
		o := attended(w, 0)
		o.Endpoints, o.Resolve, o.Resolver = []string{"web.test:80"}, time.Second, n
		g := New(o, nil)
		g.Resolve(t.Context())
		g.Replace(nil)
		stop := running(g)
		w.set("10.0.0.1:80", true)
		time.Sleep(5 * time.Second)
		n.set("web.test", "10.0.0.1", "10.0.0.3")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		before := w.seen("10.0.0.2:80")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if w.seen("10.0.0.2:80") != before || w.seen("10.0.0.3:80") < 9 {
			t.Errorf("%d and %d looks", w.seen("10.0.0.2:80"), w.seen("10.0.0.3:80"))
		}
		o.Health = &config.Health{Interval: config.Duration(2 * time.Second), Timeout: 1, Healthy: 1, Unhealthy: 1}
		next := New(o, g)
		next.Replace(g)
		stop()
		before = w.seen("10.0.0.3:80")
		if all := usable(next); len(all) != 1 || all["10.0.0.3:80"] == 0 {
			t.Errorf("after a reload %v are used", all)
		}
		time.Sleep(10 * time.Second)
		if w.seen("10.0.0.3:80") != before {
			t.Error("a group that was stopped goes on looking")
		}
		o.Health = nil
		last := New(o, next)
		last.Replace(next)
		if all := usable(last); len(all) != 2 {
			t.Errorf("without health %v are used", all)
		}
	})
}

func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n := 2; n <= 4; n++ {
			o := Options{Endpoints: addresses(n), SlowStart: 10 * time.Second}
			o.Ejection = config.Ejection{Failures: 1, Time: config.Duration(time.Second), MaxShare: 50 * percent}
			g := New(o, nil)
			slow := g.Endpoints()[0]
			if share := float64(draws(g, 20000)[slow]) / 20000; share < 0.9/float64(n) {
				t.Errorf("%d endpoints: a share of %.3f from the start", n, share)
			}
			fail(slow, 1)
			time.Sleep(time.Second)
			g.Tick(time.Now())
			for _, part := range []float64{leastShare / float64(fullShare), 0.25, 0.5, 0.75, 1} {
				share := float64(draws(g, 40000)[slow]) / 40000
				if ideal := part / float64(n); share < 0.75*ideal-0.002 || share > 1.25*ideal+0.002 {
					t.Errorf("%d endpoints: a share of %.3f after %.2f of the time", n, share, part)
				}
				time.Sleep(2500 * time.Millisecond)
				g.Tick(time.Now())
			}
		}
	})
}

func TestProbeAsksOverTheNetwork(t *testing.T) {
	var got http.Request
	status := 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = *r
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	health := &config.Health{Path: "/health?a=b", Statuses: []config.StatusRange{{Low: 200, High: 399}}}
	probe := func(p *prober, address string) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return p.Probe(ctx, "web.test:80", upstream.Options{Address: address})
	}
	if err := probe(&prober{health: health}, address); err != nil || got.Host != "web.test:80" || got.RequestURI != "/health?a=b" {
		t.Errorf("%v, asked %s for %s", err, got.Host, got.RequestURI)
	}
	status = 503
	if err := probe(&prober{health: health, host: "v.test"}, address); err == nil || got.Host != "v.test" {
		t.Errorf("%v, asked %s", err, got.Host)
	}
	connect := &prober{health: &config.Health{}}
	if err := probe(connect, address); err != nil {
		t.Error(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err = (&prober{health: health}).Probe(ctx, "web.test:80", upstream.Options{Address: silent.Addr().String()})
	if err == nil {
		t.Error("one that never answers is healthy")
	}
	silent.Close()
	if err := probe(connect, silent.Addr().String()); err == nil {
		t.Error("one that is not there is healthy")
	}
}
