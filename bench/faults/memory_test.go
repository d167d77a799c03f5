package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"haldane/bench/process"
)

// uploader sends the head of a large upload and a part of its body, and then nothing more, until the test ends.
type uploader struct {
	conn   net.Conn
	status int // of an answer that came all the same; read it after the crowd has gone
	why    string
	retry  string
}

// crowdOf opens so many uploads.
func crowdOf(count int, address string) []*uploader {
	var all []*uploader
	part := strings.Repeat("x", 64<<10)
	for n := range count {
		conn, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err != nil {
			continue
		}
		u := &uploader{conn: conn}
		all = append(all, u)
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a.test\r\nX-Id: crowd-%d\r\nX-Filler: %s\r\nContent-Length: 100000000\r\n\r\n%s",
			n, part[:8<<10], part)
	}
	return all
}

// listen notes an answer. It returns when the connection ends.
func (u *uploader) listen() {
	response, err := http.ReadResponse(bufio.NewReader(u.conn), nil)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	u.status, u.why, u.retry = response.StatusCode, response.Header.Get("Haldane-Error"), response.Header.Get("Retry-After")
}

// The process has a limit of memory, and comes to hold more clients than fit into it: who comes later is told so, what was under way
// goes on, nothing ends the process, and it serves everybody again when they have gone.
func littleMemory(t *testing.T, binary string) {
	const limit, half = 64 << 20, 64 << 10
	s := setUp(t, process.Options{
		Binary: binary, Config: strings.Replace(configuration, "services:", "limits: {header_size: 64KiB}\nservices:", 1),
		Through: []string{"env", fmt.Sprintf("GOMEMLIMIT=%d", limit)},
	})
	before := s.ledger(t)
	began := time.Now()
	early := visit(t, s.Address, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a.test\r\nX-Id: early\r\nContent-Length: %d\r\n\r\n%s", 2*half, strings.Repeat("x", half)))
	others := 1 // requests that are not the crowd's
	var listening sync.WaitGroup
	var crowd []*uploader
	most := int64(0)
	for range 40 {
		more := crowdOf(50, s.Address)
		for _, u := range more {
			listening.Go(u.listen)
		}
		crowd = append(crowd, more...)
		most = max(most, s.Resident(t))
	}
	others += s.whileShort(t)
	if _, err := io.WriteString(early.conn, strings.Repeat("x", half)); err != nil {
		t.Error(err)
	}
	if err := early.answer(); err != nil {
		t.Errorf("a request that was under way: %v", err)
	}
	early.conn.Close()
	for _, u := range crowd {
		u.conn.Close()
	}
	listening.Wait()
	others += s.servedAgain(t)
	s.conclude(t, report{}, began)
	counted := int(s.Metric(t, "haldane_limited_requests_total", `"memory"`) + s.Metric(t, "haldane_client_connections_refused_total", `"memory"`))
	told := toldSo(t, crowd)
	if told == 0 || counted < told || most > 2*limit {
		t.Errorf("%d of %d were told that memory is short, %d are counted; up to %d MiB of %d were held", told, len(crowd), counted, most>>20, limit>>20)
	}
	// Some were closed before they had been read: they had found no room when others of their kind were being told.
	if sent, known := len(crowd)+others, s.ledger(t).booked-before.booked+counted; known > sent || known < sent*98/100 {
		t.Errorf("%d requests were sent, %d are accounted for", sent, known)
	}
	if n := strings.Count(s.Log(), "memory is short"); n == 0 || n > 3 {
		t.Errorf("%d lines of the log say that memory is short", n)
	}
	t.Logf("%d clients, %d of them told, %d turned away, up to %d MiB of %d", len(crowd), told, counted, most>>20, limit>>20)
}

// whileShort is what others see while memory is short. It says how many requests that took.
func (s *setting) whileShort(t *testing.T) (requests int) {
	t.Helper()
	if s.Metric(t, "haldane_memory_short") != 1 {
		t.Error("with all of them there, memory is not short")
	}
	process.Until(t, "who comes late is told so", func() bool { // and not only cut off, as those are of whom there are too many
		requests++
		err := visit(t, s.Address, "GET / HTTP/1.1\r\nHost: a.test\r\nX-Id: late\r\n\r\n").answer()
		return err != nil && err.Error() == "status 503"
	})
	return requests
}

// servedAgain waits until everybody is served, and says how many requests that took.
func (s *setting) servedAgain(t *testing.T) (requests int) {
	t.Helper()
	began := time.Now()
	process.Until(t, "new clients are served", func() bool {
		load := startLoad(t, s.Address, 100, mixed)
		pass(100 * time.Millisecond)
		r := load.stop()
		requests += len(r.shots)
		return len(r.shots) > 0 && len(r.bad()) == 0
	})
	t.Logf("served again after %v", time.Since(began).Round(time.Millisecond))
	return requests
}

// toldSo is how many were told that memory is short, which is all that anybody may have been told.
func toldSo(t *testing.T, crowd []*uploader) (told int) {
	t.Helper()
	for _, u := range crowd {
		if u.status == 0 {
			continue
		}
		told++
		if u.status != http.StatusServiceUnavailable || u.why != "out of memory" || u.retry == "" {
			t.Fatalf("a client was told %d, %q, Retry-After %q", u.status, u.why, u.retry)
		}
	}
	return told
}
