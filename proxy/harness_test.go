package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/router"
	"haldane/stats"
)

// patience bounds every wait of a test. It is never waited out when the test passes.
const patience = 10 * time.Second

// rig is a proxy under test.
type rig struct {
	t       *testing.T
	server  *Server
	stats   *stats.Registry
	address string
	stop    context.CancelFunc
	done    chan error
	once    sync.Once
	err     error
}

// plain is the sections of one service "web" with one variant "v1" at these addresses.
func plain(addresses ...string) Sections {
	return sections(map[string]config.Variant{"v1": variantAt(addresses...)})
}

// variantAt is a variant with quick timeouts.
func variantAt(addresses ...string) config.Variant {
	return config.Variant{
		Endpoints:      addresses,
		MaxConnections: 1024,
		Timeouts: config.UpstreamTimeouts{
			Connect:        config.Duration(time.Second),
			ResponseHeader: config.Duration(patience),
			Idle:           config.Duration(patience),
			KeepAlive:      config.Duration(time.Minute),
		},
	}
}

// sections is one service "web" whose stable variant is v1.
func sections(variants map[string]config.Variant) Sections {
	return Sections{
		Services: map[string]config.Service{"web": {Variants: variants, Stable: "v1"}},
		Limits:   config.Limits{HeaderSize: 32 << 10, Fields: 100, Connections: 1000},
		Timeouts: config.ClientTimeouts{
			Header: config.Duration(patience), Idle: config.Duration(patience), Body: config.Duration(patience),
			Write: config.Duration(patience), Drain: config.Duration(patience),
		},
	}
}

// build makes a snapshot of sections; splits may be nil.
func build(t *testing.T, s Sections, splits map[string]router.SplitSpec, previous *Snapshot) *Snapshot {
	t.Helper()
	table, err := router.Build(router.Options{Services: s.Services, Splits: splits})
	if err != nil {
		t.Fatal(err)
	}
	s.Table = table
	snapshot, err := NewSnapshot(s, previous)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// start runs a proxy on sections.
func start(t *testing.T, s Sections) *rig { return startSplit(t, s, nil, zap.NewNop()) }

// startSplit runs a proxy with splits in force.
func startSplit(t *testing.T, s Sections, splits map[string]router.SplitSpec, log *zap.Logger) *rig {
	t.Helper()
	if s.Stats == nil {
		s.Stats = stats.NewRegistry(0)
	}
	r := &rig{t: t, stats: s.Stats, done: make(chan error, 1)}
	r.server = New(Options{Logger: log, AccessLogger: log})
	r.server.Swap(build(t, s, splits, nil))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.done <- r.server.Serve(ctx, Entrance{Listener: listener}) }()
	t.Cleanup(func() {
		if err := r.shutdown(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// shutdown drains the proxy and gives back what Serve said.
func (r *rig) shutdown() error {
	r.once.Do(func() {
		r.stop()
		r.err = <-r.done
		r.server.Close()
	})
	return r.err
}

// totals are the numbers of a variant of "web".
func (r *rig) totals(variant string) stats.Totals {
	return r.stats.Service("web").Variant(variant).Totals()
}

// client is a raw connection to the proxy.
type client struct {
	t      *testing.T
	conn   *net.TCPConn
	reader *bufio.Reader
}

// dial opens a connection that is closed with the test.
func (r *rig) dial() *client {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	r.t.Cleanup(func() { conn.Close() })
	return &client{t: r.t, conn: conn.(*net.TCPConn), reader: bufio.NewReader(conn)}
}

// send writes raw bytes.
func (c *client) send(raw ...string) *client {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, strings.Join(raw, "")); err != nil {
		c.t.Fatalf("send: %v", err)
	}
	return c
}

// receive reads a whole response to a GET.
func (c *client) receive() *message { c.t.Helper(); return c.receiveTo("GET") }

// receiveTo reads a whole response to a method.
func (c *client) receiveTo(method string) *message {
	c.t.Helper()
	m, err := readResponse(c.reader, method)
	if err != nil {
		c.t.Fatalf("response after %q: %v", m.line, err)
	}
	return m
}

// ends checks that nothing more comes and the connection is closed.
func (c *client) ends() {
	c.t.Helper()
	rest, err := io.ReadAll(c.reader)
	if len(rest) > 0 {
		c.t.Errorf("after the last response came %q", rest)
	}
	if timedOut(err) {
		c.t.Error("the connection was left open")
	}
}

// get is a simple request for a target.
func get(target string, fields ...string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: a.test\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// await polls a condition that another goroutine brings about.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for tick := time.NewTicker(time.Millisecond); !holds(); {
		select {
		case <-timeout:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// serveUntil runs a server until stop is called.
func serveUntil(server *Server, listener net.Listener) (stop context.CancelFunc, done <-chan error) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- server.Serve(ctx, Entrance{Listener: listener}) }()
	return cancel, result
}
