package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"haldane/rollout"
)

// forgetful loses its first answers after it has heard the order.
type forgetful struct {
	t     *testing.T
	loses int

	mu   sync.Mutex
	keys []string
}

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	f.mu.Lock()
	f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
	lost := len(f.keys) <= f.loses
	f.mu.Unlock()
	if lost {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	_, _ = io.WriteString(w, `{"service":"shop","phase":"paused"}`)
}

// An order whose answer is lost is sent again with the same key; when no answer comes at all, the message says that nobody knows.
func TestALostAnswer(t *testing.T) {
	for _, c := range []struct {
		loses, sent int
		fails       bool
	}{{0, 1, false}, {2, 3, false}, {100, attemptsMost, true}} {
		f := &forgetful{t: t, loses: c.loses}
		server := httptest.NewServer(f)
		got := invoke(t, "pause", "shop", "--address", server.URL)
		server.Close()
		if (got.code != 0) != c.fails || len(f.keys) != c.sent {
			t.Errorf("%d lost: exit code %d after %d times: %s", c.loses, got.code, len(f.keys), got.stderr)
		}
		for _, key := range f.keys {
			if key == "" || key != f.keys[0] {
				t.Errorf("keys %q", f.keys)
			}
		}
		if c.fails && !strings.Contains(got.stderr, "whether it was carried out") {
			t.Errorf("says %s", got.stderr)
		}
	}
}

// An order that is given on a revision says so, and what stands against it is shown.
func TestIfRevision(t *testing.T) {
	f := &fake{views: []rollout.View{shop()}}
	socket, _ := start(t, f)
	if got := invoke(t, "set-weight", "shop", "7%", "--if-revision", "r1.4", "--socket", socket); got.code != 0 {
		t.Fatal(got.stderr)
	}
	if c := f.commands[0].Command; c.IfRevision != "r1.4" || c.Key == "" || c.Caller == "" {
		t.Errorf("ordered %+v", c)
	}
	f.err = rollout.ErrChanged
	if got := invoke(t, "promote", "shop", "--if-revision", "r1.4", "--socket", socket); got.code != 1 || !strings.Contains(got.stderr, "has changed") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}
