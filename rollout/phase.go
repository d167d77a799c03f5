package rollout

import "fmt"

// Phase is where a rollout is in its life.
type Phase uint8

// The phases.
const (
	// PhasePending has not begun: no user is on the canary.
	PhasePending Phase = iota + 1
	// PhaseProgressing is on a step, with a running or a held clock.
	PhaseProgressing
	// PhasePaused waits for a person; the split stays as it is.
	PhasePaused
	// PhaseBaking has the canary on all traffic but the holdback, still compared.
	PhaseBaking
	// PhasePromoted has the canary on all traffic. It is final until the configuration names it as stable.
	PhasePromoted
	// PhaseRolledBack has the stable on all traffic. It is final unless an operator retries.
	PhaseRolledBack
	// PhaseSuperseded has been replaced by another rollout, or lost its place in the configuration.
	PhaseSuperseded
)

// phaseWords are the words of the phases, in their order.
func phaseWords() [8]string {
	return [...]string{"none", "pending", "progressing", "paused", "baking", "promoted", "rolled_back", "superseded"}
}

// String is the word for the phase in logs, metrics and answers.
func (p Phase) String() string {
	words := phaseWords()
	if int(p) < len(words) {
		return words[p]
	}
	return words[0]
}

// MarshalText makes the phase its word in JSON.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, word := range phaseWords() {
		if word == string(text) {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("unknown phase %q", text)
}

// Live says whether the rollout is still to be decided.
func (p Phase) Live() bool {
	return p == PhasePending || p.exposing()
}

// exposing says whether users are on the canary and watched.
func (p Phase) exposing() bool {
	return p == PhaseProgressing || p == PhasePaused || p == PhaseBaking
}

// Pause says what a paused rollout waits for; empty when it is not paused.
type Pause string

// The reasons for a pause.
const (
	// PauseGate is a step that is done and waits for a person's approval.
	PauseGate Pause = "gate"
	// PauseUndecided is a step that was not decided within its longest time.
	PauseUndecided Pause = "undecided"
	// PauseOperator is a person's order.
	PauseOperator Pause = "operator"
	// PauseFailed is a failed check under a policy that asks a person.
	PauseFailed Pause = "failed"
	// PauseExposed is as many users on the canary as the budget allows.
	PauseExposed Pause = "exposed"
	// PauseRelease is a pause of another member of the release.
	PauseRelease Pause = "release"
)

// Hold says why the clock of a step stands still; empty when it runs.
type Hold string

// The reasons for a hold.
const (
	// HoldOverride is an operator's override: no request is drawn.
	HoldOverride Hold = "override"
	// HoldStableSick is a stable that fails itself: it is no time to go on.
	HoldStableSick Hold = "stable_sick"
	// HoldNoTraffic is a canary that gets no requests.
	HoldNoTraffic Hold = "no_traffic"
	// HoldSplitMismatch is a share of requests that is proven not to be the weight.
	HoldSplitMismatch Hold = "split_mismatch"
	// HoldNoData is a canary that gets requests, none of which may be compared.
	HoldNoData Hold = "no_data"
	// HoldStore is a next step that cannot be stored, and is therefore not taken.
	HoldStore Hold = "store"
	// HoldCheck is a failed check under a policy that holds for it.
	HoldCheck Hold = "check"
	// HoldDependency is a service that this one comes after, and that is released anew or was rolled back.
	HoldDependency Hold = "dependency"
	// HoldRelease is a hold of another member of the release.
	HoldRelease Hold = "release"
	// HoldFreeze is a time in which nothing is changed.
	HoldFreeze Hold = "freeze"
	// HoldWindow is a time outside of the windows for steps.
	HoldWindow Hold = "window"
	// HoldHook is a hook that has not said yes.
	HoldHook Hold = "hook"
)
