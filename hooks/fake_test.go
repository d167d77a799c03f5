package hooks

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"haldane/config"
	"haldane/rollout"
)

// fake asks what it is told to ask, until it is answered.
type fake struct {
	mu        sync.Mutex
	questions []rollout.Question
	answers   []rollout.Answer
	events    chan rollout.Event
	heard     chan struct{}
}

func newFake(questions ...rollout.Question) *fake {
	return &fake{questions: questions, events: make(chan rollout.Event, 500), heard: make(chan struct{}, 100)}
}

func (f *fake) Questions(time.Time) []rollout.Question {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.questions)
}

func (f *fake) ask(questions ...rollout.Question) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.questions = questions
}

func (f *fake) Answer(a rollout.Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = append(f.answers, a)
	f.questions = slices.DeleteFunc(f.questions, func(q rollout.Question) bool {
		return q.Point == a.Point && q.Hook == a.Hook && q.Turn == a.Turn && q.Place == a.Place
	})
	f.heard <- struct{}{}
}

func (f *fake) About(service string) (rollout.Question, bool) {
	return rollout.Question{Service: service, Place: rollout.Place{Rollout: "f138"}, Checksum: "abc", Canary: "v2"}, true
}

func (f *fake) Subscribe(int) (<-chan rollout.Event, func()) { return f.events, func() {} }

// next waits for an answer.
func (f *fake) next(t *testing.T) rollout.Answer {
	t.Helper()
	select {
	case <-f.heard:
	case <-time.After(10 * time.Second):
		t.Fatal("no answer came")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.answers[len(f.answers)-1]
}

func question(hook string, turn int) rollout.Question {
	return rollout.Question{
		Service: "shop", Place: rollout.Place{Rollout: "f138", Stage: 2}, Point: config.HookConfirmPromotion, Hook: hook, Turn: turn,
		Attempt: 1, Stable: "v1", Canary: "v2", Policy: "careful", Phase: rollout.PhaseProgressing, Step: 2, Steps: 4, StepName: "5%",
		Weight: config.Whole / 20, Class: "pass", Score: 97, Sentence: "all is well", Checksum: "0123",
	}
}

// hook is one that does not wait.
func hook(name, address string) config.Hook {
	return config.Hook{Name: name, URL: config.Secret(address), Timeout: config.Duration(5 * time.Second), Failures: 3}
}

// running runs hooks against a fake, and gives back how to end that.
func running(t *testing.T, f *fake, hooks config.Hooks) (*Runner, *observer.ObservedLogs) {
	t.Helper()
	core, lines := observer.New(zapcore.DebugLevel)
	r, err := New(Options{Rollouts: f, Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	r.backoff = 10 * time.Millisecond
	settings, err := Read(map[string]config.Hooks{"shop": hooks})
	if err != nil {
		t.Fatal(err)
	}
	r.Use(settings)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r, lines
}
