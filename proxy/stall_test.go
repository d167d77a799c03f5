package proxy

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// hanging is a rollout of a service whose endpoints let every request for "/hang" wait until they are released.
type hanging struct {
	*rig
	release func()
	reader  *stats.Reader
	counts  stats.Counts // of the canary, over all looks
}

// stallTime is the stall_timeout of a hanging service. It is not above the time between two sweeps.
const stallTime = 50 * time.Millisecond

// stallAfter is a stall_timeout.
func stallAfter(d time.Duration) config.StallTimeout {
	return config.StallTimeout{Mode: config.StallAfter, After: d}
}

// hang runs a service all of whose traffic goes to its canary. edit may change its settings.
func hang(t *testing.T, edit func(*config.Service)) *hanging {
	t.Helper()
	return hangSplit(t, edit, rollout(config.Whole/2))
}

// hangSplit is the same with a split of its own.
func hangSplit(t *testing.T, edit func(*config.Service), split router.SplitSpec) *hanging {
	t.Helper()
	released := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		if !v.read() {
			return
		}
		if v.target() != "/" {
			<-released
		}
		v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	h := &hanging{release: sync.OnceFunc(func() { close(released) })}
	s := two(o.address, o.address)
	web := s.Services["web"]
	web.Sticky, web.StallTimeout = nil, stallAfter(stallTime)
	if edit != nil {
		edit(&web)
	}
	s.Services["web"] = web
	numbers := s.Stats.Service("web")
	h.reader = numbers.Reader(7, numbers.Variant("v2"), numbers.Variant("v1"))
	numbers.Budget().Arm(stats.Arming{Trip: func() {}})
	h.rig = startSplit(t, s, map[string]router.SplitSpec{"web": split}, zap.NewNop())
	t.Cleanup(h.release)
	return h
}

// canary opens a connection and sends a request that is drawn for the canary. Those that are not are released at the end.
func (h *hanging) canary(target string) *client {
	h.t.Helper()
	for range 100 {
		before := h.totals("v2").InFlight
		stable := h.totals("v1").InFlight
		c := h.dial().send(get(target))
		await(h.t, "the request has begun", func() bool {
			return h.totals("v2").InFlight > before || h.totals("v1").InFlight > stable
		})
		if h.totals("v2").InFlight > before {
			return c
		}
	}
	h.t.Fatal("no request was drawn for the canary")
	return nil
}

// judged is what the judge has counted of the canary so far.
func (h *hanging) judged() stats.Counts {
	c, _ := h.reader.Delta(1)
	h.counts.Bad += c.Bad
	h.counts.Good += c.Good
	return h.counts
}

// stalled waits until so many requests to the canary have stalled.
func (h *hanging) stalled(n uint64) {
	h.t.Helper()
	await(h.t, fmt.Sprint(n, " stalls"), func() bool { return h.totals("v2").Stalled >= n })
}

func (h *hanging) spent() uint64 { return h.stats.Service("web").Budget().Spent() }

// A request that waits for too long is a failure at once; the client gets its answer all the same, and it counts no more.
func TestStalledRequestIsAnsweredLate(t *testing.T) {
	h := hang(t, nil)
	c := h.canary("/hang")
	h.stalled(1)
	await(t, "the budget is charged", func() bool { return h.spent() == 1 })
	if got := h.totals("v2"); got.InFlight != 1 || got.Requests != 0 || h.judged() != (stats.Counts{Bad: 1}) {
		t.Errorf("stalled: %+v, judged %+v", got, h.judged())
	}
	h.release()
	if got := c.receive(); got.status() != 200 || got.body != "ok" {
		t.Errorf("got %q %q", got.line, got.body)
	}
	await(t, "the request has ended", func() bool { return h.totals("v2").Requests == 1 })
	got := h.totals("v2")
	if got.InFlight != 0 || got.Stalled != 1 || got.Outcomes[stats.OutcomeOK] != 1 || got.Failed != 0 {
		t.Errorf("ended: %+v", got)
	}
	if h.judged() != (stats.Counts{Bad: 1}) || h.spent() != 1 {
		t.Errorf("judged %+v, spent %d", h.judged(), h.spent())
	}
}

// A request that fails after it has stalled is one failure and not two.
func TestStalledRequestFailsLate(t *testing.T) {
	h := hang(t, func(s *config.Service) {
		for name, v := range s.Variants {
			v.Timeouts.ResponseHeader = config.Duration(20 * stallTime)
			s.Variants[name] = v
		}
	})
	c := h.canary("/hang")
	h.stalled(1)
	if got := c.receive(); got.status() != 504 {
		t.Errorf("got %q", got.line)
	}
	if got := h.totals("v2"); got.Outcomes[stats.OutcomeTimeout] != 1 || got.Failed != 1 || got.InFlight != 0 {
		t.Errorf("ended: %+v", got)
	}
	if h.judged() != (stats.Counts{Bad: 1}) || h.spent() != 1 {
		t.Errorf("judged %+v, spent %d", h.judged(), h.spent())
	}
}

// A client that leaves after its request has stalled takes nothing back.
func TestClientLeavesAStalledRequest(t *testing.T) {
	h := hang(t, nil)
	c := h.canary("/hang")
	h.stalled(1)
	c.conn.Close()
	await(t, "the request has ended", func() bool { return h.totals("v2").Requests == 1 })
	if got := h.totals("v2"); got.Outcomes[stats.OutcomeClientGone] != 1 || got.InFlight != 0 {
		t.Errorf("ended: %+v", got)
	}
	if h.judged() != (stats.Counts{Bad: 1}) || h.spent() != 1 {
		t.Errorf("judged %+v, spent %d", h.judged(), h.spent())
	}
}

