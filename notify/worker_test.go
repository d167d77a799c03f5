package notify

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// Events within a second, and all while the target is down, are one message: the latest, and a count.
func TestCoalescing(t *testing.T) {
	r := &room{answer: func(n int) (int, http.Header, error) {
		if n < 8 {
			return 0, nil, errDown
		}
		return 200, nil, nil
	}}
	play(t, one(target{when: config.WhenAll}), r, func(w *world, n *Notifier) {
		for i := range 5 {
			w.announce("shop", rollout.Event{Kind: rollout.EventStep, Step: i, Weight: percent}, into(rollout.PhaseProgressing))
			w.announce("help", rollout.Event{Kind: rollout.EventStep, Step: i, Weight: percent}, into(rollout.PhaseProgressing))
			time.Sleep(10 * time.Second)
		}
		if got := n.Numbers()[0]; got.Queued != 2 || got.Failed == 0 || got.Sent != 0 || !got.LastSuccess.IsZero() {
			t.Errorf("while it is down: %+v", got)
		}
		time.Sleep(10 * time.Minute)
		if got := n.Numbers()[0]; got.Queued != 0 || got.Failed != 7 || got.Sent != 2 || got.LastSuccess.IsZero() {
			t.Errorf("when it is back: %+v", got)
		}
	})
	for _, text := range texts(t, r)[7:] {
		if !strings.Contains(text, "step 5 of 4") || !strings.Contains(text, "(5 events, the last: step, step, step, step, step)") {
			t.Errorf("got %q", text)
		}
	}
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	r := &room{answer: func(int) (int, http.Header, error) { return 503, nil, nil }}
	play(t, one(target{door: door{giveUp: 10 * time.Minute}}), r, func(w *world, n *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		time.Sleep(time.Hour)
		if got := n.Numbers()[0]; got.Expired != 1 || got.Queued != 0 {
			t.Errorf("%+v", got)
		}
	})
	posts := r.got()
	for i := 1; i < len(posts); i++ {
		// A second is for others about the same thing; the wait itself is at least half of the whole.
		least, most := min(backoffLeast<<(i-1), backoffMost)/2, min(backoffLeast<<(i-1), backoffMost)
		if i > 6 {
			least, most = backoffMost/2, backoffMost
		}
		if gap := posts[i].at.Sub(posts[i-1].at) - gather; gap < least || gap > most {
			t.Errorf("attempt %d came after %v, want %v to %v", i, gap, least, most)
		}
	}
	if over := posts[len(posts)-1].at.Sub(posts[0].at); over < 9*time.Minute || over > 12*time.Minute {
		t.Errorf("given up after %v", over)
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	r := &room{answer: func(n int) (int, http.Header, error) {
		if n == 1 {
			return 429, http.Header{"Retry-After": {"180"}}, nil
		}
		return 200, nil, nil
	}}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		time.Sleep(time.Hour)
	})
	posts := r.got()
	if len(posts) != 2 || posts[1].at.Sub(posts[0].at) < 3*time.Minute {
		t.Errorf("%d attempts", len(posts))
	}
}

func TestRefusedIsNotRepeated(t *testing.T) {
	r := &room{answer: func(int) (int, http.Header, error) { return 404, nil, nil }}
	play(t, one(target{}), r, func(w *world, n *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		time.Sleep(time.Hour)
		if got := n.Numbers()[0]; got.Refused != 1 || got.Queued != 0 || len(r.got()) != 1 {
			t.Errorf("%+v, %d attempts", got, len(r.got()))
		}
	})
}

// Chats take a message a second.
func TestOneASecond(t *testing.T) {
	r := &room{}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		for i := range 10 {
			w.announce(fmt.Sprintf("shop%d", i), rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		}
		time.Sleep(time.Minute)
	})
	posts := r.got()
	if len(posts) != 10 {
		t.Fatalf("%d messages", len(posts))
	}
	for i := 1; i < len(posts); i++ {
		if gap := posts[i].at.Sub(posts[i-1].at); gap < time.Second {
			t.Errorf("%v between two messages", gap)
		}
	}
}

// At the end everything that waits is tried at once, and a target that hangs keeps nobody for more than two seconds.
func TestFlush(t *testing.T) {
	r := &room{}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		for i := range 10 {
			w.happen(fmt.Sprintf("shop%d", i), rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		}
	})
	if got := len(r.got()); got != 10 {
		t.Errorf("%d of 10 messages were sent at the end", got)
	}
	r = &room{hangs: true}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		w.happen("shop", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
	})
	if len(r.got()) != 1 {
		t.Error("not tried")
	}
}

// A target whose URL was wrong gets what waits for it when it is put right; one that was taken away gets nothing.
func TestUseWhileRunning(t *testing.T) {
	r := &room{answer: func(n int) (int, http.Header, error) {
		if n < 3 {
			return 0, nil, errDown
		}
		return 200, nil, nil
	}}
	play(t, one(target{}), r, func(w *world, n *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		time.Sleep(1500 * time.Millisecond)
		before := len(r.got())
		n.Use(one(target{door: door{secret: "another"}}))
		time.Sleep(time.Minute)
		if got := n.Numbers(); before == 0 || len(got) != 1 || got[0].Sent != 1 {
			t.Errorf("%d attempts before, then %+v", before, got)
		}
		n.Use(&Settings{})
		sent := len(r.got())
		w.announce("help", rollout.Event{Kind: rollout.EventRolledBack}, into(rollout.PhaseRolledBack))
		time.Sleep(time.Minute)
		if got := n.Numbers(); len(got) != 0 || len(r.got()) != sent {
			t.Errorf("told nobody: %+v", got)
		}
	})
}
