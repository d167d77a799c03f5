package proxy

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// rescued runs a service whose canary takes every request, with rescue.
func rescued(t *testing.T, stable, canary string, edit func(*config.Service)) *rig {
	t.Helper()
	s := sections(map[string]config.Variant{"v1": variantAt(stable), "v2": variantAt(canary)})
	web := s.Services["web"]
	web.Retries = config.Retries{Attempts: 1, MinConcurrent: 3}
	web.Rescue = &config.Rescue{Statuses: []config.StatusRange{{Low: 502, High: 504}}, BodySize: 1000}
	web.VariantField = "X-Variant"
	if edit != nil {
		edit(&web)
	}
	s.Services["web"] = web
	split := rollout(config.Whole)
	split.Revocation = new(router.Revocation)
	return startSplit(t, s, map[string]router.SplitSpec{"web": split}, zap.NewNop())
}

// slowly sets short time limits on the canary.
func slowly(header, request time.Duration) func(*config.Service) {
	return func(web *config.Service) {
		v := web.Variants["v2"]
		v.Timeouts.ResponseHeader, v.Timeouts.Request = config.Duration(header), config.Duration(request)
		web.Variants["v2"] = v
	}
}

func mute(v *visit) { v.read(); _, _ = v.reader.ReadByte(); v.hangUp() }

// However a canary fails a request that may be repeated, the client gets the stable's answer and the canary the blame.
func TestRescue(t *testing.T) {
	for _, c := range []struct {
		what    string
		canary  func(*visit) // nil: refuses connections
		edit    func(*config.Service)
		outcome stats.Outcome
	}{
		{"connect", nil, nil, stats.OutcomeConnect},
		{"reset", func(v *visit) { v.read(); v.reset() }, nil, stats.OutcomeReset},
		{"closed", func(v *visit) { v.read(); v.hangUp() }, nil, stats.OutcomeReset},
		{"malformed", func(v *visit) { v.answer("SSH-2.0 hello\r\n\r\n") }, nil, stats.OutcomeFraming},
		{"half a head", func(v *visit) { v.answer("HTTP/1.1 200 OK\r\nConte"); v.hangUp() }, nil, stats.OutcomeTruncated},
		{"switched unasked", func(v *visit) { v.answer("HTTP/1.1 101 Hi\r\n\r\n") }, nil, stats.OutcomeFraming},
		{"503", func(v *visit) { v.answer("HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nbad") }, nil, stats.OutcomeServerError},
		{"504 without end", func(v *visit) { v.answer("HTTP/1.1 504 No\r\nContent-Length: 30\r\n\r\nbad") }, nil, stats.OutcomeServerError},
		{"late", mute, slowly(50*time.Millisecond, 0), stats.OutcomeTimeout},
		{"late, with a limit for the whole", mute, slowly(0, 400*time.Millisecond), stats.OutcomeTimeout},
	} {
		address := nobody(t)
		if c.canary != nil {
			address = newOrigin(t, c.canary).address
		}
		stable := newOrigin(t, nil)
		r := rescued(t, stable.address, address, c.edit)
		client := r.dial()
		for _, request := range []string{
			get("/"), "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n",
			"PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\ndata",
			"DELETE / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n0\r\nX-T: 1\r\n\r\n",
		} {
			method, _, _ := strings.Cut(request, " ")
			got := client.send(request).receiveTo(method)
			if got.status() != 200 || got.value("X-Variant") != "v1" || method == "PUT" && stable.last().body != "data" {
				t.Errorf("%s: %s: got %q %q, the stable %q", c.what, method, got.line, got.fields, stable.last().body)
			}
		}
		if got := r.totals("v2"); got.Requests != 4 || got.Outcomes[c.outcome] != 4 || r.totals("v1").Requests != 0 {
			t.Errorf("%s: booked %+v and %+v", c.what, got.Outcomes, r.totals("v1"))
		}
		clients := r.stats.Service("web").Clients()
		if ok, failed := clients.Rescues(); ok != 4 || failed != 0 || r.saw(stats.OutcomeOK) != 4 || clients.Retries() != 0 {
			t.Errorf("%s: %d and %d rescues, clients saw %v", c.what, ok, failed, clients.Outcomes())
		}
	}
}

