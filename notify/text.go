package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"haldane/config"
	"haldane/rollout"
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
	needReload     = "reload"
)

// need says why a rollout needs a person; empty when it does not. What a person has ordered needs nobody else. Being held is
// not looked at here: it depends on how long.
func need(v *rollout.View) string {
	switch v.Phase {
	case rollout.PhasePending:
		if v.NeedsPerson {
			return needStart
		}
	case rollout.PhasePaused:
		return map[rollout.Pause]string{
			rollout.PauseGate: needApproval, rollout.PauseUndecided: needUndecided, rollout.PauseFailed: needFailed,
		}[v.Pause]
	case rollout.PhaseRolledBack:
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
	verb := func(does, command string) action { return action{does, "haldane " + command + " " + service} }
	switch need {
	case needStart:
		return []action{verb("start it", "start"), verb("give it up", "abort")}
	case needApproval:
		return []action{verb("approve", "promote"), verb("roll back", "abort")}
	case needUndecided:
		return []action{verb("wait longer", "resume"), verb("go on", "promote"), verb("roll back", "abort")}
	case needFailed:
		return []action{verb("roll back", "abort"), verb("judge again", "resume"), verb("go on in spite of it", "promote")}
	case needRolledBack:
		return []action{verb("look", "status"), verb("try again", "retry")}
	case needHeld:
		return []action{verb("look", "status"), verb("roll back", "abort")}
	case needReload:
		return []action{{"look", "haldane check"}}
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
		if v.Phase == rollout.PhasePending && v.NeedsPerson {
			return canary + " waits to be started"
		}
		return canary + " is to be released"
	case rollout.EventStarted:
		return "the release of " + canary + " has begun" + exposure(e)
	case rollout.EventStep:
		return fmt.Sprintf("%s goes on to step %d of %d%s", canary, e.Step+1, v.Steps, exposure(e))
	case rollout.EventRamp:
		return canary + " goes on along its ramp" + exposure(e)
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

// plain is text from elsewhere as one line that shows what it holds: nothing that moves a cursor, turns the direction of
// writing or is invisible comes through.
func plain(text string) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		if n++; n > textLongest {
			b.WriteString("...")
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
