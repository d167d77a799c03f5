//go:build !race

package proxy

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/proxy/http1"
	"haldane/proxy/trace"
	"haldane/proxy/upstream"
	"haldane/router"
	"haldane/stats"
)

// deciding is an exchange that is ready to decide about the same request again and again.
func deciding(tb testing.TB, fields string) *exchange {
	s := sections(map[string]config.Variant{"v1": variantAt("127.0.0.1:1", "127.0.0.1:2"), "v2": variantAt("127.0.0.1:3")})
	web := s.Services["web"]
	web.Match = []config.Match{{Host: "a.test", PathPrefix: "/api"}}
	web.Pins = []config.Pin{{Header: "X-Pin"}}
	web.Sticky = &config.Sticky{Key: config.Key{Cookie: "user"}, Issue: true}
	s.Services["web"], s.Stats = web, stats.NewRegistry(0)
	table, err := router.Build(router.Options{Services: s.Services, Splits: map[string]router.SplitSpec{"web": rollout(10 * percent)}})
	if err != nil {
		tb.Fatal(err)
	}
	s.Table = table
	snapshot, err := NewSnapshot(s, nil)
	if err != nil {
		tb.Fatal(err)
	}
	server := New(Options{})
	server.Swap(snapshot)
	c := &clientConn{server: server, id: 1}
	x := c.takeExchange()
	x.in = inbound{
		method: []byte("GET"), target: []byte("/api/x?y=z"), protocol: []byte("HTTP/1.1"), length: -2,
		block: []byte("Host: A.test:80\r\nUser-Agent: test\r\nAccept: */*\r\n" + fields + "\r\n"),
	}
	return x
}

// decide is guard, match, assign, pick and record: all that Haldane adds to the transport of bytes.
func decide(tb testing.TB, x *exchange) {
	in := x.in
	x.begin()
	if f := x.guard(); f != none {
		tb.Fatal(f)
	}
	x.beginTrace()
	if f := x.match(); f != none {
		tb.Fatal(f)
	}
	x.assign()
	x.pick()
	x.begun()
	x.seen(200, x.started)
	x.settle(none)
	x.release()
	x.reset()
	x.in = in
}

func TestDecidingAllocatesNothing(t *testing.T) {
	for _, fields := range []string{"", "X-Pin: v2\r\n", "Cookie: a=b; user=0123456789abcdef\r\n", "Cookie: a=b\r\nCookie: c=d\r\n"} {
		x := deciding(t, fields)
		decide(t, x)
		if n := testing.AllocsPerRun(1000, func() { decide(t, x) }); n != 0 {
			t.Errorf("with %q: %v allocations", fields, n)
		}
	}
}

