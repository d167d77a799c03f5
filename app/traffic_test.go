package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traffic is a load that tells a lost request from a connection that was closed while it was idle.
type traffic struct {
	good, failed, closed atomic.Int64
	stop                 chan struct{}
	group                sync.WaitGroup
	once                 sync.Once
}

// newTraffic begins with so many clients of each kind: a new connection for every request, and one for as many as it takes.
func newTraffic(t *testing.T, address string, fresh, kept int) *traffic {
	l := &traffic{stop: make(chan struct{})}
	for i := range fresh + kept {
		l.group.Go(func() {
			for n := 0; l.runs(); n++ {
				l.connect(t, address, i >= fresh, i)
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

func (l *traffic) runs() bool {
	select {
	case <-l.stop:
		return false
	default:
		return true
	}
}

// end stops the load and waits for its last answers.
func (l *traffic) end() {
	l.once.Do(func() { close(l.stop) })
	l.group.Wait()
}

// connect uses one connection to its end.
func (l *traffic) connect(t *testing.T, address string, keep bool, user int) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		l.failed.Add(1)
		t.Logf("dial: %v", err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	reader := bufio.NewReader(conn)
	for n := 0; l.runs(); n++ {
		_, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: a.test\r\nX-User: user-%d-%d\r\n\r\n", user, n)
		if err != nil {
			l.failed.Add(1)
			t.Logf("request %d of a connection: %v", n, err)
			return
		}
		response, err := http.ReadResponse(reader, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		if err != nil || response.StatusCode != http.StatusOK {
			l.failed.Add(1)
			t.Logf("request %d of a connection: %v %+v", n, err, response)
			return
		}
		l.good.Add(1)
		if response.Close {
			l.closed.Add(1)
			return
		}
		if !keep {
			return
		}
	}
}
