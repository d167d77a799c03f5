package notify

import (
	"testing"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// A part that went back alone needs a person to know, and goes on needing one; an Alertmanager hears of it until the end.
func TestAPartThatWentBackNeedsAPerson(t *testing.T) {
	r := &room{}
	play(t, one(target{when: config.WhenNeedsPerson}), r, func(w *world, _ *Notifier) {
		e := rollout.Event{Kind: rollout.EventPartRolledBack, Phase: rollout.PhaseProgressing, Weight: percent, Reason: "too many requests failed in cart"}
		w.announce("a", e, func(v *rollout.View) {
			v.Phase = rollout.PhaseProgressing
			v.Parts = []rollout.PartView{{Name: "cart", RolledBack: time.Now()}}
			if got := need(v); got != needPart {
				t.Errorf("needs %q", got)
			}
			v.Parts[0].Name = "item"
		})
		time.Sleep(time.Minute)
	})
	expectTexts(t, r, "v2 rolled back in a part of the service at 1 %: too many requests failed in cart")
}
