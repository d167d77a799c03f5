package proxy

import (
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"haldane/proxy/balance"
	"haldane/proxy/http1"
	"haldane/proxy/upstream"
	"haldane/router"
	"haldane/stats"
)

const (
	// farewellTime is what a tunnel that is being closed has for the rest of a frame, its close frames and their answers.
	farewellTime = 2 * time.Second
	// afterEnd is how long a tunnel may be silent whose endpoint has nothing more to say.
	afterEnd = 10 * time.Second
)

// tunnel is a client's connection and an endpoint's that have switched protocols: what comes from one goes to the other, byte
// for byte. It outlives the snapshot it was opened under.
//
// Each direction is copied by a goroutine of its own, with a buffer only while there is something to copy. Copying in the kernel
// (splice) would hold four file descriptors for as long as the tunnel is open, and would hide where a frame ends and when
// something last moved. Nothing has a time limit while it works: the sweep looks at all tunnels and ends those that must end.
type tunnel struct {
	client   *clientConn
	upstream *upstream.Tunnel
	endpoint *balance.Endpoint
	numbers  *stats.Tunnels
	terms    tunnelTerms
	assigned router.Assignment
	opened   time.Time
	up, down flow
	handed   chan struct{} // closed when the reader of requests has let go of the connection
	hand     sync.Once

	moved   atomic.Int64 // when octets last moved, on the server's clock
	done    atomic.Bool  // the endpoint has nothing more to say
	broken  atomic.Bool
	leaving sync.Mutex    // guards the step into the farewell
	ending  atomic.Uint32 // why it is being ended, one more than a stats.TunnelEnd
	fate    fate          // belongs to the sweep
}

// flow is one direction of a tunnel.
type flow struct {
	tunnel   *tunnel
	from, to net.Conn
	early    []byte  // what was read before
	frames   *frames // nil if it is not a WebSocket
	bytes    int64
	failed   bool         // a write did, so that it is not known what the peer has
	writing  atomic.Int64 // since when a write is under way, on the server's clock; 0 for none
}

// openTunnel passes the endpoint's 101 on and ties the two connections together. The outcome is settled here: what becomes
// of a tunnel later says little about a release, and would come too late.
func (x *exchange) openTunnel() failure {
	w := &x.writer
	w.open(x.conn, 0)
	defer w.close()
	x.kept.endToEnd = http1.RemoveHopByHop(x.response.Fields, x.kept.endToEnd[:0])
	x.kept.sent = x.appendUpgrade(append(x.appendNotes(append(x.kept.sent[:0], x.server.words.via)), x.variant.responseFields.added...))
	w.out = http1.AppendResponseHead(w.out, &http1.ResponseHead{
		Status: x.response.Status, Reason: x.response.Reason, Fields: x.keptFields(), More: x.kept.sent,
	})
	x.endpoint.Report(nil, x.status)
	x.conclude(none)
	x.closing = true
	if !w.flush() {
		return x.lostClient()
	}
	taken := x.response.Tunnel()
	x.response = nil
	if taken == nil {
		return x.lostClient()
	}
	t := &tunnel{
		client: x.conn, upstream: taken, endpoint: x.endpoint, numbers: x.variant.stats.Tunnels(),
		terms: x.service.tunnels, assigned: x.assignment, opened: time.Now(), handed: make(chan struct{}),
	}
	t.wire(http1.EqualFold(x.upgrade, "websocket"))
	x.endpoint = nil // the tunnel lets go of it
	t.numbers.Open()
	x.server.tunnels.Add(1)
	x.conn.tunnel.Store(t)
	return none
}

// wire ties the two directions together.
func (t *tunnel) wire(websocket bool) {
	t.up = flow{tunnel: t, from: t.client.Conn, to: t.upstream.Conn}
	t.down = flow{tunnel: t, from: t.upstream.Conn, to: t.client.Conn, early: t.upstream.Early}
	if websocket {
		t.up.frames, t.down.frames = new(frames), new(frames)
	}
	t.moved.Store(t.client.server.clock())
}

