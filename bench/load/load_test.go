package load

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"haldane/bench/loop"
	"haldane/bench/origin"
	"haldane/stats"
)

func request(path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: a.test\r\nCookie: a=b\r\n\r\n", path)
}

// field is an upstream on a loop.
func field(t *testing.T) (*loop.Loop, *origin.Origin) {
	t.Helper()
	l, err := loop.New()
	if err != nil {
		t.Fatal(err)
	}
	o, err := origin.New(l, "v1", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close(); l.Close() })
	return l, o
}

func open(t *testing.T, l *loop.Loop, spec Spec) *Crowd {
	t.Helper()
	c, err := Open(l, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestEveryRequestIsCountedOnce(t *testing.T) {
	l, o := field(t)
	c := open(t, l, Spec{Address: o.Address, Connections: 40, Requests: [][]byte{request("/100")}, Seed: 1})
	once, err := c.Once()
	if err != nil {
		t.Fatal(err)
	}
	if once.Answered != 40 || once.Failed != 0 || o.Served != 40 {
		t.Errorf("each once: %d answered, %d failed, upstream saw %d, want 40, 0 and 40", once.Answered, once.Failed, o.Served)
	}
	c = open(t, l, Spec{Address: o.Address, Connections: 40, Requests: [][]byte{request("/100")}, Seed: 1})
	for name, rate := range map[string]float64{"closed": 0, "open": 2000} {
		before := o.Served
		r, err := c.Run(Phase{Rate: rate, Time: 150 * time.Millisecond})
		if err != nil {
			t.Fatal(name, err)
		}
		seen := o.Served - before
		if r.Elapsed < 150*time.Millisecond {
			t.Errorf("%s: counted for %v", name, r.Elapsed)
		}
		if r.Failed != 0 || r.Answered != r.Sent || int(r.Latency.Count()) != r.Sent || r.Origins["v1"] != r.Answered {
			t.Errorf("%s: sent %d, answered %d, failed %d (%s), timed %d, by origin %v", name, r.Sent, r.Answered, r.Failed, r.Why, r.Latency.Count(), r.Origins)
		}
		// A closed load may send a first and a last request outside of its time, on each connection; an open one, its first.
		if r.Sent == 0 || seen < r.Sent || seen > r.Sent+80 || rate > 0 && seen > r.Sent+1 {
			t.Errorf("%s: sent %d, upstream saw %d", name, r.Sent, seen)
		}
		if r.Completed > seen {
			t.Errorf("%s: %d completed of %d", name, r.Completed, seen)
		}
	}
}

func TestBodies(t *testing.T) {
	const size = 3 << 20
	l, o := field(t)
	post := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n", size)
	for name, spec := range map[string]Spec{
		"down": {Requests: [][]byte{request(fmt.Sprint("/", size))}},
		"up":   {Requests: [][]byte{post}, Upload: size},
	} {
		spec.Address, spec.Connections = o.Address, 2
		c := open(t, l, spec)
		if r, err := c.Once(); err != nil || r.Answered != 2 {
			t.Fatalf("%s: %v, %+v", name, err, r)
		}
		r, err := c.Run(Phase{Time: 200 * time.Millisecond})
		if err != nil || r.Failed > 0 {
			t.Fatalf("%s: %v, failed %d (%s)", name, err, r.Failed, r.Why)
		}
		// Bytes are those of the time, of whole bodies and of parts: those of each connection's first and last request.
		if least := int64(r.Completed-2) * size; r.Bytes < least || r.Bytes > int64(r.Completed+2)*(size+200) {
			t.Errorf("%s: %d bytes with %d bodies of %d", name, r.Bytes, r.Completed, size)
		}
	}
}

func TestWebSocket(t *testing.T) {
	l, o := field(t)
	hello := []byte("GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	c := open(t, l, Spec{Address: o.Address, Connections: 3, Requests: [][]byte{hello}, Echo: 32})
	r, err := c.Run(Phase{Time: 100 * time.Millisecond})
	if err != nil || r.Failed != 0 || r.Answered == 0 || r.Answered != r.Sent {
		t.Errorf("%v: sent %d, answered %d, failed %d (%s)", err, r.Sent, r.Answered, r.Failed, r.Why)
	}
	if o.Served != 3 {
		t.Errorf("%d handshakes, want 3", o.Served)
	}
}

// serve answers requests one after the other with a handler's bytes, until the test ends.
func serve(t *testing.T, answer func(n int64) string) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var served atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 4096)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					if !bytes.HasSuffix(buffer[:n], []byte("\r\n\r\n")) {
						return
					}
					if _, err := conn.Write([]byte(answer(served.Add(1)))); err != nil {
						return
					}
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(listener.Addr().String())
}

const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// One answer takes long. In an open load all requests that became due meanwhile have waited; in a closed one nobody has sent
// them, and one alone is slow.
func TestOpenLoadSeesTheQueue(t *testing.T) {
	const stall, rate, slow = 400 * time.Millisecond, 500, 100 * time.Millisecond
	l, err := loop.New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	late := func(rate float64) int {
		address := serve(t, func(n int64) string {
			if n == 20 {
				<-time.After(stall)
			}
			return good
		})
		c := open(t, l, Spec{Address: address, Connections: 1, Requests: [][]byte{request("/")}})
		r, err := c.Run(Phase{Rate: rate, Time: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if r.Failed > 0 || r.Answered != r.Sent {
			t.Fatalf("sent %d, answered %d, failed %d: %s", r.Sent, r.Answered, r.Failed, r.Why)
		}
		n := 0
		for i := stats.BucketIndex(uint64(slow / time.Microsecond)); i < stats.Buckets; i++ {
			n += int(r.Latency.Bucket(i))
		}
		return n
	}
	// 150 requests become due in the 300 ms of the stall that are more than 100 ms before its end: six standard deviations less.
	if n := late(rate); n < 75 {
		t.Errorf("open: %d requests waited for more than %v, want about 150", n, slow)
	}
	if n := late(0); n > 75 {
		t.Errorf("closed: %d requests were slow, want about one", n)
	}
}

func TestFailuresAreCounted(t *testing.T) {
	l, err := loop.New()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, bad := range map[string]string{
		"status": "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "length": "HTTP/1.1 200 OK\r\n\r\n",
		"more": good + "!", "noise": "hello\r\n\r\n",
	} {
		address := serve(t, func(n int64) string {
			if n%2 == 0 {
				return bad
			}
			return good
		})
		c := open(t, l, Spec{Address: address, Connections: 8, Requests: [][]byte{request("/")}})
		r, err := c.Once()
		if err != nil {
			t.Fatal(name, err)
		}
		if r.Sent != 8 || r.Answered != 4 || r.Failed != 4 || r.Why == "" {
			t.Errorf("%s: sent %d, answered %d, failed %d (%q), want 8, 4 and 4", name, r.Sent, r.Answered, r.Failed, r.Why)
		}
	}
}

// A client comes back with the cookie that it was given.
func TestCookie(t *testing.T) {
	got := withCookie(request("/"), []byte("uid=1"))
	if want := "GET / HTTP/1.1\r\nHost: a.test\r\nCookie: uid=1; a=b\r\n\r\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	got = withCookie([]byte("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), []byte("uid=1"))
	if want := "GET / HTTP/1.1\r\nHost: a.test\r\nCookie: uid=1\r\n\r\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestParse(t *testing.T) {
	a, err := parse([]byte("HTTP/1.1 200 OK\r\nset-cookie: uid=7; Path=/\r\nSet-Cookie: b=1\r\nconnection: close\r\nx-origin: v2\r\ncontent-length: 12\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a.status != 200 || a.length != 12 || !a.last || string(a.cookie) != "uid=7" || a.origin != "v2" {
		t.Errorf("%+v", a)
	}
}
