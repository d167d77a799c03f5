package proxy

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"haldane/proxy/listen"
	"haldane/proxy/socket"
	"haldane/proxy/upstream"
)

// The states of a client connection that a drain looks at.
const (
	connIdle    int32 = iota // between two requests
	connActive               // a request is being read or served
	connClosing              // closed by a drain
)

// What broke a connection.
const (
	unbroken        uint32 = iota
	brokenByPeer           // it has closed or reset the connection
	brokenBySilence        // it sent nothing within the limit
)

// readPhase says which time limit the next read is under.
type readPhase uint8

const (
	readFirst readPhase = iota // the first byte of a connection: the header limit
	readNext                   // the first byte of another request: the idle limit
	readHead                   // the rest of a head: the header limit, counted from its first byte
	readBody                   // a body: the body limit, for each read
)

// clientConn is one client connection. It is the net.Conn that the reader of requests is given, with three peculiarities.
//
// What the reader writes is thrown away: Haldane writes every response itself, with send (see fasthttp.go for why).
//
// The time limits are armed here and not by the reader, so that each has its own meaning and a reload changes them.
//
// A failed read is remembered: the reader takes some of them for the end of a chunked body, and body.go needs to know better.
//
// Read and everything about requests belong to the goroutine of the connection, or to the parking while there is none; while
// a body is sent up, Read belongs to the goroutine that sends it. state, since, canceled, watched, abort, stall (see there), gone, expecting and broken may be touched by anyone.
type clientConn struct {
	net.Conn          // what is read and written: the socket, or what lies over it
	socket   net.Conn // as it was accepted
	server   *Server
	entrance *Entrance

	id       uint64          // spreads the counters over shards
	client   netip.Addr      // an IPv4 address is in its short form
	text     []byte          // client as text
	secured  bool            // by TLS
	trusted  bool            // what the client says about those behind it is believed
	resident listen.Resident // as whom it is counted

	state    atomic.Int32
	since    atomic.Int64   // when it became idle, nanoseconds of the server's clock
	canceled atomic.Bool    // the body is no longer wanted
	watched  atomic.Int64   // when the request began that the client waits for, on the server's clock; zero for none
	abort    upstream.Abort // of that request
	stall    stall          // of that request
	gone     atomic.Bool    // it was cut
	broken   atomic.Uint32  // whether and how a read failed

	parkable bool // has not been parked since the last response
	parked   bool // Read has ended so that the connection may be parked
	polled   bool // is in the parking's set of sockets
	phase    readPhase
	armed    bool           // the limit of the phase is set on the connection
	readEnd  time.Time      // the limit that was set last
	timeouts clientTimeouts // in force for the current request
	intake   intake

	expecting  atomic.Bool            // the client waits for 100 (Continue)
	sending    sync.Mutex             // one writer at a time, and none of 100 (Continue) behind a final response
	writeArmed time.Time              // guarded by sending: when the write limit was set last
	lingering  bool                   // Close lets the client read the last response first
	exchange   *exchange              // while it has a goroutine
	tunnel     atomic.Pointer[tunnel] // from here on the connection is its, and no longer the reader's
}

// clientTimeouts are config.ClientTimeouts as plain durations.
type clientTimeouts struct {
	header, idle, body, write, drain time.Duration
}

// newClientConn prepares a connection that was just accepted.
func newClientConn(server *Server, conn net.Conn, id uint64) *clientConn {
	c := &clientConn{Conn: socket.Wrap(conn), socket: conn, server: server, id: id}
	if address, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		c.client = address.AddrPort().Addr().Unmap().WithZone("")
	}
	c.text = c.client.AppendTo(nil)
	c.since.Store(server.clock())
	c.timeouts = server.snapshot.Load().timeouts
	return c
}

// Read reads under the limit of the phase.
func (c *clientConn) Read(p []byte) (int, error) {
	if c.tunnel.Load() != nil {
		return 0, errHandedOver
	}
	if c.phase == readBody && c.intake.lend(p) {
		return 1, nil
	}
	if c.expecting.Load() {
		if err := c.sendContinue(); err != nil {
			return 0, err
		}
	}
	if err := c.arm(); err != nil {
		return 0, err
	}
	if c.phase == readHead && c.exchange.arrived.IsZero() {
		c.exchange.arrived = time.Now() // the head comes in pieces, the first of them just now
	}
	n, err := c.Conn.Read(p)
	if err != nil && c.parks(err) {
		return 0, io.EOF // the reader of requests lets go of the connection, and says nothing
	}
	if err != nil && c.lastMoment(err) {
		n, err = c.Conn.Read(p)
	}
	if err != nil {
		c.broke(err)
		if c.canceled.Load() {
			err = errCanceled
		}
	}
	if excess := c.intake.took(c.phase, p[:n]); excess != nil {
		return 0, excess
	}
	return n, err
}

