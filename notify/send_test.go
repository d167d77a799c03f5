package notify

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"haldane/config"
)

// attempt sends one message to a URL over the real client.
func attempt(t *testing.T, d door) answer {
	t.Helper()
	if d.timeout == 0 {
		d.timeout = 5 * time.Second
	}
	w := &worker{door: d, client: newClient(d.timeout), source: "/haldane/test"}
	defer w.client.CloseIdleConnections()
	return w.send(t.Context(), &message{kind: "promoted", service: "shop", text: "shop: v2 promoted.", alert: &alert{}}, time.Now())
}

func TestTargetsThatAreNotWell(t *testing.T) {
	release := make(chan struct{})
	handlers := map[string]http.HandlerFunc{
		"good":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) },
		"chatty":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) },
		"busy":    func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) },
		"sick":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"unknown": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/good", http.StatusTemporaryRedirect)
		},
		"slow":   func(_ http.ResponseWriter, _ *http.Request) { <-release },
		"hangup": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		handlers[strings.Split(r.URL.Path, "/")[1]](w, r)
	}))
	defer server.Close()
	defer close(release)
	f := func(name string, want answer) {
		t.Helper()
		got := attempt(t, door{kind: config.TargetSlack, url: server.URL + "/" + name + "/hunter2", timeout: 300 * time.Millisecond})
		if (got.err == nil) != (want.err == nil) || got.again != want.again || got.after != want.after {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if got.err != nil && strings.Contains(got.err.Error(), "hunter2") {
			t.Errorf("%s: the URL shows: %v", name, got.err)
		}
	}
	f("good", answer{})
	f("chatty", answer{})
	f("busy", answer{err: errDown, again: true, after: 7 * time.Second})
	f("sick", answer{err: errDown, again: true})
	f("unknown", answer{err: errDown})
	f("elsewhere", answer{err: errDown})
	f("slow", answer{err: errDown, again: true})
	f("hangup", answer{err: errDown, again: true})
}

func TestTargetsThatAreNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
			_ = conn.Close()
		}
	}()
	address := listener.Addr().String()
	for _, what := range []string{"garbage", "nobody"} {
		got := attempt(t, door{kind: config.TargetTeams, url: "http://" + address + "/hunter2"})
		if got.err == nil || !got.again || strings.Contains(got.err.Error(), "hunter2") {
			t.Errorf("%s: %+v", what, got)
		}
		_ = listener.Close()
		<-done
	}
}

func TestRetryAfterField(t *testing.T) {
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	for field, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-5": 0, "soon": 0, "999999": time.Hour, "99999999999999999999": 0,
		"Wed, 01 Jan 2025 12:00:30 GMT": 30 * time.Second, "Wed, 01 Jan 2025 11:00:00 GMT": 0, "Fri, 01 Jan 2027 11:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(field, now); got != want {
			t.Errorf("%q is %v, want %v", field, got, want)
		}
	}
}

// No line of the log shows a URL or a secret, whatever goes wrong.
func TestTheLogShowsNoSecret(t *testing.T) {
	core, lines := observer.New(zapcore.DebugLevel)
	for _, address := range []string{"http://127.0.0.1:1/hunter2", "http://hunter2:hunter2@127.0.0.1:1/", "http://127.0.0.1:1/%zz?hunter2"} {
		for _, kind := range []string{config.TargetSlack, config.TargetTeams, config.TargetWebhook, config.TargetAlertmanager} {
			d := door{kind: kind, url: address, secret: "hunter2hunter2hunter2", timeout: time.Second, giveUp: time.Hour}
			w := &worker{
				door: d, client: newClient(d.timeout), queue: newQueue("room"), logger: zap.New(core),
				hurry: make(chan struct{}),
			}
			m := message{key: "shop", queued: time.Now(), alert: &alert{}}
			w.queue.put(m, true)
			w.deliver(context.Background(), &m)
			w.client.CloseIdleConnections()
		}
	}
	if lines.Len() != 12 {
		t.Errorf("%d lines", lines.Len())
	}
	for _, line := range lines.All() {
		text, err := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()).EncodeEntry(line.Entry, line.Context)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), "hunter2") {
			t.Errorf("a secret shows: %s", text)
		}
	}
}
