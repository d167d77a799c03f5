// Package upstream carries requests to the endpoints of a variant over HTTP/1.1 connections that it keeps.
//
// It owns connections: opening, keeping, checking and closing them, and the exchange of one request for one response on each,
// with its timeouts. It does not choose endpoints, repeat requests, count outcomes or know services; what an HTTP message may
// look like is package http1's.
//
// What it promises: a response is complete or an error, never complete by accident. A request is written at most once, and
// one that was cut short is never completed. A connection is used again only after both messages were whole.
//
// Concurrency: an Endpoint may be used by any number of goroutines. A Response belongs to the goroutine that got it. The
// package starts a goroutine only for a request body that does not travel with its head; it ends before Response.Close
// (or a failed RoundTrip) returns.
package upstream

import (
	"crypto/tls"
	"sync/atomic"
	"time"
)

// Timeouts bound how long an endpoint may take. Zero switches a bound off, except for KeepAlive.
type Timeouts struct {
	// Connect is the time to open a connection.
	Connect time.Duration
	// ResponseHeader is the time from the end of the request to the end of the response's fields. It does not run while
	// the request is still being sent. It may be exceeded by a sixteenth.
	ResponseHeader time.Duration
	// Idle is the longest pause in a response body, and the longest time that a write may block. It may be exceeded by a
	// sixteenth.
	Idle time.Duration
	// KeepAlive is how long an unused connection is kept for reuse. Zero keeps none.
	KeepAlive time.Duration
}

// Options describe one endpoint. They are comparable: equal options can share one Endpoint.
type Options struct {
	// Address is host:port.
	Address string
	// Timeouts bound how long the endpoint may take.
	Timeouts Timeouts
	// MaxConnections bounds the open connections, used and idle. Zero sets no bound.
	MaxConnections int
	// Queue is where exchanges over MaxConnections wait. One that finds it full, or waits for too long, fails with KindFull.
	Queue Queue
	// TLS is HTTPS to the endpoint; nil for plain HTTP.
	TLS *TLS
	// ServerName is the name that the endpoint's certificate must be good for. It means nothing without TLS, and is
	// required with it.
	ServerName string
	// HeaderSize bounds a response's status line and fields, in octets. Zero means 64 KiB.
	HeaderSize int
}

const defaultHeaderSize = 64 << 10

// Endpoint is one address with its connections.
type Endpoint struct {
	options Options
	begun   atomic.Uint64 // exchanges in flight in the low bits, all that ever began above them
	pool    pool
	memory  memory
	tls     *tls.Config // nil: plain HTTP
}

// NewEndpoint makes an endpoint. It opens no connection.
func NewEndpoint(o Options) *Endpoint {
	if o.HeaderSize <= 0 {
		o.HeaderSize = defaultHeaderSize
	}
	e := &Endpoint{options: o, tls: o.TLS.client(o.ServerName)}
	e.pool.limit = o.MaxConnections
	e.pool.queue = o.Queue
	e.pool.keepAlive = o.Timeouts.KeepAlive
	return e
}

// Address returns the address the endpoint was made with.
func (e *Endpoint) Address() string { return e.options.Address }

// flightBits is the room for exchanges in flight in Endpoint.begun. Both numbers share a word, so that a request costs no more than
// with one of them.
const flightBits = 24

// InFlight returns how many exchanges are between Begin and End.
func (e *Endpoint) InFlight() int64 { return int64(e.begun.Load() & (1<<flightBits - 1)) }

// Begun returns how often Begin was called.
func (e *Endpoint) Begun() uint64 { return e.begun.Load() >> flightBits }

// Begin counts an exchange in flight. It belongs to the choice of the endpoint, before RoundTrip, so that choices made at
// the same time see each other. RoundTrip itself does not count.
func (e *Endpoint) Begin() { e.begun.Add(1<<flightBits | 1) }

// End ends what Begin began.
func (e *Endpoint) End() { e.begun.Add(^uint64(0)) }

// Load is how busy an endpoint is.
type Load struct {
	// Open is how many connections are open or being opened, and Idle how many of them nobody uses.
	Open, Idle int
	// Waiting is how many exchanges are in the queue.
	Waiting int
	// Waits is how many exchanges ever had to wait, and Overflows how many got no connection: because the queue was full, or
	// because they left it in vain.
	Waits, Overflows uint64
}

// Load returns how busy the endpoint is.
func (e *Endpoint) Load() Load { return e.pool.load() }

// Connections returns how many connections are open, and how many of them are idle.
func (e *Endpoint) Connections() (open, idle int) {
	l := e.pool.load()
	return l.Open, l.Idle
}

// Prune closes the connections that have been idle for longer than the keep-alive time. Every exchange does this as well;
// it is for endpoints that no longer get any.
func (e *Endpoint) Prune(now time.Time) { e.pool.prune(now) }

// Close closes the idle connections. Exchanges in flight go on; their connections are closed behind them. An exchange that
// begins later still works, on a connection of its own.
func (e *Endpoint) Close() { e.pool.close() }

// Reopen undoes Close, for an endpoint that is wanted after all.
func (e *Endpoint) Reopen() { e.pool.reopen() }