// broke remembers a failed read.
func (c *clientConn) broke(err error) {
	if timedOut(err) {
		c.broken.Store(brokenBySilence)
		return
	}
	c.broken.Store(brokenByPeer)
}

// arm sets the time limit of the phase. The limit of a head is set once: it bounds the whole head, not each read of it.
// A body is read by another goroutine than the one that may cancel it: each of the two first writes its half and then
// looks at the other's, so that a cancellation is never overwritten by a fresh limit.
func (c *clientConn) arm() error {
	if c.armed && c.phase != readBody {
		return nil
	}
	c.armed = true
	if end := c.deadline(); c.phase != readNext || c.canceled.Load() || !end.Equal(c.readEnd) {
		c.readEnd = end
		if err := c.Conn.SetReadDeadline(end); err != nil {
			return err
		}
	}
	switch c.phase {
	case readBody:
		if c.canceled.Load() {
			return errCanceled
		}
	case readFirst, readNext:
		if c.server.draining.Load() {
			return c.Conn.SetReadDeadline(c.graceEnd())
		}
	}
	return nil
}

// SetReadDeadline is called by the reader of requests at one place only: between the head and the body. The limit itself
// is not taken.
func (c *clientConn) SetReadDeadline(time.Time) error {
	c.phase = readBody
	c.intake.octets, c.intake.most = 0, 0
	return nil
}

// deadline is when the phase ends; zero for never.
func (c *clientConn) deadline() time.Time {
	var limit time.Duration
	switch c.phase {
	case readFirst, readHead:
		limit = c.timeouts.header
	case readNext:
		return c.idleDeadline()
	case readBody:
		limit = c.timeouts.body
	}
	if limit <= 0 {
		return time.Time{}
	}
	return time.Now().Add(limit)
}

// cancelBody makes a read of the body that is under way, and every later one, fail. It may be called from any goroutine,
// as long as the exchange lasts.
func (c *clientConn) cancelBody() {
	c.canceled.Store(true)
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
}

// Write throws away what the reader of requests writes.
func (c *clientConn) Write(p []byte) (int, error) { return len(p), nil }

// begin notes that the first byte of a request is here.
func (c *clientConn) begin() {
	c.state.CompareAndSwap(connIdle, connActive)
	c.phase, c.armed = readHead, false
	lower(&c.canceled)
	c.intake.served, c.intake.lent = false, false
	c.timeouts = c.server.snapshot.Load().timeouts
}

// lower takes a flag down. It is seldom up, and a write costs the time of a small function.
func lower(flag *atomic.Bool) {
	if flag.Load() {
		flag.Store(false)
	}
}

// rest notes that the connection waits for another request.
func (c *clientConn) rest() {
	c.phase, c.armed = readNext, false
	c.intake.lined = false
	lower(&c.expecting)
	c.since.Store(c.server.clock())
	c.parkable = c.server.parking != nil
	c.state.CompareAndSwap(connActive, connIdle)
}

// cut ends the connection at once, whatever it is doing, so that the client cannot take what it got for a complete
// response. It may be called from any goroutine.
func (c *clientConn) cut() {
	if tcp, ok := c.socket.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.socket.Close()
	c.gone.Store(true)
	c.abort.Fire()
}

// peek looks what has arrived that nobody has read. Under TLS that is a record, which may say goodbye as well as be a
// request, so that the end of the connection is looked for behind it.
func (c *clientConn) peek() peeked {
	found := peek(c.socket)
	if found == peekData && c.secured && hungUp(c.socket) {
		return peekEnd
	}
	return found
}

// timedOut says whether a read or write ended because its limit did.
func timedOut(err error) bool {
	var limited interface{ Timeout() bool }
	return errors.As(err, &limited) && limited.Timeout()
}
