package proxy

import (
	"runtime/debug"
	"time"

	"haldane/proxy/balance"
	"haldane/proxy/http1"
	"haldane/proxy/upstream"
	"haldane/router"
	"haldane/stats"
)

// exchange is one request and its response. A connection serves one at a time, so that there is one exchange for each
// connection that has a goroutine, used again and again: nothing is taken from a pool and nothing is allocated for a request.
type exchange struct {
	conn   *clientConn
	server *Server
	course
	kept kept
}

// course is what an exchange knows of its request, phase by phase.
type course struct {
	in       inbound
	arrived  time.Time // the first byte of the request
	started  time.Time // the last byte of its head: latency counts from here, the client's own slowness apart
	now      time.Time // about now, as long as nothing was waited for; zero then
	expected bool      // the client waits for 100 (Continue) and this is the look before it
	closing  bool      // no further request on this connection

	// guard
	view      view
	version10 bool
	authority []byte // the host as asked for
	target    []byte // what was asked for, in origin-form
	body      body

	// match, assign, pick: all against one snapshot
	snapshot   *Snapshot
	route      *router.Service
	service    *service
	assignment router.Assignment
	refused    bool       // the request asked for a variant that is rolled back
	lane       stats.Lane // where the outcome is judged
	purse      *stats.Purse
	variant    *variant
	endpoint   *balance.Endpoint

	// forward
	request   http1.Request
	response  *upstream.Response
	requestID []byte
	upgrade   []byte // the protocols that are asked for, then the one that was agreed upon; nil for none

	// answer
	writer   writer
	bytesOut int64 // of the response's body
	answered int   // the status of Haldane's own answer
	place    place
	tries    tries
	replay   replay

	// record
	counting  uint8
	watching  bool     // the sweep looks whether it stalls
	stalled   bool     // the sweep has booked it as failed
	tried     *variant // where the outcome is booked
	inFlight  stats.Begun
	failed    failure
	booked    stats.Outcome // what was recorded on the variant
	status    int           // the endpoint's
	firstByte time.Duration
	measured  stats.Values // what the answer reports of business metrics
	concluded bool         // what the client saw is recorded
	journal   *journal     // of a sampled request; nil for the others
}

// kept is what an exchange keeps for the next one: buffers, and functions that would otherwise be made for each request.
type kept struct {
	endToEnd, sent, trailers             http1.Fields
	rewritten, id, cookie, interim, host []byte
	fields                               http1.Fields
	relayInterim                         func(*http1.Response)
	requestTrailers                      func() http1.Fields
	chain                                []byte // X-Forwarded-For behind a trusted proxy
}

// newExchange makes an exchange for any connection of the server.
func newExchange(s *Server) *exchange {
	x := &exchange{server: s}
	x.kept.relayInterim, x.kept.requestTrailers = x.relayInterim, x.requestTrailers
	return x
}

// takeExchange gives the connection an exchange.
func (c *clientConn) takeExchange() *exchange {
	x := c.server.exchanges.Get().(*exchange)
	c.exchange, x.conn = x, c
	return x
}

// giveExchange gives the exchange back, if a tunnel has not done so.
func (c *clientConn) giveExchange() {
	if x := c.exchange; x != nil {
		x.reset()
		c.exchange, x.conn = nil, nil
		c.server.exchanges.Put(x)
	}
}

// reset forgets the request, so that nothing keeps its memory alive while the connection is idle.
func (x *exchange) reset() {
	k := &x.kept
	clear(k.fields)
	clear(k.endToEnd)
	clear(k.sent)
	clear(k.trailers)
	x.course = course{}
}

// serve runs one request through its phases, and whatever happened, records it.
func (x *exchange) serve() {
	defer x.finish()
	defer x.contain()
	x.begin()
	if f := x.phases(); f != none {
		x.refuse(f)
	}
}

// phases are the life of a request. A phase either leaves its decision in the exchange or says why there is none.
func (x *exchange) phases() failure {
	if f := x.guard(); f != none {
		return f
	}
	x.beginTrace()
	if f := x.match(); f != none {
		return f
	}
	if f := x.takePlace(); f != none {
		return f
	}
	x.assign()
	x.pick()
	if f := x.launch(); f != none {
		return f
	}
	x.keepBody()
	f := x.attempt()
	if f != none && x.rescue(f) {
		f = x.attempt()
	}
	return f
}

// attempt asks a variant and answers with what it says.
func (x *exchange) attempt() failure {
	if f := x.forward(); f != none {
		return f
	}
	if x.unwanted() && x.rescue(badAnswer) {
		if f := x.forward(); f != none {
			return f
		}
	}
	return x.answer()
}

// serveRefusal runs the phases that need no body, for a client that waits to be told whether to send it. It answers and
// says true when the request cannot be served; otherwise serve follows, and nothing has happened.
func (x *exchange) serveRefusal() (refused bool) {
	refused = true // also after a panic
	defer x.contain()
	x.expected = true
	x.begin()
	f := x.guard()
	if f == none {
		f = x.match()
	}
	if f == none {
		x.expected = false
		return false
	}
	x.refuse(f)
	x.log()
	return refused
}

// serveUnreadable answers a request that could not even be read.
func (x *exchange) serveUnreadable(f failure) {
	defer x.finish()
	defer x.contain()
	x.begin()
	x.refuse(f)
}

// begin fixes the snapshot: the whole exchange sees one configuration and one split.
func (x *exchange) begin() {
	x.snapshot = x.server.snapshot.Load()
	if x.started = x.in.at; x.started.IsZero() {
		x.started = time.Now()
	}
	if x.arrived.IsZero() {
		x.arrived = x.started
	}
	x.now = x.started
	x.view.client = x.conn.client
	x.closing = x.in.close || x.server.draining.Load()
}

// contain keeps a panic inside its request.
func (x *exchange) contain() {
	if cause := recover(); cause != nil {
		x.server.panicked(cause, debug.Stack())
		x.refuse(panicked)
	}
}

// finish ends the exchange, however it went.
func (x *exchange) finish() {
	x.letGo()
	x.log()
	x.endTrace()
}

// letGo gives the endpoint back, with its connection. When Close returns, the upload has ended.
func (x *exchange) letGo() {
	if x.response != nil {
		_ = x.response.Close()
		x.response = nil
	}
	x.conn.watched.Store(0)
	x.release()
	x.endTurn()
	x.leavePlace()
}
