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

// crowd is users that ask an endpoint for different things at the same time.
type crowd struct{ users, each, connections int }

// run lets them, and then nobody holds a connection any more.
func (c crowd) run(t *testing.T, ask func(e *Endpoint, random *rand.Rand, abort *Abort, target string)) {
	t.Helper()
	s := serve(t, echo)
	e := s.endpoint(func(o *Options) { o.MaxConnections = c.connections })
	var users sync.WaitGroup
	for user := range c.users {
		users.Go(func() {
			random := rand.New(rand.NewPCG(uint64(user), 0))
			var abort Abort
			for i := range c.each {
				abort.Reset()
				ask(e, random, &abort, fmt.Sprintf("/%d/%d", user, i))
			}
		})
	}
	users.Wait()
	if open, idle := e.Connections(); open != idle || open > c.connections {
		t.Errorf("%d connections, %d of them idle", open, idle)
	}
}

// TestNobodyGetsTheAnswerOfAnother runs many exchanges at once, some given up half way, over connections that sometimes
// misbehave.
func TestNobodyGetsTheAnswerOfAnother(t *testing.T) {
	var good atomic.Int32
	crowd{16, 150, 12}.run(t, func(e *Endpoint, random *rand.Rand, abort *Abort, target string) {
		r := get()
		r.Target = []byte(target)
		want := "GET " + target + " "
		if n := random.IntN(4); n > 0 {
			text := strings.Repeat(target, random.IntN(1<<(5*n)))
			r.Method, r.Body, r.Length = []byte("POST"), onlyReader{strings.NewReader(text)}, http1.LengthChunked
			want = "POST " + target + " " + text
		}
		if checkEcho(t, e, r, abort, want, random.IntN(10) == 0) {
			good.Add(1)
		}
	})
	if good.Load() < 500 {
		t.Errorf("only %d exchanges went well", good.Load())
	}
}

// Whoever fires ends the exchange that it was for, and no other, whenever that is.
func TestFiredAtAnyMoment(t *testing.T) {
	var good, fired atomic.Int32
	crowd{8, 300, 4}.run(t, func(e *Endpoint, random *rand.Rand, abort *Abort, target string) {
		var other sync.WaitGroup
		defer other.Wait()
		if turns := random.IntN(4000); turns < 2000 {
			other.Go(func() {
				for range turns {
					runtime.Gosched()
				}
				abort.Fire()
			})
		}
		r := get()
		r.Target = []byte(target)
		switch _, got, err := fetch(e, r, Exchange{Abort: abort}); {
		case err == nil && got == "GET "+target+" ":
			good.Add(1)
		case err != nil && abort.Fired():
			fired.Add(1)
		case err != nil:
			wantKind(t, err, KindFull)
		default:
			t.Errorf("%s got %.60q", target, got)
		}
	})
	if good.Load() < 100 || fired.Load() < 10 {
		t.Errorf("%d went well and %d were fired", good.Load(), fired.Load())
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
