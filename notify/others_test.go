package notify

import (
	"testing"
	"time"

	"haldane/rollout"
)

// Whoever waits for others needs nobody, until that will not end by itself.
func TestWaitingForOthers(t *testing.T) {
	r := &room{}
	play(t, one(target{}), r, func(w *world, _ *Notifier) {
		w.announce("shop", rollout.Event{Kind: rollout.EventCreated}, func(v *rollout.View) { v.Phase = rollout.PhasePending })
		w.announce("shop", rollout.Event{Kind: rollout.EventWaiting, Reason: "waits for payments: step 1 of 2"},
			func(v *rollout.View) { v.Waits = true })
		time.Sleep(time.Minute)
		expectTexts(t, r)
		w.announce("shop", rollout.Event{Kind: rollout.EventWaiting, Reason: "waits for payments, which was rolled back: it is slow"},
			func(v *rollout.View) { v.NeedsPerson = true })
		time.Sleep(time.Minute)
	})
	expectTexts(t, r, "shop: v2 may not begin yet: waits for payments, which was rolled back: it is slow.")
}
