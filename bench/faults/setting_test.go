package faults

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/bench/process"
)

// configuration is one service with two endpoints, and time limits that are short enough to wait for.
const configuration = `
version: 1
listen: {address: "%ADDRESS%"}
admin: {address: "%ADMIN%"}
state: {store: memory, directory: "%DIR%/state"}
timeouts: {drain: 5s}
services:
  shop:
    variants:
      v1:
        endpoints: [%ENDPOINTS%]
        timeouts: {connect: 5s, response_header: 1s, keep_alive: 2s}
        ejection: {failures: 3, time: 1s}
    variant_field: X-Variant
`

// setting is a Haldane, the origins behind it and what it held when nothing was going on.
type setting struct {
	*process.Process
	origins  []*origin
	text     string // of the configuration, if it is not the one that most tests use
	baseline process.Measure
	most     int64 // memory that may be held above the baseline afterwards, in bytes
}

// alone makes a test run alone, once, where times are right.
func alone(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("the binary is the same in the pass without the race detector, and times are right there")
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
}

// setUp starts two origins and a Haldane in front, and warms it up. %ENDPOINTS% in the configuration are the origins.
func setUp(t *testing.T, o process.Options) *setting {
	t.Helper()
	s := &setting{origins: []*origin{newOrigin(t), newOrigin(t)}}
	o.Config = s.endpoints(o.Config)
	s.Process = process.Start(t, o)
	warm := startLoad(t, s.Address, 200, mixed)
	<-time.After(500 * time.Millisecond)
	if r := warm.stop(); len(r.bad()) > 0 {
		t.Fatalf("before any fault: %s", r.saw())
	}
	s.idle(t)
	s.baseline, s.most = s.Measure(t), 24<<20
	return s
}

func (s *setting) endpoints(text string) string {
	var all []string
	for _, o := range s.origins {
		all = append(all, o.address)
	}
	return strings.ReplaceAll(text, "%ENDPOINTS%", strings.Join(all, ", "))
}

// idle waits until no client is connected and no request is under way.
func (s *setting) idle(t *testing.T) {
	t.Helper()
	process.Until(t, "nothing is going on", func() bool {
		return s.Metric(t, "haldane_client_connections") == 0 && s.Metric(t, "haldane_requests_in_flight") == 0
	})
}

// conclude reports what a fault has done, and checks that nothing of it stays: no request under way, no goroutine, no
// descriptor, no memory.
func (s *setting) conclude(t *testing.T, r report, since time.Time) {
	t.Helper()
	s.idle(t)
	var now process.Measure
	leaks := func() string {
		now = s.Measure(t)
		switch b := s.baseline; {
		case now.Goroutines > b.Goroutines+10:
			return fmt.Sprintf("%d goroutines, %d before", now.Goroutines, b.Goroutines)
		case now.Files > b.Files+10:
			return fmt.Sprintf("%d descriptors, %d before", now.Files, b.Files)
		case now.Resident > b.Resident+s.most:
			return fmt.Sprintf("%d MiB, %d MiB before", now.Resident>>20, b.Resident>>20)
		}
		return ""
	}
	// On a machine that has other work a collection takes long, and the next one waits a hundred times as long.
	if !process.Within(30*time.Second, func() bool { return leaks() == "" }) {
		t.Errorf("left over: %s", leaks())
	}
	t.Logf("%d requests, %d failed (clients saw %s), recovered after %v; goroutines %d -> %d, descriptors %d -> %d, memory %d -> %d MiB",
		len(r.shots), len(r.bad()), r.saw(), r.recovered(since).Round(time.Millisecond),
		s.baseline.Goroutines, now.Goroutines, s.baseline.Files, now.Files, s.baseline.Resident>>20, now.Resident>>20)
}

// account checks that every request of a load is somewhere: what clients sent is what Haldane booked, once, and nothing that
// is not safe to repeat reached the origins twice.
func (s *setting) account(t *testing.T, before ledger, r report) {
	t.Helper()
	sent := len(r.of(func(s shot) bool { return s.dialled }))
	after := s.ledger(t)
	// What a client left behind is booked once the proxy has noticed that, which may be after the client has gone on.
	for limit := time.Now().Add(5 * time.Second); after.booked-before.booked != sent && time.Now().Before(limit); {
		after = s.ledger(t)
	}
	if booked := after.booked - before.booked; booked != sent {
		t.Errorf("%d requests were sent, %d are booked", sent, booked)
	}
	if good, known := len(r.of(shot.good)), after.ok-before.ok; known < good {
		t.Errorf("clients saw %d good answers, %d are booked", good, known)
	}
	for _, one := range r.shots {
		arrived := after.arrived[one.method+" "+one.id] - before.arrived[one.method+" "+one.id]
		if one.method == http.MethodPost && arrived > 1 {
			t.Errorf("%s %s was delivered %d times", one.method, one.id, arrived)
		}
		if one.good() && arrived == 0 {
			t.Errorf("%s %s was answered and never arrived", one.method, one.id)
		}
	}
}

// ledger is who has counted how many requests.
type ledger struct {
	booked  int            // by Haldane, on its variants
	ok      int            // answers that were good for their clients, by Haldane
	arrived map[string]int // at the origins
}

func (s *setting) ledger(t *testing.T) ledger {
	t.Helper()
	l := ledger{
		booked: int(s.Metric(t, "haldane_request_outcomes_total")), ok: int(s.Metric(t, "haldane_client_requests_total", `outcome="ok"`)),
		arrived: make(map[string]int),
	}
	for _, o := range s.origins {
		for id, n := range o.requests(t) {
			l.arrived[id] += n
		}
	}
	return l
}
