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
	"haldane/webhook"
)

// attempt sends one message to a URL over the real client.
func attempt(t *testing.T, d door) webhook.Answer {
	t.Helper()
	if d.timeout == 0 {
		d.timeout = 5 * time.Second
	}
	w := &worker{door: d, client: webhook.NewClient(d.timeout), source: "/haldane/test"}
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
	f := func(name string, want webhook.Answer) {
		t.Helper()
		got := attempt(t, door{kind: config.TargetSlack, url: server.URL + "/" + name + "/hunter2", timeout: 300 * time.Millisecond})
		if (got.Err == nil) != (want.Err == nil) || got.Again != want.Again || got.After != want.After {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if got.Err != nil && strings.Contains(got.Err.Error(), "hunter2") {
			t.Errorf("%s: the URL shows: %v", name, got.Err)
		}
	}
	f("good", webhook.Answer{})
	f("chatty", webhook.Answer{})
	f("busy", webhook.Answer{Err: errDown, Again: true, After: 7 * time.Second})
	f("sick", webhook.Answer{Err: errDown, Again: true})
	f("unknown", webhook.Answer{Err: errDown})
	f("elsewhere", webhook.Answer{Err: errDown})
	f("slow", webhook.Answer{Err: errDown, Again: true})
	f("hangup", webhook.Answer{Err: errDown, Again: true})
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
		if got.Err == nil || !got.Again || strings.Contains(got.Err.Error(), "hunter2") {
			t.Errorf("%s: %+v", what, got)
		}
		_ = listener.Close()
		<-done
	}
}

// No line of the log shows a URL or a secret, whatever goes wrong.
func TestTheLogShowsNoSecret(t *testing.T) {
	core, lines := observer.New(zapcore.DebugLevel)
	for _, address := range []string{"http://127.0.0.1:1/hunter2", "http://hunter2:hunter2@127.0.0.1:1/", "http://127.0.0.1:1/%zz?hunter2"} {
		for _, kind := range []string{config.TargetSlack, config.TargetTeams, config.TargetWebhook, config.TargetAlertmanager} {
			d := door{kind: kind, url: address, secret: "hunter2hunter2hunter2", timeout: time.Second, giveUp: time.Hour}
			w := &worker{
				door: d, client: webhook.NewClient(d.timeout), queue: newQueue("room"), logger: zap.New(core),
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
