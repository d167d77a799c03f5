//go:build !race

package proxy

import (
	"io"
	"strings"
	"testing"
	"time"
)

// A client that leaves, while it waits or in the middle of a download, is noticed at its endpoint within a second.
func TestClientVanishes(t *testing.T) {
	for name, answer := range map[string]string{
		"waiting":     "",
		"downloading": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"idle stream": "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n",
	} {
		noticed := make(chan time.Time, 1)
		o := newOrigin(t, func(v *visit) {
			v.answer(answer)
			for name == "downloading" && !v.ended {
				v.write("400\r\n" + strings.Repeat("x", 1024) + "\r\n")
			}
			_, _ = v.reader.ReadByte() // until the proxy hangs up
			noticed <- time.Now()
			v.hangUp()
		})
		r := start(t, plain(o.address))
		quickest := time.Hour
		for round := 1; round <= 3 && quickest > time.Second; round++ { // the machine may be busy with something else
			c := r.dial().send(get("/"))
			await(t, "the request to arrive", func() bool { return o.count() == round })
			if answer != "" {
				if _, err := io.CopyN(io.Discard, c.reader, int64(len("HTTP/1.1 200 OK"))); err != nil {
					t.Fatal(err)
				}
			}
			left := time.Now()
			c.conn.Close()
			select {
			case at := <-noticed:
				quickest = min(quickest, at.Sub(left))
			case <-time.After(patience):
				t.Fatalf("%s: the endpoint has noticed nothing", name)
			}
		}
		t.Logf("%s: noticed after %v", name, quickest.Round(time.Millisecond))
		if quickest > time.Second {
			t.Errorf("%s: the endpoint has noticed after %v", name, quickest)
		}
	}
}
