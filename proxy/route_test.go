package proxy

import (
	"bufio"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// Assignment, as it shows on the wire and in the numbers.

const percent = config.Whole / 100

// two is a service with two variants that are sticky by cookie and can be pinned by header.
func two(stable, canary string) Sections {
	s := sections(map[string]config.Variant{"v1": variantAt(stable), "v2": variantAt(canary)})
	s.Services["web"] = config.Service{
		Variants:     s.Services["web"].Variants,
		Stable:       "v1",
		VariantField: "X-Variant",
		Pins:         []config.Pin{{Header: "X-Pin"}},
		Sticky:       &config.Sticky{Key: config.Key{Cookie: "user"}, Issue: true, TTL: config.Duration(time.Hour)},
	}
	s.Stats = stats.NewRegistry(0)
	return s
}

// rollout is a split in the middle of a rollout.
func rollout(weight config.Percent) router.SplitSpec {
	return router.SplitSpec{
		Rollout: "r1", Revision: 7, Stable: "v1", Canary: "v2", Weight: weight, Revocation: &router.Revocation{},
	}
}

// handmade is an exchange whose phases a test calls one by one, on a real connection.
func handmade(t *testing.T, server *Server, raw string) (*exchange, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	far, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	x := newClientConn(server, near, 1).takeExchange()
	line, block, _ := strings.Cut(raw, "\r\n")
	parts := strings.Split(line, " ")
	x.in = inbound{method: []byte(parts[0]), target: []byte(parts[1]), protocol: []byte(parts[2]), block: []byte(block), length: -2}
	x.begin()
	return x, far
}

func TestStickyCookieIsIssuedAndKept(t *testing.T) {
	v1, v2 := newOrigin(t, nil), newOrigin(t, nil)
	r := startSplit(t, two(v1.address, v2.address), map[string]router.SplitSpec{"web": rollout(50 * percent)}, zap.NewNop())
	shape := regexp.MustCompile(`^user=([0-9a-f]{16}); Path=/; HttpOnly; SameSite=Lax; Max-Age=3600$`)
	sides := map[string]int{}
	for range 40 {
		c := r.dial()
		first := c.send(get("/")).receive()
		cookie := shape.FindStringSubmatch(first.value("Set-Cookie"))
		if cookie == nil {
			t.Fatalf("Set-Cookie %q", first.value("Set-Cookie"))
		}
		side := first.value("X-Variant")
		sides[side]++
		again := c.send(get("/", "Cookie: a=b; user="+cookie[1])).receive()
		if again.value("X-Variant") != side || again.value("Set-Cookie") != "" {
			t.Fatalf("the user went from %s to %s and got %q", side, again.value("X-Variant"), again.value("Set-Cookie"))
		}
	}
	if sides["v1"] == 0 || sides["v2"] == 0 {
		t.Errorf("sides %v", sides)
	}
}

func TestPinAndItsRefusal(t *testing.T) {
	v1, v2 := newOrigin(t, nil), newOrigin(t, nil)
	spec := rollout(0)
	r := startSplit(t, two(v1.address, v2.address), map[string]router.SplitSpec{"web": spec}, zap.NewNop())
	c := r.dial()
	if got := c.send(get("/", "x-pin: v2")).receive(); got.value("X-Variant") != "v2" || got.value("Haldane-Refused") != "" {
		t.Errorf("a pin gave %q", got.fields)
	}
	if got := c.send(get("/", "Cookie: user=u")).receive(); got.value("X-Variant") != "v1" {
		t.Errorf("weight zero gave %q", got.fields)
	}
	spec.Revocation.Revoke()
	if got := c.send(get("/", "x-pin: v2")).receive(); got.value("X-Variant") != "v1" || got.value("Haldane-Refused") != "rolled back" {
		t.Errorf("a refused pin gave %q", got.fields)
	}
	if v2.count() != 1 {
		t.Errorf("%d requests reached the canary", v2.count())
	}
}

// A canary that is rolled back between the assignment and the first byte gets nothing, and nothing is booked on it.
func TestRevokedBetweenAssignmentAndFirstByte(t *testing.T) {
	for _, pin := range []string{"", "X-Pin: v2\r\n"} {
		v1, v2 := newOrigin(t, nil), newOrigin(t, nil)
		s, spec := two(v1.address, v2.address), rollout(config.Whole)
		server := New(Options{})
		server.Swap(build(t, s, map[string]router.SplitSpec{"web": spec}, nil))
		x, far := handmade(t, server, "GET / HTTP/1.1\r\nHost: a.test\r\n"+pin+"\r\n")
		if f := x.guard(); f != none {
			t.Fatal(f)
		}
		if f := x.match(); f != none {
			t.Fatal(f)
		}
		x.assign()
		if x.variant.name != "v2" {
			t.Fatalf("assigned to %s", x.variant.name)
		}
		x.pick()
		spec.Revocation.Revoke()
		if f := x.forward(); f != none {
			t.Fatal(f)
		}
		if f := x.answer(); f != none {
			t.Fatal(f)
		}
		x.finish()
		c := &client{t: t, conn: far.(*net.TCPConn), reader: bufio.NewReader(far)}
		got := c.receive()
		if got.value("X-Variant") != "v1" || (got.value("Haldane-Refused") != "") != (pin != "") {
			t.Errorf("got %q", got.fields)
		}
		stable, canary := s.Stats.Service("web").Variant("v1").Totals(), s.Stats.Service("web").Variant("v2").Totals()
		if v2.count() != 0 || canary.Requests != 0 || canary.InFlight != 0 || stable.Requests != 1 || stable.InFlight != 0 {
			t.Errorf("canary got %d and counted %+v, stable counted %+v", v2.count(), canary, stable)
		}
		if n := s.Stats.Service("web").Variant("v1").Counts(1, 7).Total(); n != 0 {
			t.Errorf("%d requests were judged on a side they were not drawn for", n)
		}
		server.Close()
	}
}

// Random draws are judged, each user once; what was not drawn is only counted.
func TestLanes(t *testing.T) {
	v1, v2 := newOrigin(t, nil), newOrigin(t, nil)
	s := two(v1.address, v2.address)
	web := s.Services["web"]
	web.Sticky.Issue = false
	r := startSplit(t, s, map[string]router.SplitSpec{"web": rollout(config.Whole)}, zap.NewNop())
	numbers := s.Stats.Service("web")
	numbers.Reader(7, numbers.Variant("v2"), numbers.Variant("v1"))
	c := r.dial()
	judged := func() uint64 { return numbers.Variant("v2").Counts(int(router.StratumSplit), 7).Total() }
	for _, test := range []struct {
		what   string
		field  string
		judged uint64 // after it
	}{
		{"without a key", "X: y", 1},
		{"without a key again", "X: y", 2},
		{"a user", "Cookie: user=a", 3},
		{"the user again", "Cookie: user=a", 3},
		{"another user", "Cookie: user=b", 4},
		{"a pin", "X-Pin: v2", 4},
	} {
		c.send(get("/", test.field)).receive()
		if got := judged(); got != test.judged {
			t.Errorf("%s: %d are judged, want %d", test.what, got, test.judged)
		}
	}
	if got := r.totals("v2").Requests; got != 6 {
		t.Errorf("%d requests were counted", got)
	}
}

// The budget is spent by failures of the canary in any lane, before the client has seen the failure: the next request of
// anybody who has is not sent there.
func TestBudgetTripsAtOnce(t *testing.T) {
	v1 := newOrigin(t, nil)
	v2 := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno") })
	s, spec := two(v1.address, v2.address), rollout(config.Whole)
	r := startSplit(t, s, map[string]router.SplitSpec{"web": spec}, zap.NewNop())
	s.Stats.Service("web").Budget().Arm(stats.Arming{Limits: stats.Limits{Failed: 3}, Trip: func() { spec.Revocation.Revoke() }})
	var failed int
	for range 10 {
		// Pinned and sticky in turn, each on a connection of its own.
		if r.dial().send(get("/", "X-Pin: v2")).receive().status() == 500 {
			failed++
		}
		if r.dial().send(get("/", "Cookie: user=u")).receive().status() == 500 {
			failed++
		}
	}
	if failed != 3 || v2.count() != 3 {
		t.Errorf("%d requests failed, %d reached the canary, with a budget of 3", failed, v2.count())
	}
}

// The less loaded of two endpoints is picked, and every endpoint has its turn.
func TestPick(t *testing.T) {
	held := make(chan struct{})
	busy := newOrigin(t, func(v *visit) { <-held; v.ok() })
	quick := newOrigin(t, nil)
	r := start(t, plain(busy.address, quick.address))
	first := r.dial()
	for busy.held() == 0 {
		first = r.dial().send(get("/"))
		await(t, "the request to arrive", func() bool { return busy.held() > 0 || quick.answered(first) })
	}
	before := quick.count()
	for range 20 {
		r.dial().send(get("/")).receive()
	}
	if quick.count()-before != 20 {
		t.Errorf("%d of 20 requests avoided the busy endpoint", quick.count()-before)
	}
	close(held)
	first.receive()
}
