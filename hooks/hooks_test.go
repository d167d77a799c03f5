package hooks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
	"haldane/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAQuestionSaysWhatItIsAbout(t *testing.T) {
	type seen struct {
		body  map[string]any
		field http.Header
	}
	got := make(chan seen, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		s := seen{field: r.Header}
		_ = json.Unmarshal(text, &s.body)
		s.field.Set("Expected", webhook.Sign("abcdefghijklmnop", signedAt(r.Header.Get(webhook.SignatureField)), text))
		got <- s
	}))
	defer server.Close()
	h := hook("gate", server.URL)
	h.Secret, h.Metadata = "abcdefghijklmnop", map[string]string{"team": "shop"}
	f := newFake(question("gate", 3))
	running(t, f, config.Hooks{ConfirmPromotion: []config.Hook{h}})
	if a := f.next(t); a.Answer != rollout.HookYes || a.Turn != 3 || a.Place.Stage != 2 {
		t.Errorf("the answer is %+v", a)
	}
	s := <-got
	q := question("gate", 3)
	for name, want := range map[string]any{
		"id": q.ID(), "hook": "gate", "point": "confirm_promotion", "question": 3.0, "service": "shop", "rollout": "f138", "attempt": 1.0,
		"stable": "v1", "canary": "v2", "policy": "careful", "phase": "progressing", "step": 2.0, "steps": 4.0, "step_name": "5%", "weight": "5%",
		"checksum": "0123",
	} {
		if s.body[name] != want {
			t.Errorf("%s is %v, want %v", name, s.body[name], want)
		}
	}
	if v, _ := s.body["verdict"].(map[string]any); v["class"] != "pass" || v["score"] != 97.0 || v["sentence"] != "all is well" {
		t.Errorf("the verdict is %v", s.body["verdict"])
	}
	if m, _ := s.body["metadata"].(map[string]any); m["team"] != "shop" {
		t.Errorf("the metadata is %v", s.body["metadata"])
	}
	if s.field.Get("Idempotency-Key") != q.ID() || s.field.Get("Content-Type") != "application/json" ||
		s.field.Get(webhook.SignatureField) != s.field.Get("Expected") {
		t.Errorf("the fields are %v", s.field)
	}
}

// signedAt is the time in a signature.
func signedAt(field string) time.Time {
	var seconds int64
	_, _ = fmt.Sscanf(field, "t=%d,", &seconds)
	return time.Unix(seconds, 0)
}

func TestAnswersMean(t *testing.T) {
	calls := make(map[string]int)
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls[r.URL.Path]++
		n := calls[r.URL.Path]
		mu.Unlock()
		switch r.URL.Path {
		case "/yes":
			w.WriteHeader(http.StatusAccepted)
		case "/no":
			http.Error(w, "not before\x1b[31m noon", http.StatusForbidden)
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "/behind": // a proxy without its server
			w.WriteHeader(http.StatusBadGateway)
		case "/elsewhere":
			http.Redirect(w, r, "/yes", http.StatusTemporaryRedirect)
		case "/soon":
			if n < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	}))
	defer server.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	_ = listener.Close()
	for _, c := range []struct {
		url    string
		answer rollout.HookAnswer
		text   string
		calls  int
	}{
		{server.URL + "/yes", rollout.HookYes, "", 1},
		{server.URL + "/no", rollout.HookRefused, "the target answered 403: not before [31m noon", 1},
		{server.URL + "/broken", rollout.HookRefused, "the target answered 500", 1},
		{server.URL + "/behind", rollout.HookSilent, "the target answered 502", 3},
		{server.URL + "/elsewhere", rollout.HookRefused, "the target answered 307", 1},
		{server.URL + "/soon", rollout.HookYes, "", 3},
		{"http://" + nobody + "/hunter2", rollout.HookSilent, "connection refused", 0},
	} {
		h := hook("gate", c.url)
		h.Retries = 2
		f := newFake(question("gate", 1))
		t.Run(filepath.Base(c.url), func(t *testing.T) {
			_, lines := running(t, f, config.Hooks{ConfirmPromotion: []config.Hook{h}})
			a := f.next(t)
			if a.Answer != c.answer || !strings.Contains(a.Text, c.text) || strings.Contains(a.Text, "hunter2") {
				t.Errorf("it is %s (%s), want %s (%s)", a.Answer, a.Text, c.answer, c.text)
			}
			mu.Lock()
			defer mu.Unlock()
			if n := calls["/"+filepath.Base(c.url)]; n != c.calls {
				t.Errorf("%d attempts, want %d", n, c.calls)
			}
			for _, line := range lines.All() {
				if strings.Contains(fmt.Sprint(line.ContextMap()), "hunter2") {
					t.Errorf("the log shows a secret: %v", line)
				}
			}
		})
	}
}

