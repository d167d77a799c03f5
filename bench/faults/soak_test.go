package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// soakFor is how long the mixed faults go on; three rounds without it. soakRate is the requests a second, if not as in other tests.
const (
	soakFor  = "HALDANE_SOAK"
	soakRate = "HALDANE_SOAK_RATE"
)

// twoVariants is a service whose variants are asked for by name, each with an origin of its own.
const twoVariants = `
version: 1
listen: {address: "%ADDRESS%"}
admin: {address: "%ADMIN%", profiles: true}
state: {store: file, directory: "%DIR%/state"}
timeouts: {drain: 5s, header: 1s, body: 1s, write: 1s}
services:
  shop:
    variants:
      v1: {endpoints: ["%FIRST%"], timeouts: {connect: 5s, response_header: 1s}}
      v2: {endpoints: ["%SECOND%"], timeouts: {connect: 5s, response_header: 1s}}
    stable: v1
    pins: [{query: v}]
    variant_field: X-Variant
`

// TestSoak lets one fault follow the other, again and again: what the process holds afterwards is what it held when it had seen every
// fault, and every request is accounted for, by variant.
func TestSoak(t *testing.T) {
	alone(t)
	limit, perSecond := soak(t)
	s := &setting{origins: []*origin{newOrigin(t), newOrigin(t)}}
	s.text = strings.NewReplacer("%FIRST%", s.origins[0].address, "%SECOND%", s.origins[1].address).Replace(twoVariants)
	s.Process = process.Start(t, process.Options{Binary: process.Build(t), Config: s.text})
	books := s.books(t)
	began := time.Now()
	held := levels{began: began}
	for rounds := 0; rounds < 3 || time.Since(began) < limit; rounds++ {
		s.round(t, rounds, perSecond, &books)
		s.idle(t)
		held.add(t, s.Measure(t))
	}
	s.audit(t, books)
	settled := held.settled(limit)
	var now process.Measure
	more := func(before, after, slack int64) bool { return after > before+before/20+slack }
	same := func() bool {
		held.all = append(held.all, level{time.Now(), s.Measure(t)})
		now = held.latest()
		return !more(int64(settled.Goroutines), int64(now.Goroutines), 2) && !more(int64(settled.Files), int64(now.Files), 2) &&
			!more(settled.Resident, now.Resident, 8<<20)
	}
	if !process.Within(20*time.Second, same) {
		t.Error("something leaks")
	}
	t.Logf("%v, %d requests; %s -> %s", time.Since(began).Round(time.Second), books.sent, inWords(settled), inWords(now))
}

