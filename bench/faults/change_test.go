package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/bench/process"
)

// visitor is a client that keeps its connection.
type visitor struct {
	conn   net.Conn
	reader *bufio.Reader
}

// visit opens a connection and makes one request on it.
func visit(t *testing.T, address, request string) *visitor {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	v := &visitor{conn, bufio.NewReader(conn)}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return v
}

// again makes another request and says whether it was answered well.
func (v *visitor) again() error {
	if _, err := io.WriteString(v.conn, "GET / HTTP/1.1\r\nHost: a.test\r\nX-Id: again\r\n\r\n"); err != nil {
		return err
	}
	return v.answer()
}

// answer reads one answer.
func (v *visitor) answer() error {
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// reload puts a configuration in force and waits for that.
func (s *setting) reload(t *testing.T, text string) {
	t.Helper()
	before := s.reloads(t)
	s.Configure(t, s.endpoints(text))
	s.Signal(t, syscall.SIGHUP)
	process.Until(t, "the configuration is read", func() bool { return s.reloads(t) > before })
}

func (s *setting) reloads(t *testing.T) float64 {
	t.Helper()
	return s.Metric(t, "haldane_config_reloads_total")
}

// A hundred reloads under load: no request fails, no idle connection is closed, a stream goes on, and so does a tunnel.
func reloadStorm(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t) // before anything is sent: a tunnel is booked as soon as it is open, other requests when they have ended
	var idle []*visitor
	for range 50 {
		v := visit(t, s.Address, "GET / HTTP/1.1\r\nHost: a.test\r\nX-Id: idle\r\n\r\n")
		if err := v.answer(); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, v)
	}
	stream := visit(t, s.Address, "GET /?act=events HTTP/1.1\r\nHost: a.test\r\n\r\n")
	tunnel := visit(t, s.Address, "GET /?act=upgrade HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	load := startLoad(t, s.Address, rate, mixed)
	began := time.Now()
	for n := range 100 {
		s.reload(t, strings.Replace(configuration, "X-Variant", fmt.Sprintf("X-Variant-%d", n), 1))
	}
	storm := time.Since(began)
	r := load.stop()
	if len(r.bad()) > 0 {
		t.Errorf("clients saw %s", r.saw())
	}
	closed := 0
	for _, v := range idle {
		if v.again() != nil {
			closed++
		}
	}
	if closed > 0 {
		t.Errorf("%d of %d idle connections were closed", closed, len(idle))
	}
	stream.flows(t)
	tunnel.echoes(t)
	for _, v := range append(idle, stream, tunnel) {
		v.conn.Close()
	}
	t.Logf("100 reloads in %v, %d idle connections closed", storm.Round(time.Millisecond), closed)
	s.conclude(t, r, began)
	s.accountStorm(t, before, r, 2*len(idle)+2)
}

// accountStorm is account where others than the load were there, too: their requests come on top.
func (s *setting) accountStorm(t *testing.T, before ledger, r report, others int) {
	t.Helper()
	before.booked += others
	s.account(t, before, r)
}

// flows reads of a stream what has come, and then something that was sent after that.
func (v *visitor) flows(t *testing.T) {
	t.Helper()
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil {
		t.Errorf("the stream: %v", err)
		return
	}
	// The body is not closed: that would read it to its end, which it does not have.
	lines := bufio.NewScanner(response.Body)
	now := time.Now()
	for last := 0; lines.Scan(); {
		if n := 0; strings.HasPrefix(lines.Text(), "data:") {
			if _, err := fmt.Sscanf(lines.Text(), "data: %d", &n); err != nil || n < last {
				t.Errorf("the stream: %q after %d", lines.Text(), last)
				return
			}
			last = n
		}
		if time.Since(now) > 200*time.Millisecond {
			return
		}
	}
	t.Errorf("the stream ended: %v", lines.Err())
}

// echoes sends something through a tunnel and wants it back.
func (v *visitor) echoes(t *testing.T) {
	t.Helper()
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("the tunnel: %v, %v", response, err)
		return
	}
	const frame = "\x82\x85\x01\x02\x03\x04bytes"
	if _, err := io.WriteString(v.conn, frame); err != nil {
		t.Errorf("the tunnel: %v", err)
		return
	}
	got := make([]byte, len(frame))
	if _, err := io.ReadFull(v.reader, got); err != nil || string(got) != frame {
		t.Errorf("the tunnel: %q, %v", got, err)
	}
}

// SIGTERM under load: every request that was sent on a connection is answered, and the process ends with 0. Later ones find no
// listener, as they would when the load balancer is late.
func stopUnderLoad(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	before := s.ledger(t)
	load := startLoad(t, s.Address, rate, func(n int) (string, string) {
		if n%10 == 0 {
			return http.MethodGet, "/?after=500ms"
		}
		return mixed(n)
	})
	pass(time.Second)
	told := time.Now()
	s.Signal(t, syscall.SIGTERM)
	if err := s.Wait(15 * time.Second); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	took := time.Since(told)
	r := load.stop()
	failed := r.of(func(s shot) bool { return s.dialled && !s.good() })
	if len(failed) > 0 {
		t.Errorf("of those with a connection, clients saw %s", report{failed}.saw())
	}
	served := len(r.of(shot.good))
	arrived := 0
	for _, o := range s.origins {
		for _, n := range o.requests(t) {
			arrived += n
		}
	}
	for _, n := range before.arrived {
		arrived -= n
	}
	if served != arrived {
		t.Errorf("%d answers, %d requests arrived", served, arrived)
	}
	t.Logf("%d requests, %d answered, %d found no listener, the process ended after %v", len(r.shots), served, len(r.shots)-served,
		took.Round(time.Millisecond))
}

// SIGQUIT ends the process at once, and leaves behind what all of it was doing.
func quitWithDump(t *testing.T, binary string) {
	s := setUp(t, process.Options{Binary: binary, Config: configuration})
	s.Signal(t, syscall.SIGQUIT)
	err := s.Wait(10 * time.Second)
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 2 {
		t.Errorf("the process ended with %v", err)
	}
	if log := s.Log(); !strings.Contains(log, "SIGQUIT") || !strings.Contains(log, "goroutine 1 ") {
		t.Errorf("there is no dump in %d bytes of log", len(log))
	}
}
