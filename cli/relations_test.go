package cli

import (
	"strings"
	"testing"

	"haldane/rollout"
)

// till is a rollout that is released with another one, after a third.
func till() rollout.View {
	v := shop()
	v.Service, v.Hold, v.Reason, v.History, v.Notes = "till", "", "it starts by itself", nil, nil
	v.WaitingFor, v.Waits = []string{"books: step 2 of 4, 40s of 5m are left"}, true
	v.After = []rollout.Relative{
		{Service: "payments", Phase: rollout.PhasePromoted, Step: 1, Steps: 2, Met: true},
		{Service: "stock", Phase: rollout.PhasePaused, Pause: rollout.PauseGate, Steps: 2, Text: "stock: step 1 of 2, paused (gate)"},
	}
	v.Release = &rollout.ReleaseView{Name: "core", Members: []rollout.Relative{
		{Service: "books", Phase: rollout.PhaseProgressing, Hold: rollout.HoldNoTraffic, Step: 1, Steps: 4, Together: true},
		{Service: "mail", Phase: rollout.PhasePending, Steps: 4},
		{Service: "till", Phase: rollout.PhaseProgressing, Step: 1, Steps: 4, Done: true, Together: true},
	}}
	return v
}

// waiting is a rollout that may not begin.
func waiting() rollout.View {
	return rollout.View{
		Service: "web", ID: "00aa", Attempt: 1, Stable: "v1", Canary: "v2", Policy: "careful", Phase: rollout.PhasePending, Steps: 4,
		Reason: "waits for payments, which was rolled back: the check errors failed", Next: "the first step", NeedsPerson: true, Waits: true,
		WaitingFor: []string{"payments, which was rolled back: the check errors failed"},
		After:      []rollout.Relative{{Service: "payments", Phase: rollout.PhaseRolledBack, Steps: 2, Text: "payments, which was rolled back"}},
	}
}

func TestRelations(t *testing.T) {
	socket, _ := start(t, &fake{views: []rollout.View{till(), waiting()}})
	for name, args := range map[string][]string{
		"related":         {"status"},
		"related_release": {"status", "till"},
		"related_waiting": {"status", "web"},
		"related_pause":   {"pause", "till"},
		"related_weight":  {"set-weight", "till", "5%"},
		"related_over":    {"override", "till", "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := invoke(t, append(args, "--socket", socket)...)
			golden(t, name, "$ haldane "+strings.Join(args, " ")+"\n"+got.stdout+got.stderr)
		})
	}
}