// What must not be repeated is not, and what cannot be is not refused for it.
func TestNoRescue(t *testing.T) {
	dying := func(v *visit) { v.read(); v.reset() }
	for _, c := range []struct {
		what, request string
		canary        func(*visit)
		edit          func(*config.Service)
		skip          stats.Skip
		status        int
	}{
		{"a POST", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\ndata", dying, nil, stats.SkipMethod, 502},
		{"an empty POST", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n", dying, nil, stats.SkipMethod, 502},
		{"a PATCH", "PATCH / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n", dying, nil, stats.SkipMethod, 502},
		{"a large body", "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1001\r\n\r\n" + strings.Repeat("x", 1001), dying, nil, stats.SkipBody, 502},
		{"a large body in chunks", "PUT / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("x", 1001) + "\r\n0\r\n\r\n", dying, nil, stats.SkipBody, 502},
		{"no time left", get("/"), mute, slowly(time.Minute, time.Nanosecond), stats.SkipDeadline, 504},
		{"no budget", get("/"), dying, func(web *config.Service) { web.Retries = config.Retries{} }, stats.SkipBudget, 502},
		{"a client with a hint", get("/"), func(v *visit) { v.answer("HTTP/1.1 103 Early Hints\r\n\r\n"); v.reset() }, nil, stats.SkipBegun, 502},
		{
			"an answer without a budget", get("/"), func(v *visit) { v.answer("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno") },
			func(web *config.Service) { web.Retries = config.Retries{} }, stats.SkipBudget, 503,
		},
	} {
		stable, canary := newOrigin(t, nil), newOrigin(t, c.canary)
		r := rescued(t, stable.address, canary.address, c.edit)
		client := r.dial().send(c.request)
		got := client.receive()
		if got.status() == 103 {
			got = client.receive()
		}
		if got.status() != c.status || stable.count() != 0 || canary.count() > 1 {
			t.Errorf("%s: got %q; the stable was sent %d, the canary %d", c.what, got.line, stable.count(), canary.count())
		}
		clients := r.stats.Service("web").Clients()
		if clients.SkippedRescues(c.skip) != 1 || r.totals("v2").Failed != 1 || r.saw(stats.OutcomeOK) != 0 {
			t.Errorf("%s: booked %+v, clients saw %v, skipped %d", c.what, r.totals("v2").Outcomes, clients.Outcomes(), clients.SkippedRescues(c.skip))
		}
	}
}

// Statuses that are not named go to the client, and a stable that fails as well is not asked twice.
func TestRescueLimits(t *testing.T) {
	stable := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\nstable") })
	canary := newOrigin(t, func(v *visit) {
		status := "500"
		if strings.Contains(v.line, "/502") {
			status = "502"
		}
		v.answer("HTTP/1.1 " + status + " Bad\r\nContent-Length: 6\r\n\r\ncanary")
	})
	r := rescued(t, stable.address, canary.address, nil)
	c := r.dial()
	if got := c.send(get("/500")).receive(); got.status() != 500 || got.body != "canary" {
		t.Errorf("got %q %q", got.line, got.body)
	}
	if got := c.send(get("/502")).receive(); got.status() != 502 || got.body != "stable" {
		t.Errorf("got %q %q", got.line, got.body)
	}
	if stable.count() != 1 || canary.held() != 1 {
		t.Errorf("the stable was sent %d; the canary has taken %d connections", stable.count(), canary.held())
	}
	if ok, failed := r.stats.Service("web").Clients().Rescues(); ok != 0 || failed != 1 || r.saw(stats.OutcomeServerError) != 2 {
		t.Errorf("%d and %d rescues", ok, failed)
	}
}

// A canary that dies in the middle of a body has had a part of it; the stable gets all of it, also what was still to come.
func TestRescueInTheMiddleOfABody(t *testing.T) {
	canary := newOrigin(t, func(v *visit) {
		if _, err := io.ReadFull(v.reader, make([]byte, 10)); err != nil {
			t.Error(err)
		}
		v.reset()
	})
	stable := newOrigin(t, nil)
	r := rescued(t, stable.address, canary.address, nil)
	body := strings.Repeat("0123456789", 50)
	c := r.dial().send("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 500\r\n\r\n", body[:200])
	c.send(body[200:])
	got := c.receive()
	// Whether the rest can still be read depends on where the death is noticed.
	if got.status() == 200 && stable.last().body != body || got.status() != 200 && got.status() != 502 {
		t.Errorf("got %q, the stable got %q", got.line, stable.last().body)
	}
	if got := r.totals("v2"); got.Requests != 1 || got.Failed != 1 {
		t.Errorf("booked %+v", got)
	}
}

// Many requests that all have to be rescued take turns within the budget, and none fails.
func TestRescueTakesTurns(t *testing.T) {
	var mu sync.Mutex
	var now, most int
	stable := newOrigin(t, func(v *visit) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		v.read()
		<-time.After(time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		v.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	r := rescued(t, stable.address, nobody(t), func(web *config.Service) {
		web.Retries = config.Retries{Budget: config.Whole / 5, MinConcurrent: 3}
	})
	var wait sync.WaitGroup
	for range 40 {
		c := r.dial()
		wait.Go(func() {
			for range 10 {
				if _, err := io.WriteString(c.conn, get("/")); err != nil {
					t.Error(err)
					return
				}
				if m, err := readResponse(c.reader, "GET"); err != nil || m.status() != 200 {
					t.Errorf("got %q, %v", m.line, err)
					return
				}
			}
		})
	}
	wait.Wait()
	if most > 8 {
		t.Errorf("%d of 40 requests were rescued at a time, a fifth may", most)
	}
	inside, waiting := r.server.snapshot.Load().shared["web"].again.len()
	if got := r.totals("v2"); got.Failed != 400 || inside != 0 || waiting != 0 {
		t.Errorf("booked %+v; %d inside, %d waiting", got, inside, waiting)
	}
}

// The second reading of a body gives what the first gave, and then what comes.
func TestReplay(t *testing.T) {
	whole := strings.Repeat("abcdefghij", 100)
	for _, taken := range []int{0, 1, 500, 999, 1000} {
		b := new(body)
		b.start(&clientConn{}, strings.NewReader(whole), 1000, 0)
		var r replay
		r.start(b, 1000)
		if _, err := io.ReadFull(&r, make([]byte, taken)); err != nil {
			t.Fatal(err)
		}
		r.rewind()
		got, err := io.ReadAll(&r)
		if string(got) != whole || err != nil {
			t.Errorf("after %d: %d octets, %v", taken, len(got), err)
		}
	}
}
