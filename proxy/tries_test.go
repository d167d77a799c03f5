package proxy

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// closing is an endpoint that answers the first request of each connection, and closes it at the second one.
func closing(t *testing.T) *origin {
	var mu sync.Mutex
	served := make(map[net.Conn]bool)
	return newOrigin(t, func(v *visit) {
		mu.Lock()
		again := served[v.conn]
		served[v.conn] = true
		mu.Unlock()
		if again {
			v.read()
			v.hangUp()
			return
		}
		v.ok()
	})
}

// retrying is sections with retries.
func retrying(retries config.Retries, addresses ...string) Sections {
	s := plain(addresses...)
	web := s.Services["web"]
	web.Retries = retries
	s.Services["web"] = web
	return s
}

// nobody is an address that refuses connections.
func nobody(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// saw is how many requests ended like this for the clients of "web".
func (r *rig) saw(o stats.Outcome) uint64 { return r.stats.Service("web").Clients().Outcomes()[o] }

// A request that may be repeated and meets a connection that is just being closed is sent again, and nobody sees it.
func TestStaleConnectionIsInvisible(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"} {
		o := closing(t)
		r := start(t, plain(o.address))
		c := r.dial()
		c.send(get("/one")).receive()
		for range 3 {
			c.send(method + " /two HTTP/1.1\r\nHost: a.test\r\n\r\n")
			if got := c.receiveTo(method); got.status() != 200 {
				t.Fatalf("%s: got %q %q", method, got.line, got.fields)
			}
		}
		if totals := r.totals("v1"); totals.Requests != 4 || totals.Outcomes[stats.OutcomeOK] != 4 {
			t.Errorf("%s: counted %+v", method, totals)
		}
		if n := r.stats.Service("web").Clients().Retries(); n != 0 {
			t.Errorf("%s: %d retries were counted", method, n)
		}
	}
}

// A request that must not be repeated never is.
func TestStaleConnectionOfAPost(t *testing.T) {
	for _, request := range []string{
		"POST /pay HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\npay1",
		"POST /pay HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n",
		"PATCH /pay HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		"UNKNOWN /pay HTTP/1.1\r\nHost: a.test\r\n\r\n",
	} {
		o := closing(t)
		r := start(t, retrying(config.Retries{Attempts: 3, MinConcurrent: 10}, o.address))
		c := r.dial()
		c.send(get("/one")).receive()
		if got := c.send(request).receive(); got.status() != 502 {
			t.Errorf("%q: got %q", request, got.line)
		}
		if n := o.count(); n != 2 {
			t.Errorf("%q: the endpoint got %d requests", request, n)
		}
	}
}

