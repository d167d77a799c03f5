package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"haldane/config"
	"haldane/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret is the token of every server under test.
const secret = "0123456789abcdef0123456789abcdef"

// fake is a manager that remembers what it was told.
type fake struct {
	events chan rollout.Event
	views  []rollout.View // fixed

	mu       sync.Mutex
	commands []ordered
	err      error // of the next commands
}

type ordered struct {
	Service string
	Command rollout.Command
}

func newFake() *fake {
	return &fake{
		events: make(chan rollout.Event),
		views: []rollout.View{{
			ID: "r1", Service: "shop", Phase: rollout.PhaseProgressing,
			History: []rollout.Event{{Sequence: 1, Service: "shop", Kind: rollout.EventStarted}},
		}},
	}
}

func (f *fake) Views() []rollout.View { return f.views }

func (f *fake) View(service string) (rollout.View, bool) {
	for _, view := range f.views {
		if view.Service == service {
			return view, true
		}
	}
	return rollout.View{}, false
}

func (f *fake) Do(service string, command rollout.Command) (rollout.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = append(f.commands, ordered{service, command})
	view, ok := f.View(service)
	if !ok {
		return view, rollout.ErrUnknown
	}
	return view, f.err
}

func (f *fake) AbortAll(order rollout.Command) ([]rollout.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands = append(f.commands, ordered{"*", order})
	return f.views, f.err
}

func (f *fake) Subscribe(int) (<-chan rollout.Event, func()) { return f.events, func() {} }

// last is the latest command.
func (f *fake) last() ordered {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.commands) == 0 {
		return ordered{}
	}
	return f.commands[len(f.commands)-1]
}

// failWith makes the next commands fail.
func (f *fake) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// options is a server on a free loopback port, without a socket.
func options(f *fake) Options {
	return Options{
		Config:   config.Admin{Address: "127.0.0.1:0", Socket: off, Token: secret},
		Rollouts: f,
		Gatherer: prometheus.NewRegistry(),
		Version:  "v1.2.3",
	}
}

// running is a server that serves until the test ends.
type running struct {
	*Server
	t    *testing.T
	base string
	http *http.Client
	stop func() error
}

// serve runs a server until the test ends, or until stop is called.
func serve(t *testing.T, o Options) *running {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{}
	if path := o.Config.Socket; path != off {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
	}
	r := &running{Server: s, t: t, base: "http://localhost", http: &http.Client{Transport: transport}}
	if o.Config.Socket == off {
		r.base = "http://" + s.Addr().String()
	}
	r.stop = sync.OnceValue(func() error {
		transport.CloseIdleConnections()
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem reads the answer as RFC 9457 has it.
func (a answer) problem(t *testing.T) problem {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q, body %s", got, a.body)
	}
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Errorf("%v: %s", err, a.body)
	}
	if p.Status != a.status || p.Title == "" || p.Type == "" || p.Instance == "" {
		t.Errorf("status %d with problem %+v", a.status, p)
	}
	return p
}

// do sends a request. fields are "Name: value"; "Host: x" sets the host.
func (r *running) do(method, path, body string, fields ...string) answer {
	r.t.Helper()
	request, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if method == http.MethodPost && body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "Host" {
			request.Host = value
			continue
		}
		if name == "Content-Type" {
			request.Header.Del(name)
		}
		request.Header.Add(name, value)
	}
	response, err := r.http.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// bearer is the field with the right token.
const bearer = "Authorization: Bearer " + secret

// post sends an order with the token.
func (r *running) post(path, body string) answer {
	r.t.Helper()
	return r.do(http.MethodPost, path, body, bearer)
}

// get reads a path.
func (r *running) get(path string) answer {
	r.t.Helper()
	return r.do(http.MethodGet, path, "")
}

// socketPath is a short path for a unix socket: t.TempDir can be too long for the system.
func socketPath(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "hs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	return filepath.Join(directory, "run", "h.sock")
}

// rawHost is the status of a request with exactly this Host field.
func (r *running) rawHost(host string) int {
	r.t.Helper()
	connection, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, "GET /api/v1/version HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