// soak is how long a run is asked for, and at how many requests a second.
func soak(t *testing.T) (limit time.Duration, perSecond int) {
	t.Helper()
	perSecond = rate
	var err error
	if text := os.Getenv(soakFor); text != "" {
		if limit, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv(soakRate); text != "" {
		if perSecond, err = strconv.Atoi(text); err != nil || perSecond < 1 {
			t.Fatalf("%s=%s: a number of requests a second is wanted", soakRate, text)
		}
	}
	return limit, perSecond
}

// levels is what a process held, again and again, when nothing was going on.
type levels struct {
	began time.Time
	all   []level
	told  int // minutes that were logged
}

type level struct {
	at time.Time
	process.Measure
}

// add adds a look at the process, and logs one in a minute.
func (l *levels) add(t *testing.T, m process.Measure) {
	t.Helper()
	l.all = append(l.all, level{time.Now(), m})
	if minute := int(time.Since(l.began) / time.Minute); minute > l.told {
		l.told = minute
		t.Logf("%3d min, %4d rounds: %s", minute, len(l.all), inWords(l.latest()))
	}
}

// settled is what the process holds once it has seen every fault: after the first round, and in a long run in the second tenth of it.
func (l *levels) settled(limit time.Duration) process.Measure {
	var within []level
	for _, one := range l.all {
		if since := one.at.Sub(l.began); since > limit/10 && since <= limit/5 {
			within = append(within, one)
		}
	}
	if len(within) == 0 {
		return l.all[0].Measure
	}
	return middle(within)
}

// latest is the median of the last looks: one of them alone sees the memory of whatever the collector has not come to yet.
func (l *levels) latest() process.Measure { return middle(l.all[max(0, len(l.all)-9):]) }

func middle(all []level) process.Measure {
	median := func(of func(level) int64) int64 {
		var values []int64
		for _, one := range all {
			values = append(values, of(one))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return process.Measure{
		Goroutines: int(median(func(l level) int64 { return int64(l.Goroutines) })),
		Files:      int(median(func(l level) int64 { return int64(l.Files) })),
		Resident:   median(func(l level) int64 { return l.Resident }),
	}
}

func inWords(m process.Measure) string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %.1f MiB", m.Goroutines, m.Files, float64(m.Resident)/(1<<20))
}

// round is all faults once, one after the other, under load.
func (s *setting) round(t *testing.T, n, perSecond int, books *books) {
	t.Helper()
	load := startLoad(t, s.Address, perSecond, func(n int) (string, string) {
		method, _ := mixed(n)
		act := []string{"", "&act=close", "&after=100ms", "&act=drip", "&act=cut&by=rst&at=50", ""}[n/2%6]
		return method, fmt.Sprintf("/?v=v%d%s", n%2+1, act)
	})
	pass(200 * time.Millisecond)
	others, leave := s.vanish(t)
	books.others += others
	s.origins[0].kill()
	pass(300 * time.Millisecond)
	s.reload(t, strings.Replace(s.text, "X-Variant", fmt.Sprintf("X-Variant-%d", n), 1))
	s.origins[0].start(t)
	s.origins[1].signal(t, syscall.SIGSTOP)
	pass(300 * time.Millisecond)
	s.origins[1].signal(t, syscall.SIGCONT)
	s.Configure(t, "half of a")
	pass(300 * time.Millisecond)
	s.Configure(t, s.text)
	pass(1200 * time.Millisecond) // those that are slow meet their limits
	leave()
	books.add(load.stop())
}

// vanish is clients that go away in the middle of something, and others that are slow until they leave. It says how many requests
// are theirs.
func (s *setting) vanish(t *testing.T) (requests int, leave func()) {
	t.Helper()
	var slow []*visitor
	const each = 10
	for n := range each {
		head := func(target, more string) string {
			return fmt.Sprintf("GET /?v=v%d%s HTTP/1.1\r\nHost: a.test\r\nX-Id: gone\r\n%s\r\n", n%2+1, target, more)
		}
		upgrade := "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		tunnel, stream := visit(t, s.Address, head("&act=upgrade", upgrade)), visit(t, s.Address, head("&act=events", ""))
		tunnel.echoes(t)
		if _, err := http.ReadResponse(stream.reader, nil); err != nil {
			t.Error(err)
		}
		loading := visit(t, s.Address, head("&act=large", ""))
		_, _ = io.ReadFull(loading.reader, make([]byte, 1000))
		waiting := visit(t, s.Address, head("&after=900ms", ""))
		upload := visit(t, s.Address, strings.Replace(head("", "Content-Length: 100000\r\n"), "GET", "POST", 1)+"some of it")
		pass(5 * time.Millisecond) // or it may be closed before its head was read
		for _, v := range []*visitor{tunnel, stream, loading, waiting, upload} {
			v.conn.Close()
		}
		slow = append(slow, visit(t, s.Address, "GET / HTTP/1.1\r\nHost:")) // no request; closed by its limit
	}
	return 5 * each, func() {
		for _, v := range slow {
			v.conn.Close()
		}
	}
}

// books is what the clients know of a long run.
type books struct {
	sent, others int
	good         [2]int // whole answers, by variant
	before       ledger
	retries      float64
}

func (s *setting) books(t *testing.T) books {
	t.Helper()
	return books{before: s.ledger(t), retries: s.Metric(t, "haldane_retries_total")}
}

// add books a load, whose requests go to the variants in turns.
func (b *books) add(r report) {
	for _, one := range r.shots {
		if one.dialled {
			b.sent++
		}
		if one.good() {
			var n int
			_, _ = fmt.Sscan(one.id[strings.LastIndex(one.id, "-")+1:], &n)
			b.good[n%2]++
		}
	}
}

// audit holds the books of the clients, of Haldane and of the origins against each other.
func (s *setting) audit(t *testing.T, b books) {
	t.Helper()
	booked := func() int { return s.ledger(t).booked - b.before.booked }
	if !process.Within(5*time.Second, func() bool { return booked() == b.sent+b.others }) {
		t.Errorf("%d requests were sent, %d are booked", b.sent+b.others, booked())
	}
	retries := int(s.Metric(t, "haldane_retries_total") - b.retries)
	for i, o := range s.origins {
		variant := fmt.Sprintf("variant=\"v%d\"", i+1)
		all, ok := int(s.Metric(t, "haldane_request_outcomes_total", variant)), int(s.Metric(t, "haldane_request_outcomes_total", variant, `outcome="ok"`))
		arrived, ids := 0, 0
		for id, n := range o.requests(t) {
			arrived += n
			if !strings.HasSuffix(id, "gone") {
				ids++
			}
		}
		// A request that was well at its second try is booked as it was at the first one.
		// Each request that was well came to the origin of its variant, and nothing came there that is not booked on it.
		if ok+retries < b.good[i] || arrived < ok || arrived > all+retries || ids > all {
			t.Errorf("%s: clients saw %d good answers, Haldane has booked %d good of %d, %d came to the origin (%d of the load), %d retries",
				variant, b.good[i], ok, all, arrived, ids, retries)
		}
		t.Logf("%s: clients saw %d good answers, Haldane has booked %d good of %d, %d came to the origin; %d retries in all",
			variant, b.good[i], ok, all, arrived, retries)
	}
}
