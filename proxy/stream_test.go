package proxy

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"haldane/config"
)

// Events reach the client one by one as they are sent, however the stream is framed: nothing waits for more, or for the end.
func TestEventStream(t *testing.T) {
	for _, framing := range []string{"chunked", "close", "length"} {
		next := make(chan struct{})
		o := newOrigin(t, func(v *visit) {
			head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
			switch framing {
			case "chunked":
				head += "Transfer-Encoding: chunked\r\n"
			case "length":
				head += "Content-Length: 1000000\r\n"
			}
			v.answer(head + "\r\n")
			for n := 0; ; n++ {
				if _, open := <-next; !open {
					break
				}
				event := fmt.Sprintf("data: %d\n\n", n)
				if framing == "chunked" {
					event = fmt.Sprintf("%x\r\n%s\r\n", len(event), event)
				}
				v.write(event)
			}
			v.hangUp()
		})
		end := barrier(t, next)
		c := start(t, plain(o.address)).dial().send(get("/events", "Accept: text/event-stream"))
		// The head comes before there is any event.
		head, err := takeHead(c.reader)
		if err != nil || head.status() != 200 || head.value("Content-Type") != "text/event-stream" {
			t.Fatalf("%s: got %q, %v", framing, head.line, err)
		}
		for n := range 20 {
			next <- struct{}{}
			want := fmt.Sprintf("data: %d\n\n", n)
			if framing != "length" {
				want = fmt.Sprintf("%x\r\n%s\r\n", len(want), want) // a stream without a length is chunked for HTTP/1.1
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c.reader, got); err != nil || string(got) != want {
				t.Fatalf("%s: event %d: got %q, %v", framing, n, got, err)
			}
		}
		end()
	}
}

// A stream lives for as long as it moves: the time limits are for the silence between two events, not for the whole.
func TestLiveStreamIsNotCut(t *testing.T) {
	const idle, events = 500 * time.Millisecond, 40
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		ticker := time.NewTicker(idle / 10)
		defer ticker.Stop()
		for range events {
			<-ticker.C
			v.write("1\r\nx\r\n")
		}
		if strings.Contains(v.line, "/silent") {
			_, _ = v.reader.ReadByte() // until it is cut
			v.hangUp()
			return
		}
		v.write("0\r\n\r\n")
	})
	v := variantAt(o.address)
	v.Timeouts.Idle, v.Timeouts.ResponseHeader = config.Duration(idle), config.Duration(idle)
	s := sections(map[string]config.Variant{"v1": v})
	s.Timeouts.Idle, s.Timeouts.Header, s.Timeouts.Write = config.Duration(idle), config.Duration(idle), config.Duration(idle)
	r := start(t, s)
	if got := r.dial().send(get("/live")).receive(); len(got.body) != events {
		t.Errorf("of a live stream came %d events", len(got.body))
	}
	m, err := readResponse(r.dial().send(get("/silent")).reader, "GET")
	if err == nil || len(m.body) != events {
		t.Errorf("a silent stream ended with %v after %d events", err, len(m.body))
	}
}

// A long poll may wait for as long as response_header says, and is answered at once then.
func TestLongPoll(t *testing.T) {
	release := make(chan struct{})
	o := newOrigin(t, func(v *visit) { v.read(); <-release; v.write("HTTP/1.1 204 No Content\r\n\r\n") })
	answer := barrier(t, release)
	s := plain(o.address)
	v := s.Services["web"].Variants["v1"]
	v.Timeouts.ResponseHeader, v.Timeouts.Idle = 0, config.Duration(50*time.Millisecond)
	s.Services["web"].Variants["v1"] = v
	s.Timeouts.Idle, s.Timeouts.Header, s.Timeouts.Body, s.Timeouts.Write = 1e6, config.Duration(patience), 1e6, 1e6
	c := start(t, s).dial().send(get("/poll"))
	await(t, "the poll", func() bool { return o.count() == 1 })
	timer := time.NewTimer(4 * watchEvery)
	<-timer.C
	answer()
	if got := c.receive(); got.status() != 204 {
		t.Errorf("got %q", got.line)
	}
}
