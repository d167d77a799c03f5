package proxy

import (
	"errors"
	"io"
	"net"

	"github.com/valyala/fasthttp"
)

// This file is the only one that knows fasthttp.
//
// fasthttp reads requests, and Haldane writes the responses itself, on the client's connection, before the handler
// returns. The two halves of fasthttp are of different worth for a proxy. Its reader is strict, fast and allocates
// nothing. Its writer is made for servers of their own content: it respells and reorders fields, replaces the upstream's
// Date, cannot write a head before it has a body, answers HTTP/1.0 clients with chunks, turns a body that was cut
// short into a complete one, and runs after the handler has returned, when nobody is left to count the outcome. Written by
// ourselves, a response keeps its spelling and order, interim responses pass, a truncation stays visible, and one
// function covers a request from its first phase to its record: panics, time and the outcome have one place.
//
// So that fasthttp's own writes do no harm, clientConn throws them away. What fasthttp refuses by itself (a head it cannot
// parse) comes to its ErrorHandler, which answers through the same writer as every other refusal.
//
// Pipelined requests keep their order, because a response is written completely before the next request is read.

// reader reads the requests of client connections with a given bound on their heads.
type reader struct {
	headerSize int
	server     fasthttp.Server
}

// newReader prepares a reader. It starts nothing.
func newReader(owner *Server, headerSize int) *reader {
	return &reader{
		headerSize: headerSize,
		server: fasthttp.Server{
			Handler:        owner.handle,
			ErrorHandler:   owner.handleError,
			ExpectHandler:  owner.handleExpect,
			ConnState:      handleState,
			HeaderReceived: headReceived,
			ReadBufferSize: headerSize,
			// The handler starts with the first byte of the body, and for that intake.go lends one: with a larger bound fasthttp
			// waits for that much of the body first. The bound that counts is kept in body.go.
			StreamRequestBody:            true,
			MaxRequestBodySize:           1,
			DisablePreParseMultipartForm: true,
			// What follows only saves work that is thrown away.
			WriteBufferSize:       512,
			NoDefaultServerHeader: true,
			NoDefaultDate:         true,
			NoDefaultContentType:  true,
			// No limit on connections here: accept.go has it. No time limits either: conn.go has them.
			Concurrency:           1 << 30,
			Logger:                silence{},
			SecureErrorLogMessage: true,
		},
	}
}

// silence takes fasthttp's messages. They repeat what the access log says, with less.
type silence struct{}

// Printf discards.
func (silence) Printf(string, ...any) {}

// serveConn serves one connection to its end and closes it. Its errors are the client's and are in the access log.
// One that has switched protocols on the way is a tunnel from then on.
func (r *reader) serveConn(c *clientConn) {
	c.intake.readAhead = r.headerSize
	_ = r.server.ServeConn(c)
	if t := c.tunnel.Load(); t != nil {
		c.server.awake.Add(-1) // it is not one that will be parked
		t.run()
		c.server.awake.Add(1)
	}
}

// handleState follows the requests of a connection.
func handleState(conn net.Conn, state fasthttp.ConnState) {
	c, ok := conn.(*clientConn)
	if !ok {
		return
	}
	switch state {
	case fasthttp.StateActive:
		c.begin()
	case fasthttp.StateIdle:
		c.rest()
	}
}

// headReceived is called between the head and the body, without the connection. It asks for a time limit, which makes
// fasthttp call SetReadDeadline on the connection: that is how clientConn learns that the body begins, where there is one.
func headReceived(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if bodyLength(int64(header.ContentLength())) == 0 {
		return fasthttp.RequestConfig{}
	}
	return fasthttp.RequestConfig{ReadTimeout: 1}
}

// handle serves one request, whose head has been read.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	c := ctx.Conn().(*clientConn)
	c.intake.served = true
	x := c.exchange
	x.in = inboundOf(ctx)
	x.in.at = ctx.Time() // of a request that is still awaited (Expect) it would be the last one's
	x.serve()
	if x.closing {
		ctx.Response.SetConnectionClose()
	}
	x.reset()
	if t := c.tunnel.Load(); t != nil {
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(rest net.Conn) { t.handOver(rest) })
	}
}

// inboundOf takes from fasthttp what it has read. Everything aliases ctx and dies with the handler.
func inboundOf(ctx *fasthttp.RequestCtx) inbound {
	header := &ctx.Request.Header
	in := inbound{
		method:   header.Method(),
		target:   header.RequestURI(),
		protocol: header.Protocol(),
		block:    header.RawHeaders(),
		length:   int64(header.ContentLength()),
		close:    header.ConnectionClose(),
		trailers: header,
	}
	if ctx.Request.IsBodyStream() {
		in.body = ctx.RequestBodyStream()
	}
	return in
}

// handleExpect decides whether a client that waits for 100 (Continue) is told to send its body: when the request can be
// served at all. It is not told so at once but when the body is first read (clientConn.Read), so that a client whose
// request fails before that keeps its body.
func (s *Server) handleExpect(ctx *fasthttp.RequestCtx) int {
	c := ctx.Conn().(*clientConn)
	x := c.exchange
	x.in = inboundOf(ctx)
	if !x.serveRefusal() {
		c.expecting.Store(true)
		return fasthttp.StatusContinue
	}
	x.reset()
	return fasthttp.StatusExpectationFailed
}

// handleError answers a request that fasthttp could not read. A connection on which no byte of a request has arrived gets
// no answer: it was idle too long, or left.
func (s *Server) handleError(ctx *fasthttp.RequestCtx, err error) {
	c, ok := ctx.Conn().(*clientConn)
	if !ok || c.phase == readFirst || c.phase == readNext {
		return
	}
	x := c.exchange
	x.serveUnreadable(c.refusalOf(err))
	x.reset()
}

// refusalOf is the answer to a request that fasthttp could not read.
func refusalOf(err error) failure {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	switch {
	case errors.As(err, &small):
		return headTooLarge
	case timedOut(err):
		return headTooSlow
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return clientGone
	case errors.Is(err, fasthttp.ErrUnsupportedTransferEncoding):
		return badFraming
	}
	return malformedRequest
}

var _ trailerSource = (*fasthttp.RequestHeader)(nil)
