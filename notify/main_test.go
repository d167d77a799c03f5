package notify

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const percent = config.Whole / 100

// world is rollouts that a test makes up.
type world struct {
	mu     sync.Mutex
	views  map[string]rollout.View
	events chan rollout.Event
}

func newWorld() *world {
	return &world{views: make(map[string]rollout.View), events: make(chan rollout.Event, 100)}
}

func (w *world) Subscribe(int) (<-chan rollout.Event, func()) { return w.events, func() {} }

func (w *world) View(service string) (rollout.View, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, there := w.views[service]
	return v, there
}

func (w *world) Views() []rollout.View {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []rollout.View
	for _, v := range w.views {
		all = append(all, v)
	}
	return all
}

// happen changes the rollout of a service and gives it an event, which it does not announce.
func (w *world) happen(service string, e rollout.Event, change func(*rollout.View)) rollout.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, there := w.views[service]
	if !there {
		v = rollout.View{
			Service: service, ID: "f138", Attempt: 1, Stable: "v1", Canary: "v2", Policy: "careful", Steps: 4,
			Phase: rollout.PhasePending, Created: time.Now(),
		}
	}
	if change != nil {
		change(&v)
	}
	e.Service, e.Rollout, e.Phase, e.Time = service, v.ID, v.Phase, time.Now()
	e.Sequence = 1
	if n := len(v.History); n > 0 {
		e.Sequence = v.History[n-1].Sequence + 1
	}
	v.History = append(v.History[:len(v.History):len(v.History)], e)
	w.views[service] = v
	return e
}

// announce is happen, and its announcement.
func (w *world) announce(service string, e rollout.Event, change func(*rollout.View)) {
	w.events <- w.happen(service, e, change)
}

// into is a change to a phase.
func into(p rollout.Phase) func(*rollout.View) {
	return func(v *rollout.View) {
		v.Phase, v.Pause, v.Hold = p, "", ""
		if v.Started.IsZero() {
			v.Started = time.Now()
		}
	}
}

// waiting is a change to a pause.
func waiting(p rollout.Pause) func(*rollout.View) {
	return func(v *rollout.View) { v.Phase, v.Pause = rollout.PhasePaused, p }
}

// post is one request that a room got.
type post struct {
	body   string
	header http.Header
	path   string
	at     time.Time
}

// room is a target: a transport that answers at once, unless it hangs.
type room struct {
	mu     sync.Mutex
	posts  []post
	answer func(n int) (status int, header http.Header, err error) // to the n-th request, from 1; nil for 200
	hangs  bool
}

func (r *room) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.posts = append(r.posts, post{string(body), request.Header, request.URL.Path, time.Now()})
	n, hangs, answer := len(r.posts), r.hangs, r.answer
	r.mu.Unlock()
	if hangs {
		<-request.Context().Done()
		return nil, request.Context().Err()
	}
	response := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: request}
	if answer != nil {
		status, header, err := answer(n)
		if err != nil {
			return nil, err
		}
		response.StatusCode = status
		if header != nil {
			response.Header = header
		}
	}
	return response, nil
}

// got is what has come so far.
func (r *room) got() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]post(nil), r.posts...)
}

// one is settings with one target, "room".
func one(t target) *Settings {
	if t.kind == "" {
		t.kind = config.TargetWebhook
	}
	if t.when == "" {
		t.when = config.WhenNeedsPerson
	}
	if t.timeout == 0 {
		t.timeout = 10 * time.Second
	}
	if t.giveUp == 0 {
		t.giveUp = time.Hour
	}
	t.url = "http://room.test/hunter2"
	return &Settings{holdAfter: 15 * time.Minute, targets: map[string]target{"room": t}}
}

// newNotifier makes a notifier whose targets are all the same room.
func newNotifier(t *testing.T, w *world, r *room) *Notifier {
	t.Helper()
	n, err := New(Options{Rollouts: w, Source: "/haldane/test", Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	n.newClient = func(time.Duration) *http.Client { return &http.Client{Transport: r} }
	return n
}

var errDown = errors.New("down")
