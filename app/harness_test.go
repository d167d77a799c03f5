package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"haldane/app"
	"haldane/rollout"
)

// backend is a real HTTP server that counts what reached it and can be told to fail.
type backend struct {
	address  string
	requests atomic.Int64
	failing  atomic.Bool                      // answers 500
	handle   atomic.Pointer[http.HandlerFunc] // instead of the usual answer
}

func newBackend(t *testing.T, name string) *backend {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{address: listener.Addr().String()}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		if handle := b.handle.Load(); handle != nil {
			(*handle)(w, r)
			return
		}
		if b.failing.Load() {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, name)
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return b
}

// instance is a running Haldane.
type instance struct {
	*app.App
	config string // path of its file
	stop   func() // drains and waits; may be called twice
}

// launch runs the real thing on a configuration. %DIR% in the text is the state directory.
func launch(t *testing.T, text string) *instance {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "haldane.yaml")
	writeConfig(t, path, text)
	return launchFile(t, path)
}

// launchFile runs the real thing on a file that exists.
func launchFile(t *testing.T, path string) *instance {
	t.Helper()
	return launchWith(t, app.Options{ConfigPath: path, Logger: zap.NewNop(), Version: "test"})
}

// launchWith runs the real thing with options of its own.
func launchWith(t *testing.T, options app.Options) *instance {
	t.Helper()
	a, err := app.New(options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(stop)
	return &instance{App: a, config: options.ConfigPath, stop: stop}
}

// writeConfig replaces the file as an editor would: a new file under the old name.
func writeConfig(t *testing.T, path, text string) {
	t.Helper()
	text = strings.ReplaceAll(text, "%DIR%", filepath.Dir(path))
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, path); err != nil {
		t.Fatal(err)
	}
}

// preamble is the part of the configuration that every test shares: all ports free, state in %DIR%.
const preamble = `
version: 1
listen: {address: "127.0.0.1:0"}
admin: {address: "127.0.0.1:0"}
state: {store: file, directory: "%DIR%/state"}
`

// client is one HTTP client with connections of its own.
func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// answer is what a client saw.
type answer struct {
	status  int
	variant string
	body    string
	err     error
}

// get sends one request, changed by edit if that is given.
func (i *instance) get(client *http.Client, edit func(*http.Request)) answer {
	return fetch(client, "http://"+i.Address().String()+"/", edit)
}

// fetch sends one request to a URL, changed by edit if that is given.
func fetch(client *http.Client, url string, edit func(*http.Request)) answer {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	if edit != nil {
		edit(request)
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("X-Variant"), strings.TrimSpace(string(body)), err}
}

// view is the state of the only rollout.
func (i *instance) view(t *testing.T) rollout.View {
	t.Helper()
	views := i.Rollouts().Views()
	if len(views) != 1 {
		t.Fatalf("%d rollouts, want 1", len(views))
	}
	return views[0]
}

// await looks at the rollout until the condition holds. It fails the test with the last view after the limit.
func (i *instance) await(t *testing.T, limit time.Duration, what string, condition func(rollout.View) bool) rollout.View {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		view := i.view(t)
		if condition(view) {
			return view
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s; the rollout is %+v", limit, what, view)
		}
	}
}

// load sends paced requests until stopped, in the open: an answer that takes long delays no other request.
type load struct {
	sent, failed, lost atomic.Int64 // lost: no HTTP answer at all
	cancel             context.CancelFunc
	done               chan struct{}
}

// pace starts a load of so many requests a second. edit may change the n-th request.
func (i *instance) pace(t *testing.T, rate int, edit func(n int, r *http.Request)) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel, done: make(chan struct{})}
	client := newClient(t)
	go func() {
		defer close(l.done)
		var group sync.WaitGroup
		defer group.Wait()
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			group.Go(func() {
				got := i.get(client, func(r *http.Request) {
					if edit != nil {
						edit(n, r)
					}
				})
				l.sent.Add(1)
				if got.err != nil {
					l.lost.Add(1)
				} else if got.status >= 500 {
					l.failed.Add(1)
				}
			})
		}
	}()
	t.Cleanup(l.stop)
	return l
}

// stop ends the load and waits for the answers that are out.
func (l *load) stop() {
	l.cancel()
	<-l.done
}

// admin reads one page of the admin listener.
func (i *instance) admin(t *testing.T, path string) string {
	t.Helper()
	response, err := newClient(t).Get("http://" + i.AdminAddress().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
