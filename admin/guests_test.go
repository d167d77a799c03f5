package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"
)

// seat puts one connection more at the door, and says whether it is still open.
func seat(t *testing.T, g *guests) (connection net.Conn, visitor *guest, open func() bool) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	ctx := g.arrive(context.Background(), theirs)
	visitor = ctx.Value(guestKey{}).(*guest)
	return theirs, visitor, func() bool { return !errors.Is(theirs.SetDeadline(time.Time{}), io.ErrClosedPipe) }
}

// Connections beyond the limit cost the one that has waited longest; where all are busy, the newcomer.
func TestTooManyConnections(t *testing.T) {
	g := newGuests()
	var visitors []*guest
	var connections []net.Conn
	var open []func() bool
	for n := range connectionsMost {
		connection, visitor, isOpen := seat(t, g)
		connections, visitors, open = append(connections, connection), append(visitors, visitor), append(open, isOpen)
		if !isOpen() {
			t.Fatalf("connection %d is closed", n)
		}
	}
	visitors[0].begin() // answered now
	visitors[1].begin() // answered, and waits again: later than all others
	visitors[1].end()
	_, _, newOpen := seat(t, g)
	if got := []bool{open[0](), open[1](), open[2](), open[3](), newOpen()}; !slices.Equal(got, []bool{true, true, false, true, true}) {
		t.Fatalf("busy, again waiting, longest, next, new: %v", got)
	}
	g.watch(connections[2], http.StateClosed) // as the server reports it: must not make room twice
	for n := 3; n < connectionsMost; n++ {
		visitors[n].begin()
	}
	visitors[1].begin()
	g.mu.Lock()
	for _, sitting := range g.seated {
		sitting.busy = true
	}
	g.mu.Unlock()
	if _, _, isOpen := seat(t, g); isOpen() {
		t.Error("all are busy, and one too many is let in")
	}
	if len(g.seated) != connectionsMost {
		t.Errorf("%d connections", len(g.seated))
	}
	g.watch(connections[5], http.StateHijacked)
	if _, _, isOpen := seat(t, g); !isOpen() {
		t.Error("there is room again, but not for us")
	}
}

// Clients that send their head for ever, in numbers, keep nobody out: neither from TCP nor from the socket.
func TestSlowHeads(t *testing.T) {
	o := options(newFake())
	o.Config.Socket = socketPath(t)
	s := serve(t, o)
	tcp := s.Addr().String()
	for n := range connectionsMost + 50 {
		connection, err := net.Dial("tcp", tcp)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if n%2 == 0 { // the others say nothing
			_, _ = io.WriteString(connection, "GET /healthz HTTP/1.1\r\nHost: ")
		}
	}
	connection, err := net.Dial("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	start := time.Now()
	fmt.Fprintf(connection, "GET /api/v1/rollouts HTTP/1.1\r\nHost: %s\r\n\r\n", tcp)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil || response.StatusCode != 200 {
		t.Errorf("over TCP: %v %v", response, err)
	}
	if got := s.get("/api/v1/rollouts"); got.status != 200 {
		t.Errorf("over the socket: %d", got.status)
	}
	if took := time.Since(start); took > headerTimeout/2 {
		t.Errorf("it took %v", took)
	}
}

// flaky is a listener that fails a few times as the kernel does without file descriptors.
type flaky struct {
	net.Listener
	failures chan error
}

func (f *flaky) Accept() (net.Conn, error) {
	select {
	case err := <-f.failures:
		return nil, err
	default:
		return f.Listener.Accept()
	}
}

// A process without file descriptors keeps its admin side.
func TestAcceptIsTriedAgain(t *testing.T) {
	s, err := New(options(newFake()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	failing := &flaky{Listener: s.entries[0].listener, failures: make(chan error, 3)}
	for range cap(failing.failures) {
		failing.failures <- &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	s.entries[0].listener = failing
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + s.Addr().String() + "/healthz")
	if err != nil || response.StatusCode != 200 {
		t.Errorf("%v %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(failing.failures) != 0 {
		t.Error("the failures did not happen")
	}
}
