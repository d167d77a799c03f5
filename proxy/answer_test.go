package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What a client gets.

func TestResponsePassesInItsOwnSpellingAndOrder(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 299 Odd but fine\r\nx-lower: 1\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nSERVER:x\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n" +
			"content-length: 2\r\nX-Last:\r\n\r\nok")
	})
	s := plain(o.address)
	web := s.Services["web"]
	web.RequestIDField = "off"
	s.Services["web"] = web
	got := start(t, s).dial().send(get("/")).receive()
	want := []string{
		"x-lower: 1", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "SERVER: x", "Set-Cookie: a=1", "set-cookie: b=2", "X-Last: ",
		"Via: 1.1 haldane", "Content-Length: 2",
	}
	if diff := cmp.Diff(want, got.fields); diff != "" || got.line != "HTTP/1.1 299 Odd but fine" {
		t.Error(got.line, diff)
	}
}

func TestMissingDateIsAdded(t *testing.T) {
	o := newOrigin(t, nil)
	got := start(t, plain(o.address)).dial().send(get("/")).receive().value("Date")
	if at, err := time.Parse(dateFormat, got); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("Date %q", got)
	}
}

// Each of these responses must be framed anew for the client; where a connection can go on it must.
func TestFraming(t *testing.T) {
	for _, test := range []struct {
		name, request, response string
		body, framing           string // framing: the client's Content-Length, "chunked", "close" or "none"
		stays                   bool   // the client's connection
	}{
		{"length", get("/"), "200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", "5", true},
		{"chunked", get("/"), "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", "hello", "chunked", true},
		{"empty chunked", get("/"), "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "chunked", true},
		{"until close", get("/"), "200 OK\r\n\r\nhello", "hello", "chunked", true},
		{"empty", get("/"), "200 OK\r\nContent-Length: 0\r\n\r\n", "", "0", true},
		{"204", get("/"), "204 No Content\r\n\r\n", "", "none", true},
		{"304 with a length", get("/"), "304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", "5", true},
		{"304 without", get("/"), "304 Not Modified\r\n\r\n", "", "none", true},
		{"HEAD with a length", "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", "200 OK\r\nContent-Length: 5\r\n\r\n", "", "5", true},
		{"HEAD chunked", "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", "none", true},
		{"client wants close", get("/", "Connection: close"), "200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", "2", false},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", "2", false},
		{"HTTP/1.0 keeps alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", "2", true},
		{
			"HTTP/1.0 chunked", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "ok", "close", false,
		},
		{"HTTP/1.0 until close", "GET / HTTP/1.0\r\n\r\n", "200 OK\r\n\r\nok", "ok", "close", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := newOrigin(t, func(v *visit) {
				if v.target() == "/again" {
					v.ok()
					return
				}
				v.answer("HTTP/1.1 " + test.response)
				if !strings.Contains(test.response, ": ") {
					v.hangUp()
				}
			})
			c := start(t, plain(o.address)).dial().send(test.request)
			got := c.receiveTo(strings.Fields(test.request)[0])
			framing, err := got.framing()
			said := got.value("Content-Length")
			switch {
			case err != nil:
				t.Fatal(err)
			case framing == -1:
				said = "chunked"
			case framing == -2 && test.stays:
				said = "none"
			case framing == -2:
				said = "close"
			}
			if got.body != test.body || said != test.framing {
				t.Errorf("got %q framed by %s, want %q by %s", got.body, said, test.body, test.framing)
			}
			closes := got.value("Connection") == "close"
			if closes == test.stays {
				t.Errorf("Connection %q", got.value("Connection"))
			}
			if !test.stays {
				c.ends()
			} else if c.send(get("/again")); c.receive().line == "" {
				t.Error("the connection did not stay")
			}
		})
	}
}

func TestTrailersPass(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nx-t: down\r\nContent-Length: 7\r\n\r\n")
	})
	r := start(t, plain(o.address))
	c := r.dial().send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5\r\nhello\r\n0\r\nX-T: up\r\n\r\n")
	if got := c.receive(); len(got.trailers) != 1 || got.trailers[0] != "x-t: down" || got.body != "ok" {
		t.Errorf("client got %q %q", got.body, got.trailers)
	}
	if got := o.last(); len(got.trailers) != 1 || got.trailers[0] != "X-T: up" || got.body != "hello" {
		t.Errorf("endpoint got %q %q", got.body, got.trailers)
	}
	got := r.dial().send("GET / HTTP/1.0\r\n\r\n").receive()
	if got.body != "ok" || len(got.trailers) > 0 {
		t.Errorf("HTTP/1.0 got %q %q", got.body, got.trailers)
	}
}

func TestInterimResponsesPass(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	r := start(t, plain(o.address))
	c := r.dial().send(get("/"))
	if diff := cmp.Diff([]string{"Link: </x>"}, c.receive().fields); diff != "" {
		t.Error(diff)
	}
	if got := c.receive(); got.status() != 200 || got.body != "ok" {
		t.Errorf("got %q", got.line)
	}
	if got := r.dial().send("GET / HTTP/1.0\r\n\r\n").receive(); got.status() != 200 {
		t.Errorf("HTTP/1.0 got %q", got.line)
	}
}

// What an endpoint has said is passed on although it has not finished: the head alone, an event, the middle of a body.
func TestNothingIsHeldBack(t *testing.T) {
	next := make(chan string)
	o := newOrigin(t, func(v *visit) {
		v.read()
		for piece := range next {
			v.write(piece)
		}
		v.hangUp()
	})
	c := start(t, plain(o.address)).dial().send(get("/"))
	expect := func(piece, want string) {
		t.Helper()
		next <- piece
		var seen strings.Builder
		for one := make([]byte, 1); !strings.HasSuffix(seen.String(), want); seen.Write(one) {
			if _, err := io.ReadFull(c.reader, one); err != nil {
				t.Fatalf("after %q: %v", piece, err)
			}
		}
	}
	expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n\r\n")
	expect("5\r\nhello\r\n", "5\r\nhello\r\n")
	expect("6\r\nwor", "wor\r\n")
	expect("ld!\r\n0\r\n\r\n", "ld!\r\n0\r\n\r\n")
	close(next)
}
