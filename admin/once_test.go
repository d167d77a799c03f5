package admin

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"haldane/rollout"
)

// ordered is how many commands have been given so far.
func (f *fake) ordered() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.commands)
}

// once sends an order with a key.
func (r *running) once(key, path, body string, fields ...string) answer {
	r.t.Helper()
	return r.do(http.MethodPost, path, body, append(fields, bearer, "Idempotency-Key: "+key)...)
}

// An order with a key is carried out once; whoever repeats it gets the first answer. Another order needs another key.
func TestAnOrderIsCarriedOutOnce(t *testing.T) {
	f := newFake()
	f.views[0].Revision = "r1.4"
	s := serve(t, options(f))
	first := s.once("k1", "/api/v1/rollouts/shop/pause", `{"reason":"a"}`)
	again := s.once("k1", "/api/v1/rollouts/shop/pause", `{"reason":"a"}`)
	if first.status != 200 || again.status != 200 || again.body != first.body || again.header.Get("ETag") != `"r1.4"` || f.ordered() != 1 {
		t.Errorf("%d %s, then %d %s, after %d orders", first.status, first.body, again.status, again.body, f.ordered())
	}
	if first.header.Get(replayedField) != "" || again.header.Get(replayedField) != "true" || f.last().Command.Key != "k1" {
		t.Errorf("headers %v and %v", first.header, again.header)
	}
	for what, other := range map[string]answer{
		"body":      s.once("k1", "/api/v1/rollouts/shop/pause", `{"reason":"b"}`),
		"path":      s.once("k1", "/api/v1/rollouts/shop/resume", `{"reason":"a"}`),
		"condition": s.once("k1", "/api/v1/rollouts/shop/pause", `{"reason":"a"}`, `If-Match: "r1.4"`),
	} {
		if p := other.problem(t); other.status != 422 || !strings.Contains(p.Detail, "another order") {
			t.Errorf("another %s: %d %s", what, other.status, other.body)
		}
	}
	if s.once("k2", "/api/v1/rollouts/shop/pause", `{"reason":"a"}`); f.ordered() != 2 {
		t.Errorf("%d orders with two keys", f.ordered())
	}
	for _, key := range []string{strings.Repeat("k", keyLongest+1), "é"} {
		if got := s.once(key, "/api/v1/rollouts/shop/pause", ``); got.status != 400 {
			t.Errorf("key %q: %d", key, got.status)
		}
	}
}

// A refusal is an answer like another one; a failure on our side is none, so that the next attempt may work.
func TestWhatIsKeptOfAFailure(t *testing.T) {
	f := newFake()
	s := serve(t, options(f))
	f.failWith(&rollout.ImpossibleError{Service: "shop", Command: rollout.CommandPause})
	s.once("k1", "/api/v1/rollouts/shop/pause", ``)
	f.failWith(nil)
	if got := s.once("k1", "/api/v1/rollouts/shop/pause", ``); got.status != 409 || got.header.Get(replayedField) != "true" || f.ordered() != 1 {
		t.Errorf("a refusal: %d after %d orders", got.status, f.ordered())
	}
	f.failWith(fmt.Errorf("no disk"))
	if got := s.once("k2", "/api/v1/rollouts/shop/pause", ``); got.status != 503 {
		t.Errorf("a failure: %d", got.status)
	}
	f.failWith(nil)
	if got := s.once("k2", "/api/v1/rollouts/shop/pause", ``); got.status != 200 || got.header.Get(replayedField) != "" || f.ordered() != 3 {
		t.Errorf("after a failure: %d after %d orders", got.status, f.ordered())
	}
}

// Of orders that come at the same time with the same key, one is carried out and the others wait for its answer.
func TestOrdersAtTheSameTime(t *testing.T) {
	f, release := newFake(), make(chan struct{})
	o := options(f)
	o.Rollouts = slow{f, release}
	s := serve(t, o)
	const n = 3 // fewer than may be carried out at a time
	answers := make(chan answer, n)
	var group sync.WaitGroup
	for range n {
		group.Go(func() { answers <- s.once("k1", "/api/v1/rollouts/shop/pause", ``) })
	}
	for timeout := time.After(20 * time.Second); f.ordered() == 0; {
		select {
		case <-timeout:
			t.Fatal("nothing was ordered")
		case <-time.After(time.Millisecond):
		}
	}
	close(release)
	group.Wait()
	close(answers)
	replayed := 0
	for got := range answers {
		if got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got.header.Get(replayedField) != "" {
			replayed++
		}
	}
	if f.ordered() != 1 || replayed != n-1 {
		t.Errorf("%d orders, %d repeated answers", f.ordered(), replayed)
	}
}

// slow carries an order out when it is told to.
type slow struct {
	*fake
	release chan struct{}
}

func (s slow) Do(service string, c rollout.Command) (rollout.View, error) {
	view, err := s.fake.Do(service, c)
	<-s.release
	return view, err
}