// A hook that hangs delays no other, and no later question to itself.
func TestAHookThatHangsDelaysNobody(t *testing.T) {
	release := make(chan struct{})
	first := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var p payload
		_ = json.NewDecoder(r.Body).Decode(&p)
		if p.Hook == "slow" && p.Question == 1 {
			first <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}))
	defer server.Close()
	defer close(release)
	f := newFake(question("slow", 1), question("quick", 1))
	r, _ := running(t, f, config.Hooks{ConfirmPromotion: []config.Hook{hook("slow", server.URL), hook("quick", server.URL)}})
	if a := f.next(t); a.Hook != "quick" || a.Answer != rollout.HookYes {
		t.Errorf("the first answer is %+v", a)
	}
	<-first
	f.ask(question("slow", 2))
	if a := f.next(t); a.Hook != "slow" || a.Turn != 2 {
		t.Errorf("the second answer is %+v", a)
	}
	for _, n := range r.Numbers() {
		if n.Answers[rollout.HookYes] != 1 || n.Answers[rollout.HookSilent] != 0 {
			t.Errorf("%s: %v", n.Hook, n.Answers)
		}
	}
}

func TestASlowHookIsSilent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	h := hook("gate", server.URL)
	h.Timeout = config.Duration(50 * time.Millisecond)
	f := newFake(question("gate", 1))
	running(t, f, config.Hooks{ConfirmPromotion: []config.Hook{h}})
	if a := f.next(t); a.Answer != rollout.HookSilent || !strings.Contains(a.Text, "deadline") {
		t.Errorf("it is %+v", a)
	}
}

// The end of a process gives up what is on its way, and says nothing about it.
func TestTheEndWaitsForNobody(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	f := newFake(question("gate", 1))
	r, err := New(Options{Rollouts: f, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := Read(map[string]config.Hooks{"shop": {ConfirmPromotion: []config.Hook{hook("gate", server.URL)}}})
	if err != nil {
		t.Fatal(err)
	}
	r.Use(settings)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-arrived
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it waits")
	}
	if len(f.answers) != 0 {
		t.Errorf("answers: %v", f.answers)
	}
}

func TestEventsComeInTheirOrder(t *testing.T) {
	got := make(chan payload, 500)
	gate := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var p payload
		_ = json.NewDecoder(r.Body).Decode(&p)
		<-gate
		got <- p
	}))
	defer server.Close()
	f := newFake()
	r, _ := running(t, f, config.Hooks{Event: []config.Hook{hook("listener", server.URL)}})
	const events = 150
	for i := range events {
		f.events <- rollout.Event{Sequence: uint64(i + 1), Service: "shop", Rollout: "f138", Kind: rollout.EventStep, Phase: rollout.PhaseProgressing, Reason: "on it goes"}
	}
	f.events <- rollout.Event{Sequence: 1, Service: "other", Rollout: "aaaa", Kind: rollout.EventStep}
	for deadline := time.Now().Add(5 * time.Second); r.Numbers()[0].Dropped < events-queueLongest-1; {
		if time.Now().After(deadline) {
			t.Fatalf("dropped: %d", r.Numbers()[0].Dropped)
		}
		time.Sleep(time.Millisecond)
	}
	close(gate)
	last := 0
	for i := range queueLongest + 1 {
		p := <-got
		var n int
		_, _ = fmt.Sscanf(p.ID, "f138-%d", &n)
		if n <= last || p.Service != "shop" || p.Event == nil || p.Event.Reason != "on it goes" || p.Checksum != "abc" || p.Point != "event" {
			t.Fatalf("event %d is %+v", i, p)
		}
		last = n
	}
	if last != events {
		t.Errorf("the last one is %d", last)
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, h := range map[string]config.Hook{
		"no such file": {Name: "a", URLFile: filepath.Join(dir, "none")},
		"at least 16":  {Name: "a", URL: "http://a/hunter2", SecretFile: writeFile(t, dir, "hunter2")},
	} {
		_, err := Read(map[string]config.Hooks{"shop": {Rollback: []config.Hook{h}}})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "hook a (rollback) of shop") ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("nothing is missing")
	}
}

func writeFile(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