// What failed is booked, and then sent to another endpoint.
func TestRetryOnAnotherEndpoint(t *testing.T) {
	good := newOrigin(t, nil)
	dying := newOrigin(t, func(v *visit) { v.read(); v.reset() })
	for _, c := range []struct {
		bad     string
		outcome stats.Outcome
		request string
	}{
		{nobody(t), stats.OutcomeConnect, get("/")},
		{nobody(t), stats.OutcomeConnect, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\ndata"},
		{dying.address, stats.OutcomeReset, get("/")},
	} {
		r := start(t, retrying(config.Retries{Attempts: 1, MinConcurrent: 3}, c.bad, good.address))
		client := r.dial()
		for range 20 {
			if got := client.send(c.request).receive(); got.status() != 200 {
				t.Fatalf("%q: got %q %q", c.request, got.line, got.fields)
			}
		}
		totals, retries := r.totals("v1"), r.stats.Service("web").Clients().Retries()
		if totals.Requests != 20 || totals.Failed == 0 || totals.Failed != totals.Outcomes[c.outcome] || totals.Failed != retries {
			t.Errorf("%q: %d retries, counted %+v", c.request, retries, totals)
		}
		if n := r.saw(stats.OutcomeOK); n != 20 {
			t.Errorf("%q: %d requests ended well for their clients", c.request, n)
		}
	}
}

// A request that may have had an effect is not sent again, and no request is sent again more often than is said.
func TestNoRetry(t *testing.T) {
	dying := newOrigin(t, func(v *visit) { v.read(); v.reset() })
	half := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 200 OK\r\nContent-"); v.hangUp() })
	hinting := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 103 Early Hints\r\n\r\n"); v.reset() })
	once := config.Retries{Attempts: 1, MinConcurrent: 3}
	for _, c := range []struct {
		what    string
		retries config.Retries
		o       *origin
		request string
		want    int
	}{
		{"a POST", once, dying, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n", 1},
		{"a PUT with a body", once, dying, "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\ndata", 1},
		{"an answer that has begun", once, half, get("/"), 1},
		{"a client that has a hint", once, hinting, get("/"), 1},
		{"switched off", config.Retries{Budget: config.Whole, MinConcurrent: 3}, dying, get("/"), 1},
		{"no budget", config.Retries{Attempts: 1}, dying, get("/"), 1},
		{"once", once, dying, get("/"), 2},
		{"three times", config.Retries{Attempts: 3, MinConcurrent: 1}, dying, get("/"), 4},
	} {
		before := c.o.count()
		r := start(t, retrying(c.retries, c.o.address))
		client := r.dial().send(c.request)
		got := client.receive()
		if got.status() == 103 {
			got = client.receive()
		}
		if got.status() != 502 {
			t.Errorf("%s: got %q", c.what, got.line)
		}
		if n := c.o.count() - before; n != c.want {
			t.Errorf("%s: sent %d times, want %d", c.what, n, c.want)
		}
		if totals := r.totals("v1"); totals.Requests != 1 || totals.Failed != 1 || totals.InFlight != 0 {
			t.Errorf("%s: counted %+v", c.what, totals)
		}
	}
}

// An answer that is late is only repeated where the whole request has a limit, and there is time left.
func TestRetryOfATimeout(t *testing.T) {
	for _, c := range []struct {
		request time.Duration
		want    int
	}{{0, 1}, {patience, 2}} {
		o := newOrigin(t, func(v *visit) { v.read(); _, _ = v.reader.ReadByte(); v.hangUp() })
		s := retrying(config.Retries{Attempts: 1, MinConcurrent: 3}, o.address)
		v := s.Services["web"].Variants["v1"]
		v.Timeouts.ResponseHeader, v.Timeouts.Request = config.Duration(50*time.Millisecond), config.Duration(c.request)
		s.Services["web"].Variants["v1"] = v
		r := start(t, s)
		if got := r.dial().send(get("/")).receive(); got.status() != 504 {
			t.Errorf("got %q", got.line)
		}
		// What was sent may be read later than the client has its answer.
		if n := r.stats.Service("web").Clients().Retries(); n != uint64(c.want-1) {
			t.Errorf("with a limit of %v: sent again %d times, want %d", c.request, n, c.want-1)
		}
		await(t, fmt.Sprintf("with a limit of %v: sent %d times", c.request, c.want), func() bool { return o.count() == c.want })
	}
}

// The failure that rolls the canary back sends its own retry to the stable.
func TestRetryAfterARollback(t *testing.T) {
	stable := newOrigin(t, nil)
	var revocation router.Revocation
	canary := newOrigin(t, func(v *visit) { v.read(); revocation.Revoke(); v.reset() })
	s := sections(map[string]config.Variant{"v1": variantAt(stable.address), "v2": variantAt(canary.address)})
	web := s.Services["web"]
	web.Retries = config.Retries{Attempts: 2, MinConcurrent: 3}
	s.Services["web"] = web
	split := rollout(config.Whole)
	split.Revocation = &revocation
	r := startSplit(t, s, map[string]router.SplitSpec{"web": split}, zap.NewNop())
	if got := r.dial().send(get("/")).receive(); got.status() != 200 {
		t.Errorf("got %q", got.line)
	}
	if canary.count() != 1 || stable.count() != 1 {
		t.Errorf("the canary got %d requests, the stable %d", canary.count(), stable.count())
	}
	if got := r.totals("v2"); got.Outcomes[stats.OutcomeReset] != 1 || r.totals("v1").Requests != 0 {
		t.Errorf("counted %+v, %+v", got, r.totals("v1"))
	}
}

// The budget is a share of what is under way.
func TestRetryBudget(t *testing.T) {
	held := make(chan struct{})
	slow := newOrigin(t, func(v *visit) {
		if strings.Contains(v.line, "/hold") {
			v.read()
			<-held
			v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return
		}
		v.read()
		v.reset()
	})
	release := barrier(t, held)
	r := start(t, retrying(config.Retries{Attempts: 1, Budget: config.Whole / 4}, slow.address))
	if r.dial().send(get("/")).receive(); slow.count() != 1 {
		t.Errorf("a request that is alone was sent %d times", slow.count())
	}
	var holders []*client
	for range 3 {
		holders = append(holders, r.dial().send(get("/hold")))
	}
	await(t, "three requests under way", func() bool { return slow.count() == 4 })
	if r.dial().send(get("/")).receive(); slow.count() != 6 {
		t.Errorf("a fourth of four requests under way was not sent again: %d", slow.count()-4)
	}
	release()
	for _, c := range holders {
		c.receive()
	}
}

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q turns
		terms := queueTerms{room: 2, line: 2, limit: time.Second}
		if q.wait(terms) != queueServed || !q.take(2) || q.take(2) {
			t.Fatal("two places")
		}
		var order []int
		var mu sync.Mutex
		var wait sync.WaitGroup
		for i := range 2 {
			wait.Go(func() {
				if got := q.wait(terms); got != queueServed {
					t.Errorf("waiter %d: %v", i, got)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
			})
			synctest.Wait()
		}
		if q.wait(terms) != queueFull {
			t.Error("a third one may wait")
		}
		q.leave(2)
		synctest.Wait()
		q.leave(2)
		wait.Wait()
		if len(order) != 2 || order[0] != 0 {
			t.Errorf("served in the order %v", order)
		}
		before := time.Now()
		if q.wait(terms) != queueLate || time.Since(before) != time.Second {
			t.Errorf("gave up after %v", time.Since(before))
		}
		q.leave(2)
		q.leave(2)
		if inside, waiting := q.len(); inside != 0 || waiting != 0 {
			t.Errorf("%d inside, %d waiting", inside, waiting)
		}
		if q.wait(queueTerms{room: 0, line: 5, limit: time.Second}) != queueFull {
			t.Error("waits for nobody")
		}
	})
}