// Nor does it where requests are traced, and this one is not.
func TestNotToSampleAllocatesNothing(t *testing.T) {
	for _, fields := range []string{"", "traceparent: " + caller + "\r\ntracestate: a=1\r\n"} {
		x := deciding(t, fields)
		x.server.tracer = &recorder{}
		with := *x.server.snapshot.Load()
		with.sampler = trace.NewSampler(0, 7)
		x.server.snapshot.Store(&with)
		decide(t, x)
		if n := testing.AllocsPerRun(1000, func() { decide(t, x) }); n != 0 {
			t.Errorf("with %q: %v allocations", fields, n)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	x := deciding(b, "Cookie: a=b; user=0123456789abcdef\r\n")
	b.ReportAllocs()
	for b.Loop() {
		decide(b, x)
	}
}

// accepting serves every connection on a goroutine of its own and closes it then, until the test ends.
func accepting(tb testing.TB, serve func(net.Conn)) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// echoing is a server that answers every request of known bytes with the same bytes, and allocates nothing.
func echoing(tb testing.TB, answer string) string {
	reply := []byte(answer)
	return accepting(tb, func(conn net.Conn) {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if n >= 4 && string(buffer[n-4:n]) == "\r\n\r\n" {
				if _, err := conn.Write(reply); err != nil {
					return
				}
			}
		}
	})
}

// proxied is a client's connection to a proxy whose endpoint answers at once, and a function that makes one request.
func proxied(tb testing.TB, answer string) (once func()) {
	s := sections(map[string]config.Variant{"v1": variantAt(echoing(tb, answer))})
	s.Stats = stats.NewRegistry(0)
	table, err := router.Build(router.Options{Services: s.Services})
	if err != nil {
		tb.Fatal(err)
	}
	s.Table = table
	snapshot, err := NewSnapshot(s, nil)
	if err != nil {
		tb.Fatal(err)
	}
	address := serving(tb, New(Options{Logger: zap.NewNop()}), snapshot)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	request := []byte(get("/x?y=z", "User-Agent: test", "Accept: */*", "Cookie: a=b; c=d"))
	buffer := make([]byte, 64<<10)
	return func() {
		if _, err := conn.Write(request); err != nil {
			tb.Fatal(err)
		}
		for total := 0; ; {
			n, err := conn.Read(buffer[total:])
			if err != nil {
				tb.Fatal(err)
			}
			if total += n; strings.HasSuffix(string(buffer[max(0, total-2):total]), "ok") {
				return
			}
		}
	}
}

// A whole proxied GET, both connections kept.
func TestProxiedRequestAllocates(t *testing.T) {
	once := proxied(t, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok")
	for range 100 {
		once()
	}
	if n := testing.AllocsPerRun(2000, once); n > 0.5 {
		t.Errorf("%v allocations for a request", n)
	}
}

func BenchmarkProxiedRequest(b *testing.B) {
	once := proxied(b, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok")
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

// A gibibyte each way passes through little memory.
func TestLargeBodiesUseLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("moves two gibibytes")
	}
	const size = 1 << 30
	piece := make([]byte, 256<<10)
	o := newOrigin(t, func(v *visit) {
		if n, err := io.CopyBuffer(io.Discard, io.LimitReader(v.reader, size), piece); n != size {
			t.Errorf("%d octets went up: %v", n, err)
		}
		v.write(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size))
		for sent := 0; sent < size; sent += len(piece) {
			if _, err := v.conn.Write(piece); err != nil {
				t.Error(err)
				return
			}
		}
	})
	c := start(t, plain(o.address)).dial()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n", size))
	for sent := 0; sent < size; sent += len(piece) {
		if _, err := c.conn.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	head, err := takeHead(c.reader)
	if err != nil || head.status() != 200 {
		t.Fatalf("got %q, %v", head.line, err)
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(c.reader, size)); n != size {
		t.Errorf("%d octets came down: %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 8<<20 {
		t.Errorf("%d MiB were allocated on the way", grown>>20)
	}
}

// serving runs a server until the test ends.
func serving(tb testing.TB, server *Server, snapshot *Snapshot) (address string) {
	server.Swap(snapshot)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	stop, done := serveUntil(server, listener)
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Errorf("Serve: %v", err)
		}
		server.Close()
	})
	return listener.Addr().String()
}

// Reading business metrics and taking their fields away allocates nothing.
func TestMeasuringAllocatesNothing(t *testing.T) {
	x := deciding(t, "")
	x.begin()
	if f := x.guard(); f != none {
		t.Fatal(f)
	}
	if f := x.match(); f != none {
		t.Fatal(f)
	}
	x.assign()
	x.service.stats.SetMeasures([]stats.Measure{{Name: "basket", Field: "X-Basket", Largest: 100}})
	answer := http1.Fields{{Name: []byte("Date"), Value: []byte("now")}, {Name: []byte("x-basket"), Value: []byte("12.50")}}
	x.response = &upstream.Response{}
	x.response.Fields = answer
	x.kept.endToEnd = make(http1.Fields, 0, 8)
	measure := func() {
		x.measure()
		x.kept.endToEnd = append(x.kept.endToEnd[:0], answer...)
		if left := x.keptFields(); len(left) != 1 || x.measured.Empty() {
			t.Fatalf("%q is left, %+v", left, x.measured)
		}
		x.variant.stats.Measure(1, x.lane, &x.measured)
	}
	measure()
	if n := testing.AllocsPerRun(1000, measure); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