// handOver takes from the reader of requests what it has read beyond the request. The connection refuses further reads
// meanwhile (clientConn.Read), so that this ends.
func (t *tunnel) handOver(rest io.Reader) {
	var piece [4096]byte
	for {
		n, err := rest.Read(piece[:])
		t.up.early = append(t.up.early, piece[:n]...)
		if err != nil {
			return
		}
	}
}

// release is called when the reader of requests has let go of the connection, and would close it.
func (t *tunnel) release() { t.hand.Do(func() { close(t.handed) }) }

// run carries both directions until both have ended.
func (t *tunnel) run() {
	<-t.handed
	t.client.giveExchange() // its memory is not needed any more
	var wait sync.WaitGroup
	wait.Go(t.up.run)
	t.down.run()
	wait.Wait()

	end := t.end()
	_ = t.upstream.Close()
	_ = t.client.Conn.Close()
	t.endpoint.Release()
	t.client.server.tunnels.Add(-1)
	t.numbers.Close(stats.TunnelRecord{
		End: end, Duration: time.Since(t.opened), BytesIn: t.up.bytes, BytesOut: t.down.bytes,
	})
}

// end is why the tunnel has ended. A WebSocket that nobody has closed with a close frame was not closed in good order
// (RFC 6455 section 7.1.5).
func (t *tunnel) end() stats.TunnelEnd {
	switch why := t.ending.Load(); {
	case why != 0:
		return stats.TunnelEnd(why - 1)
	case t.broken.Load() && t.client.server.draining.Load():
		return stats.TunnelShutdown
	case t.up.frames != nil && (t.up.frames.closed || t.down.frames.closed):
		return stats.TunnelClosed
	case t.up.frames != nil || t.broken.Load():
		return stats.TunnelReset
	}
	return stats.TunnelClosed
}

// run carries one direction to its end.
func (f *flow) run() {
	defer func() {
		if cause := recover(); cause != nil {
			f.tunnel.client.server.panicked(cause, debug.Stack())
			f.breakUp()
		}
	}()
	err := f.write(f.early)
	f.early = nil
	if err == nil {
		err = f.carry()
	}
	switch {
	case f.tunnel.ending.Load() != 0:
		if !f.takeLeave() {
			f.breakUp()
		}
	case err == io.EOF:
		f.close()
	default:
		f.breakUp()
	}
}

// carry copies until something ends it: io.EOF for the end of what there is to copy.
func (f *flow) carry() error {
	ready := newReadiness(f.from)
	pool := &f.tunnel.client.server.buffers
	for f.tunnel.ending.Load() == 0 {
		if err := ready.wait(); err != nil {
			return err
		}
		buffer := pool.Get().(*[bufferSize]byte)
		n, err := f.from.Read(buffer[:])
		if n > 0 {
			if failed := f.write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		pool.Put(buffer)
		if err != nil {
			return err
		}
	}
	return nil
}

// write sends on what was read.
func (f *flow) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	server := f.tunnel.client.server
	now := server.clock()
	f.tunnel.moved.Store(now)
	f.writing.Store(now)
	n, err := f.to.Write(p)
	f.writing.Store(0)
	f.bytes += int64(n)
	f.failed = err != nil
	if f.frames != nil {
		f.frames.follow(p[:n])
	}
	return err
}

// close passes the end of this direction on. The other one may still have something to say.
func (f *flow) close() {
	if f == &f.tunnel.down {
		f.tunnel.done.Store(true)
	}
	half, ok := f.to.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		f.breakUp()
	}
}

// breakUp ends both directions at once, by a reset, so that neither peer takes what it got for all.
func (f *flow) breakUp() {
	f.tunnel.broken.Store(true)
	f.tunnel.client.cut()
	f.tunnel.upstream.Cut()
}