// What is kept is bounded, in number, size and time; an order that is not known any more is carried out.
func TestKeptAnswersAreBounded(t *testing.T) {
	o := newOnce()
	now := time.Unix(1_800_000_000, 0)
	answer := func(key string, size int, at time.Time) bool {
		k, first := o.enter(key, [32]byte{}, at)
		if first {
			out := &copying{ResponseWriter: &discard{}, complete: true}
			out.body.Write(make([]byte, size))
			o.leave(k, key, out)
		}
		return first
	}
	for i := range 3 * keptMost {
		answer(fmt.Sprint(i), 100, now)
	}
	if o.kept.Len() != keptMost || o.bytes != 100*keptMost {
		t.Errorf("%d answers of %d bytes", o.kept.Len(), o.bytes)
	}
	for i := range 20 {
		answer(fmt.Sprint("large", i), 1<<20, now)
	}
	if o.bytes > keptBytes || o.kept.Len() < 15 || answer("large19", 1, now) {
		t.Errorf("%d answers of %d bytes", o.kept.Len(), o.bytes)
	}
	if answer("large19", 1, now.Add(keptFor-1)) || !answer("large19", 1, now.Add(keptFor)) {
		t.Error("an answer is not kept for its time")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := 0
	for _, k := range o.kept.Values() {
		sum += len(k.body)
	}
	if o.bytes != sum {
		t.Errorf("%d bytes are counted, %d are kept", o.bytes, sum)
	}
}

// discard is an answer to nobody.
type discard struct{}

func (d *discard) Header() http.Header       { return http.Header{} }
func (d *discard) Write([]byte) (int, error) { return 0, nil }
func (d *discard) WriteHeader(int)           {}

// recordedOrders is an archive of orders.
type recordedOrders struct {
	noArchive
	list []rollout.AuditEntry
}

func (r recordedOrders) Audit(int) ([]rollout.AuditEntry, error) { return r.list, nil }

// What a process before this one has carried out is not carried out again.
func TestAnOrderOfAnEarlierProcess(t *testing.T) {
	f := newFake()
	o := options(f)
	o.Archive = recordedOrders{list: []rollout.AuditEntry{
		{Service: "other", Command: rollout.CommandPause, Key: "k2"}, {Service: "shop", Command: rollout.CommandPause, Key: "k1"},
	}}
	s := serve(t, o)
	if got := s.once("k1", "/api/v1/rollouts/shop/pause", ``); got.status != 200 || got.header.Get(replayedField) != "true" || f.ordered() != 0 {
		t.Errorf("%d %v, %d orders", got.status, got.header, f.ordered())
	}
	if got := s.once("k1", "/api/v1/rollouts/shop/resume", ``); got.status != 422 || f.ordered() != 0 {
		t.Errorf("another order: %d, %d orders", got.status, f.ordered())
	}
	if got := s.once("k2", "/api/v1/rollouts/shop/pause", ``); got.status != 200 || f.ordered() != 1 {
		t.Errorf("of another service: %d, %d orders", got.status, f.ordered())
	}
}

// An order on another state is refused, with the state there is; reading knows what has not changed.
func TestConditions(t *testing.T) {
	f := newFake()
	f.views[0].Revision = "r1.4"
	s := serve(t, options(f))
	const path = "/api/v1/rollouts/shop"
	if got := s.get(path); got.header.Get("ETag") != `"r1.4"` {
		t.Errorf("ETag %s", got.header.Get("ETag"))
	}
	for field, status := range map[string]int{`"r1.4"`: 304, `W/"r1.4"`: 304, `"x", "r1.4"`: 304, "*": 304, `"r1.3"`: 200, "r1.4": 200} {
		got := s.do("GET", path, "", "If-None-Match: "+field)
		if got.status != status || got.header.Get("ETag") != `"r1.4"` || (got.body == "") != (status == 304) {
			t.Errorf("If-None-Match %s: %d %s", field, got.status, got.body)
		}
	}
	for field, revision := range map[string]string{`"r1.3"`: "r1.3", "*": "", ` "r1.3" `: "r1.3"} {
		if s.do("POST", path+"/pause", "", bearer, "If-Match: "+field); f.last().Command.IfRevision != revision {
			t.Errorf("If-Match %s: the order was for %q", field, f.last().Command.IfRevision)
		}
	}
	for _, field := range []string{`r1.3`, `W/"r1.3"`, `"a","b"`, `""`, `"`} {
		if got := s.do("POST", path+"/pause", "", bearer, "If-Match: "+field); got.status != 400 {
			t.Errorf("If-Match %s: %d", field, got.status)
		}
	}
	if got := s.do("POST", "/api/v1/rollouts/abort", "", bearer, `If-Match: "r1.4"`); got.status != 400 {
		t.Errorf("abort all: %d", got.status)
	}
	f.failWith(fmt.Errorf("shop: %w", rollout.ErrChanged))
	got := s.do("POST", path+"/set-weight", `{"weight": 5}`, bearer, `If-Match: "r1.3"`)
	if p := got.problem(t); got.status != 412 || p.Rollout == nil || p.Rollout.Service != "shop" || got.header.Get("ETag") != `"r1.4"` {
		t.Errorf("another state: %d %s", got.status, got.body)
	}
}
