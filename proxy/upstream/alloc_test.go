//go:build !race

package upstream

import (
	"io"
	"strings"
	"testing"
)

// dumbServer answers every write it gets, which must be one request, and allocates nothing.
func dumbServer(text string) func(*peer) {
	return func(p *peer) {
		buf := make([]byte, 4096)
		out := []byte(text)
		for {
			if _, err := p.TCPConn.Read(buf); err != nil {
				return
			}
			if _, err := p.Write(out); err != nil {
				return
			}
		}
	}
}

func TestAnExchangeAllocatesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	} {
		s := serve(t, dumbServer(text))
		e := s.endpoint(nil)
		plain, body := get(), strings.NewReader("")
		small := post(5, body)
		var abort Abort
		run := func() {
			for _, r := range []*struct {
				upload bool
			}{{false}, {true}} {
				req := plain
				if r.upload {
					body.Reset("hello")
					req = small
				}
				abort.Reset()
				resp, err := e.RoundTrip(req, Exchange{Gate: gate(false), Abort: &abort})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := resp.WriteTo(io.Discard); err != nil {
					t.Fatal(err)
				}
				resp.Close()
			}
		}
		run()
		if n := testing.AllocsPerRun(200, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
