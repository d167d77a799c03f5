package upstream

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"haldane/proxy/http1"
)

// echo answers every request with its target and body, and sometimes misbehaves behind a complete answer.
func echo(p *peer) {
	for r := p.request(); r != nil; r = p.request() {
		body := r.line + " " + r.body
		switch rand.IntN(20) {
		case 0:
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
			return
		case 1:
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%sHTTP/1.1 200 OK\r\n\r\nPOISON", len(body), body))
			p.rest()
			return
		case 2, 3, 4, 5, 6, 7, 8, 9:
			p.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
		default:
			p.send(fmt.Sprintf("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}
	}
}

// TestNobodyGetsTheAnswerOfAnother runs many exchanges at once, some given up half way, over connections that sometimes
// misbehave.
func TestNobodyGetsTheAnswerOfAnother(t *testing.T) {
	s := serve(t, echo)
	e := s.endpoint(func(o *Options) { o.MaxConnections = 12 })
	var good atomic.Int32
	var users sync.WaitGroup
	for user := range 16 {
		users.Go(func() {
			random := rand.New(rand.NewPCG(uint64(user), 0))
			var abort Abort
			for i := range 150 {
				abort.Reset()
				target := fmt.Sprintf("/%d/%d", user, i)
				r := get()
				r.Target = []byte(target)
				want := "GET " + target + " "
				if n := random.IntN(4); n > 0 {
					text := strings.Repeat(target, random.IntN(1<<(5*n)))
					r.Method, r.Body, r.Length = []byte("POST"), onlyReader{strings.NewReader(text)}, http1.LengthChunked
					want = "POST " + target + " " + text
				}
				if !checkEcho(t, e, r, &abort, want, random.IntN(10) == 0) {
					continue
				}
				good.Add(1)
			}
		})
	}
	users.Wait()
	if good.Load() < 500 {
		t.Errorf("only %d exchanges went well", good.Load())
	}
	if open, idle := e.Connections(); open != idle || open > 12 {
		t.Errorf("%d connections, %d of them idle", open, idle)
	}
}

// Whoever fires ends the exchange that it was for, and no other, whenever that is.
func TestFiredAtAnyMoment(t *testing.T) {
	s := serve(t, echo)
	e := s.endpoint(func(o *Options) { o.MaxConnections = 4 })
	var good, fired atomic.Int32
	var users sync.WaitGroup
	for user := range 8 {
		users.Go(func() {
			random := rand.New(rand.NewPCG(uint64(user), 1))
			var abort Abort
			for i := range 300 {
				abort.Reset()
				var other sync.WaitGroup
				if turns := random.IntN(2000); i%2 == 0 {
					other.Go(func() {
						for range turns {
							runtime.Gosched()
						}
						abort.Fire()
					})
				}
				r := get()
				r.Target = fmt.Appendf(nil, "/%d/%d", user, i)
				switch _, got, err := fetch(e, r, Exchange{Abort: &abort}); {
				case err == nil && got == "GET "+string(r.Target)+" ":
					good.Add(1)
				case err != nil && abort.Fired():
					fired.Add(1)
				case err != nil:
					wantKind(t, err, KindFull)
				default:
					t.Errorf("%s got %.60q", r.Target, got)
				}
				other.Wait()
			}
		})
	}
	users.Wait()
	if good.Load() < 100 || fired.Load() < 10 {
		t.Errorf("%d went well and %d were fired", good.Load(), fired.Load())
	}
	if open, idle := e.Connections(); open != idle || open > 4 {
		t.Errorf("%d connections, %d of them idle", open, idle)
	}
}

// checkEcho does one exchange and reports whether it went well. What it must never see is another's answer.
func checkEcho(t *testing.T, e *Endpoint, r *http1.Request, abort *Abort, want string, quit bool) bool {
	resp, err := e.RoundTrip(r, Exchange{Abort: abort})
	if err != nil {
		wantKind(t, err, KindFull)
		return false
	}
	defer resp.Close()
	if quit {
		abort.Fire()
	}
	body, err := io.ReadAll(resp)
	if err == nil && string(body) != want {
		t.Errorf("got %.60q, want %.60q", body, want)
	}
	if err != nil && !quit {
		t.Errorf("%v", err)
	}
	return err == nil
}
