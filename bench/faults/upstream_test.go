package faults

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// rate is the requests a second of most tests: a load, not an overload.
const rate = 150

// pass is how long a fault is left to do harm before the next thing happens.
func pass(d time.Duration) { <-time.After(d) }

// One of two origins is killed and comes back. What is safe to repeat is answered all the time, but for a second at most;
// what is not is lost where it was under way, and never delivered twice.
func killedOrigin(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, mixed)
	pass(time.Second)
	killed := time.Now()
	s.origins[0].kill()
	pass(2 * time.Second)
	s.origins[0].start(t)
	pass(2 * time.Second)
	r := load.stop()
	late := r.of(func(s shot) bool {
		return !s.good() && s.method == http.MethodGet && s.at.Sub(killed) > time.Second
	})
	if len(late) > 0 {
		t.Errorf("%d GETs failed more than a second after the origin was killed", len(late))
	}
	if posts := r.of(func(s shot) bool { return !s.good() && s.method == http.MethodPost }); len(posts) > 20 {
		t.Errorf("%d POSTs failed", len(posts))
	}
	s.conclude(t, r, killed)
	s.account(t, before, r)
}

// Both origins are killed: clients are told so at once, and are served again as soon as the origins are back.
func allOriginsKilled(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, mixed)
	pass(500 * time.Millisecond)
	killed := time.Now()
	for _, o := range s.origins {
		o.kill()
	}
	pass(1500 * time.Millisecond)
	for _, o := range s.origins {
		o.start(t)
	}
	back := time.Now()
	pass(3 * time.Second)
	r := load.stop()
	for _, one := range r.of(func(s shot) bool { return s.at.After(killed) && !s.good() }) {
		if one.status != http.StatusBadGateway && one.status != http.StatusServiceUnavailable || one.took > 500*time.Millisecond {
			t.Errorf("a client saw %s after %v", one.saw(), one.took)
			break
		}
	}
	if took := r.recovered(back); took > 2*time.Second {
		t.Errorf("requests failed for %v after the origins were back", took)
	}
	s.conclude(t, r, back)
	s.account(t, before, r)
}

// One of two origins hangs: its requests end with 504 at the time limit, the other's go on as before.
func hungOrigin(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, mixed)
	pass(500 * time.Millisecond)
	hung := time.Now()
	s.origins[0].signal(t, syscall.SIGSTOP)
	pass(3 * time.Second)
	s.origins[0].signal(t, syscall.SIGCONT)
	back := time.Now()
	pass(2 * time.Second)
	r := load.stop()
	for _, one := range r.bad() {
		limit := time.Second // response_header, and the connection within it
		if one.status != http.StatusGatewayTimeout || one.took < limit*9/10 || one.took > limit*16/10 {
			t.Errorf("a client saw %s after %v", one.saw(), one.took)
			break
		}
	}
	if took := r.slowest(0.5); took > 250*time.Millisecond {
		t.Errorf("half of the good answers took more than %v", took)
	}
	if took := r.recovered(back); took > time.Second {
		t.Errorf("requests failed for %v after the origin went on", took)
	}
	s.conclude(t, r, hung)
	s.account(t, before, r)
}

// Origins cut their answers short at every place there is, by FIN and by RST: no client takes what it got for whole.
func answersCutAtEveryByte(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	whole := len("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n0123456789ab-100 0\n")
	load := startLoad(t, s.Address, 2*rate, func(n int) (string, string) {
		return http.MethodGet, fmt.Sprintf("/?act=cut&by=%s&at=%d", []string{"fin", "rst"}[n%2], n/2%whole)
	})
	began := time.Now()
	pass(time.Second)
	r := load.stop()
	if len(r.shots) < 2*whole {
		t.Fatalf("%d requests for %d places", len(r.shots), 2*whole)
	}
	for _, one := range r.shots {
		if one.good() || one.err == nil && one.status != http.StatusBadGateway {
			t.Errorf("%s: a client took %s for an answer", one.id, one.saw())
			break
		}
	}
	s.conclude(t, r, began)
	s.account(t, before, r)
}

// Origins close their connections behind their answers without a word: nobody notices.
func connectionsClosedBetweenRequests(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, func(n int) (string, string) {
		method, _ := mixed(n)
		return method, "/?act=close"
	})
	began := time.Now()
	pass(3 * time.Second)
	r := load.stop()
	if gets := r.of(func(s shot) bool { return !s.good() && s.method == http.MethodGet }); len(gets) > 0 {
		t.Errorf("%d GETs failed", len(gets))
	}
	// A POST whose connection closes as it is sent may be lost: nobody can know whether it was done.
	if posts := r.of(func(s shot) bool { return !s.good() && s.method == http.MethodPost }); len(posts) > len(r.shots)/100 {
		t.Errorf("%d POSTs failed", len(posts))
	}
	s.conclude(t, r, began)
	s.account(t, before, r)
}

// Half of the answers are slow to begin or slow to end: they come, and the others are not held up.
func slowOrigin(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	slow := func(n int) bool { return n%2 == 0 }
	load := startLoad(t, s.Address, rate, func(n int) (string, string) {
		switch {
		case !slow(n):
			return http.MethodGet, "/"
		case n%4 == 0:
			return http.MethodPost, "/?after=400ms"
		}
		return http.MethodGet, "/?act=drip"
	})
	began := time.Now()
	pass(3 * time.Second)
	r := load.stop()
	if len(r.bad()) > 0 {
		t.Errorf("clients saw %s", r.saw())
	}
	quick := report{r.of(func(one shot) bool {
		var n int
		_, _ = fmt.Sscan(one.id[strings.LastIndex(one.id, "-")+1:], &n)
		return !slow(n)
	})}
	if took := quick.slowest(0.95); took > 200*time.Millisecond {
		t.Errorf("of the requests that were not slow, 1 in 20 took more than %v", took)
	}
	s.conclude(t, r, began)
	s.account(t, before, r)
}
