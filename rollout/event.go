package rollout

import (
	"slices"
	"time"

	"haldane/config"
)

// EventKind says what happened to a rollout.
type EventKind string

// The kinds of events.
const (
	// EventCreated is a rollout that the configuration asks for.
	EventCreated EventKind = "created"
	// EventStarted is the first step, EventStep any later one.
	EventStarted EventKind = "started"
	// EventStep is a further step.
	EventStep EventKind = "step"
	// EventRamp is a weight that grew on a ramp.
	EventRamp EventKind = "ramp"
	// EventSteppedBack is a failed check that has brought it back to an earlier step.
	EventSteppedBack EventKind = "stepped_back"
	// EventPartRolledBack is a part of the service that has gone back to stable; the rest goes on.
	EventPartRolledBack EventKind = "part_rolled_back"
	// EventHold is a clock that stopped, EventHoldEnded one that runs again.
	EventHold EventKind = "hold"
	// EventHoldEnded is a clock that runs again.
	EventHoldEnded EventKind = "hold_ended"
	// EventPaused waits for a person, EventResumed goes on.
	EventPaused EventKind = "paused"
	// EventResumed goes on after a pause.
	EventResumed EventKind = "resumed"
	// EventBaking is the last watch before the end.
	EventBaking EventKind = "baking"
	// EventPromoted and EventRolledBack are the two ends.
	EventPromoted EventKind = "promoted"
	// EventRolledBack is the end for a bad canary.
	EventRolledBack EventKind = "rolled_back"
	// EventSuperseded is a rollout that the configuration no longer asks for.
	EventSuperseded EventKind = "superseded"
	// EventFinished is a decided rollout that left the configuration, as it should.
	EventFinished EventKind = "finished"
	// EventRetried is another attempt after a rollback.
	EventRetried EventKind = "retried"
	// EventWeight is a weight set by an operator.
	EventWeight EventKind = "weight"
	// EventOverride and EventOverrideCleared are an operator's order for all traffic, and its end.
	EventOverride EventKind = "override"
	// EventOverrideCleared is the end of an override.
	EventOverrideCleared EventKind = "override_cleared"
	// EventPolicy is a changed policy that will apply from the next step.
	EventPolicy EventKind = "policy"
	// EventRestored is a rollout that goes on after a restart of the process.
	EventRestored EventKind = "restored"
	// EventWaiting is a rollout that may not begin yet: others come first.
	EventWaiting EventKind = "waiting"
	// EventOrdered is a person's start that waits for hooks.
	EventOrdered EventKind = "ordered"
	// EventTicked is an item of a checklist that is done, EventUnticked one that is not done after all.
	EventTicked EventKind = "ticked"
	// EventUnticked takes a tick back.
	EventUnticked EventKind = "unticked"
	// EventLost tells a subscriber that was too slow how many events it missed. It is in no history.
	EventLost EventKind = "lost"
)

// Event is one entry in the history of a rollout.
type Event struct {
	// Sequence counts the events of a rollout from 1.
	Sequence uint64 `json:"sequence"`
	// Time is when it happened.
	Time time.Time `json:"time"`
	// Service and Rollout say what it happened to.
	Service string `json:"service"`
	Rollout string `json:"rollout"`
	// Kind says what happened.
	Kind EventKind `json:"kind"`
	// Phase, Step (from 0), StepName and Weight are those after the event.
	Phase    Phase          `json:"phase"`
	Step     int            `json:"step"`
	StepName string         `json:"step_name,omitempty"`
	Weight   config.Percent `json:"weight"`
	// Reason says why, for people.
	Reason string `json:"reason,omitempty"`
	// Numbers are the verdict in one sentence, as it was then.
	Numbers string `json:"numbers,omitempty"`
	// Actor is who ordered it; empty for Haldane itself.
	Actor string `json:"actor,omitempty"`
	// Trigger is what brought a rollback about.
	Trigger Trigger `json:"trigger,omitempty"`
	// Lost is how many events a slow subscriber missed; only with EventLost.
	Lost uint64 `json:"lost,omitempty"`
	// Stage is the named stage that the step belongs to; empty for none.
	Stage string `json:"stage,omitempty"`
}

// historyLimit bounds the history of one rollout.
const historyLimit = 200

// remember returns the history with the event, always in an array of its own: States share their histories.
func remember(history []Event, e Event) []Event {
	if len(history) < historyLimit {
		return append(slices.Clip(history), e)
	}
	// Holds come and go with the traffic; they must not push out what was decided.
	drop := max(0, slices.IndexFunc(history, func(e Event) bool {
		return e.Kind == EventHold || e.Kind == EventHoldEnded
	}))
	kept := make([]Event, 0, historyLimit)
	kept = append(kept, history[:drop]...)
	kept = append(kept, history[drop+1:]...)
	return append(kept, e)
}