// A stall of the stable variant is one, too; and no rollout pays for it.
func TestStableStalls(t *testing.T) {
	h := hang(t, nil)
	c := h.dial().send(get("/hang", "X-Pin: v1"))
	await(t, "a stall", func() bool { return h.totals("v1").Stalled == 1 })
	h.release()
	if got := c.receive(); got.status() != 200 || h.spent() != 0 {
		t.Errorf("got %q, spent %d", got.line, h.spent())
	}
	if _, stable := h.reader.Delta(1); stable != (stats.Counts{}) {
		t.Errorf("a pinned request was judged: %+v", stable)
	}
}

// Hanging requests use up a budget while they hang.
func TestStallsSpendTheBudget(t *testing.T) {
	h := hang(t, nil)
	tripped := make(chan struct{})
	h.stats.Service("web").Budget().Arm(stats.Arming{Limits: stats.Limits{Failed: 3}, Trip: func() { close(tripped) }})
	for range 3 {
		h.canary("/hang")
	}
	select {
	case <-tripped:
	case <-time.After(patience):
		t.Fatal("the budget was not spent")
	}
	if got := h.totals("v2"); got.InFlight != 3 || got.Requests != 0 {
		t.Errorf("%+v", got)
	}
}

// What goes wrong in a trip costs the sweep nothing.
func TestSweepSurvivesAPanic(t *testing.T) {
	h := hang(t, nil)
	h.stats.Service("web").Budget().Arm(stats.Arming{Limits: stats.Limits{Failed: 1}, Trip: func() { panic("trip") }})
	h.canary("/hang")
	await(t, "the panic is counted", func() bool { return h.server.Numbers().Panics == 1 })
	h.canary("/hang")
	h.stalled(2)
}

// Each of the requests of one connection stands for itself.
func TestStallsOnOneConnection(t *testing.T) {
	turn := make(chan struct{})
	o := newOrigin(t, func(v *visit) {
		if v.read() && v.target() == "/hang" {
			<-turn
		}
		v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	s := plain(o.address)
	web := s.Services["web"]
	web.StallTimeout = stallAfter(stallTime)
	s.Services["web"] = web
	r := start(t, s)
	c := r.dial()
	for n := range uint64(3) {
		c.send(get("/hang"))
		await(t, "a stall", func() bool { return r.totals("v1").Stalled == n+1 })
		turn <- struct{}{}
		if got := c.receive(); got.status() != 200 {
			t.Errorf("got %q", got.line)
		}
		for range 5 {
			c.send(get("/")).receive()
		}
	}
	if got := r.totals("v1"); got.Stalled != 3 || got.Requests != 18 || got.InFlight != 0 {
		t.Errorf("%+v", got)
	}
}

// Requests that may wait: long polls, and all of a service without a limit. An older request than one that stalled would
// have stalled before it.
func TestRequestsThatMayWait(t *testing.T) {
	h := hang(t, func(s *config.Service) { s.LongPolls = []string{"/poll/", "/events"} })
	for _, target := range []string{"/poll", "/poll/x", "/events?since=5"} {
		h.canary(target)
	}
	if got := h.totals("v2").InFlight; got != 3 {
		t.Fatalf("%d requests are in flight", got)
	}
	h.canary("/pollx")
	h.stalled(1)
	h.release()
	await(t, "all have ended", func() bool { return h.totals("v2").Requests == 4 })
	if got := h.totals("v2"); got.Stalled != 1 {
		t.Errorf("%d have stalled, want 1", got.Stalled)
	}
	if got := h.judged(); got != (stats.Counts{Bad: 1, Good: 3}) {
		t.Errorf("judged %+v", got)
	}

	off := hang(t, func(s *config.Service) { s.StallTimeout = config.StallTimeout{} })
	off.canary("/hang")
	other := hang(t, nil)
	other.canary("/hang")
	other.stalled(1)
	off.release()
	await(t, "it has ended", func() bool { return off.totals("v2").Requests == 1 })
	if got := off.totals("v2"); got.Stalled != 0 || off.judged() != (stats.Counts{Good: 1}) {
		t.Errorf("%+v, judged %+v", got, off.judged())
	}
}

// A request whose body is still on its way waits for nobody; its time begins when the body has gone.
func TestUploadIsNoStall(t *testing.T) {
	h := hang(t, nil)
	c := h.dial().send("POST /hang HTTP/1.1\r\nHost: a.test\r\nX-Pin: v2\r\nContent-Length: 4\r\n\r\nab")
	await(t, "the upload has begun", func() bool { return h.totals("v2").InFlight == 1 })
	for n := range uint64(2) {
		h.canary("/hang")
		await(t, "a later request has stalled", func() bool { return h.judged().Bad == n+1 })
	}
	if got := h.totals("v2").Stalled; got != 2 {
		t.Errorf("%d have stalled, want 2", got)
	}
	if _, err := io.WriteString(c.conn, "cd"); err != nil {
		t.Fatal(err)
	}
	h.stalled(3)
	h.release()
	if got := c.receiveTo("POST"); got.status() != 200 {
		t.Errorf("got %q", got.line)
	}
}
