package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"haldane/config"
	"haldane/rollout"
	"haldane/webhook"
)

// textLongest bounds a part of a sentence that comes from elsewhere, in characters.
const textLongest = 500

// Why a person is needed, as words for programs.
const (
	needStart      = "start"
	needApproval   = "approval"
	needUndecided  = "undecided"
	needFailed     = "failed"
	needRolledBack = "rolled_back"
	needHeld       = "held"
	needCheck      = "check"
	needExposed    = "exposed"
	needOthers     = "others"
	needPart       = "part"
	needReload     = "reload"
)

// need says why a rollout needs a person; empty when it does not. What a person has ordered needs nobody else. Being held is
// not looked at here: it depends on how long.
func need(v *rollout.View) string {
	switch v.Phase {
	case rollout.PhasePending:
		switch {
		case v.NeedsPerson && v.Waits:
			return needOthers
		case v.NeedsPerson:
			return needStart
		}
	case rollout.PhasePaused:
		return map[rollout.Pause]string{
			rollout.PauseGate: needApproval, rollout.PauseUndecided: needUndecided, rollout.PauseFailed: needFailed,
			rollout.PauseExposed: needExposed,
		}[v.Pause]
	case rollout.PhaseProgressing, rollout.PhaseBaking:
		switch {
		case v.Hold == rollout.HoldCheck:
			return needCheck
		case slices.ContainsFunc(v.Parts, func(p rollout.PartView) bool { return !p.RolledBack.IsZero() }):
			return needPart
		}
	case rollout.PhaseRolledBack:
		if !v.RetryAt.IsZero() {
			return "" // Haldane goes on by itself
		}
		if i := last(v.History, rollout.EventRolledBack); i < 0 || v.History[i].Trigger != rollout.TriggerOperator {
			return needRolledBack
		}
	}
	return ""
}

// last is the index of the last event of one of the kinds, or -1.
func last(history []rollout.Event, kinds ...rollout.EventKind) int {
	for i := len(history) - 1; i >= 0; i-- {
		if slices.Contains(kinds, history[i].Kind) {
			return i
		}
	}
	return -1
}

// actions is what a person can do about it.
func actions(need, service string) []action {
	verb := func(does, command string) action {
		return action{does: does, command: "haldane " + command + " " + service}
	}
	click := func(does, command string, kind rollout.CommandKind) action {
		a := verb(does, command)
		a.kind = kind
		return a
	}
	promote := func(does string) action { return click(does, "promote", rollout.CommandPromote) }
	abort := click("roll back", "abort", rollout.CommandAbort)
	switch need {
	case needStart:
		return []action{verb("start it", "start"), verb("give it up", "abort")}
	case needApproval:
		return []action{promote("approve"), abort}
	case needUndecided:
		return []action{verb("wait longer", "resume"), promote("go on"), abort}
	case needFailed:
		return []action{abort, verb("judge again", "resume"), promote("go on in spite of it")}
	case needRolledBack:
		return []action{verb("look", "status"), verb("try again", "retry")}
	case needCheck:
		return []action{verb("roll back", "abort"), verb("go on in spite of it", "promote")}
	case needExposed:
		return []action{verb("let it grow", "resume"), verb("roll back", "abort")}
	case needOthers:
		return []action{verb("look", "status"), verb("give it up", "abort")}
	case needPart:
		return []action{verb("look", "status"), abort}
	case needHeld:
		return []action{verb("look", "status"), abort}
	case needReload:
		return []action{{does: "look", command: "haldane check"}}
	}
	return nil
}

// about is one event in one sentence. before is the event before it, if there is one: where the rollout was.
func about(v *rollout.View, e, before *rollout.Event) string {
	var b strings.Builder
	b.WriteString(v.Service + ": " + what(v, e, before))
	if reason := plain(e.Reason); reason != "" {
		b.WriteString(": " + reason)
	}
	if actor := plain(e.Actor); actor != "" {
		b.WriteString(" (by " + actor + ")")
	}
	if numbers := plain(e.Numbers); numbers != "" {
		b.WriteString("; " + numbers)
	}
	return strings.TrimRight(b.String(), ".") + "."
}

// what is what happened.
func what(v *rollout.View, e, before *rollout.Event) string {
	canary := v.Canary
	switch e.Kind {
	case rollout.EventCreated:
		if v.Phase == rollout.PhasePending && v.NeedsPerson && !v.Waits {
			return canary + " waits to be started"
		}
		return canary + " is to be released"
	case rollout.EventWaiting:
		return canary + " may not begin yet"
	case rollout.EventStarted:
		return "the release of " + canary + " has begun" + exposure(e)
	case rollout.EventStep:
		return fmt.Sprintf("%s goes on to step %d of %d%s", canary, e.Step+1, v.Steps, exposure(e))
	case rollout.EventRamp:
		return canary + " goes on along its ramp" + exposure(e)
	case rollout.EventSteppedBack:
		return fmt.Sprintf("%s goes back to step %d of %d%s", canary, e.Step+1, v.Steps, exposure(e))
	case rollout.EventPartRolledBack:
		return canary + " rolled back in a part of the service" + exposure(e)
	case rollout.EventHold:
		return "the clock of " + canary + " stands still" + exposure(e)
	case rollout.EventHoldEnded:
		return "the clock of " + canary + " goes on" + exposure(e)
	case rollout.EventPaused:
		if v.Pause == rollout.PauseGate && v.Phase == rollout.PhasePaused {
			return canary + " waits for an approval" + exposure(e)
		}
		return canary + " is paused" + exposure(e)
	case rollout.EventBaking:
		return canary + " bakes" + exposure(e)
	case rollout.EventPromoted:
		return canary + " promoted" + after(v, e)
	case rollout.EventRolledBack:
		return canary + " rolled back" + after(v, e) + exposure(before)
	case rollout.EventRetried:
		return fmt.Sprintf("%s is tried again, attempt %d%s", canary, v.Attempt, exposure(e))
	case rollout.EventRestored:
		return "the release of " + canary + " is " + e.Phase.String() + " after a restart" + exposure(e)
	case rollout.EventWeight:
		return "the weight of " + canary + " was set to " + share(e.Weight) + " by hand"
	}
	return canary + " " + strings.ReplaceAll(string(e.Kind), "_", " ") + exposure(e)
}

// exposure says whom the canary is exposed to after an event.
func exposure(e *rollout.Event) string {
	switch {
	case e == nil:
		return ""
	case e.Weight > 0:
		return " at " + share(e.Weight)
	case e.StepName != "":
		return " on step " + plain(e.StepName)
	}
	return ""
}

// after says how long a release took.
func after(v *rollout.View, e *rollout.Event) string {
	if v.Started.IsZero() || e.Time.Before(v.Started) {
		return ""
	}
	return " after " + span(e.Time.Sub(v.Started))
}

// share is a percentage as sentences have it.
func share(p config.Percent) string { return strings.TrimSuffix(p.String(), "%") + " %" }

// span is a duration for people.
func span(d time.Duration) string {
	if d < 10*time.Second {
		return config.Duration(d.Round(100 * time.Millisecond)).String()
	}
	return config.Duration(d.Round(time.Second)).String()
}

// plain is text from elsewhere as one line that shows what it holds.
func plain(text string) string { return webhook.Plain(text, textLongest) }
