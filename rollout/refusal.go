package rollout

import (
	"errors"
	"fmt"
	"time"

	"haldane/config"
)

// FrozenError says that a command would expose more users, or begin a step, while changes are frozen.
type FrozenError struct {
	// Service is the service of the rollout, Command what was ordered.
	Service string
	Command CommandKind
	// Reason is that of the freeze, Until when it ends.
	Reason string
	Until  time.Time
}

// Error says until when, and how to do it all the same.
func (e *FrozenError) Error() string {
	return fmt.Sprintf("cannot %s %s: changes are frozen until %s (%s); to do it all the same, force it and give a reason",
		e.Command.spoken(), e.Service, e.Until.UTC().Format(time.RFC3339), e.Reason)
}

// ChecklistError says that a step cannot be left because items of its checklist are not done.
type ChecklistError struct {
	// Service is the service of the rollout, Command what was ordered.
	Service string
	Command CommandKind
	// Open are the items.
	Open []string
}

// Error names the items.
func (e *ChecklistError) Error() string {
	return fmt.Sprintf("cannot %s %s: its checklist is not done: %s; tick these off, or force it and give a reason",
		e.Command.spoken(), e.Service, join(e.Open))
}

// ErrMoved says that the rollout is not any more where a command was meant for. Test for it with errors.Is.
var ErrMoved = errors.New("the rollout has moved on")

// ErrChanged says that the rollout has another revision than the one a command was meant for. Test for it with errors.Is.
var ErrChanged = errors.New("the rollout has changed since it was looked at")

// checkRevision refuses a command that was given on another state.
func (cmd *Command) checkRevision(s *State) error {
	if cmd.IfRevision == "" || cmd.IfRevision == s.revision() {
		return nil
	}
	return fmt.Errorf("cannot %s %s: %w: its revision is %s and not %s", cmd.Kind.spoken(), s.Spec.Service, ErrChanged, s.revision(), cmd.IfRevision)
}

// checkGates refuses a command that a gate stands against.
func (cmd *Command) checkGates(s *State) error {
	if cmd.Expect != nil && *cmd.Expect != s.place() {
		return fmt.Errorf("cannot %s %s: %w since this was offered", cmd.Kind.spoken(), s.Spec.Service, ErrMoved)
	}
	if cmd.Force && cmd.Reason == "" {
		return fmt.Errorf("%w: to force something takes a reason", ErrBadCommand)
	}
	switch cmd.Kind {
	case CommandTick, CommandUntick:
		_, err := s.item(cmd.Item)
		return err
	case CommandPromote, CommandPromoteFull:
		if open := s.openItems(); len(open) > 0 && !cmd.Force {
			return &ChecklistError{Service: s.Spec.Service, Command: cmd.Kind, Open: open}
		}
	}
	return nil
}

// checkFreeze refuses what a command has led to when changes are frozen. What exposes fewer is never refused.
func (cmd *Command) checkFreeze(s *State, now time.Time, actions []Action) error {
	f := s.frozen(now)
	if f == nil || cmd.Force {
		return nil
	}
	begins := false
	switch cmd.Kind {
	case CommandStart, CommandRetry, CommandPromote, CommandPromoteFull:
		begins = true
	}
	if !begins && (len(actions) == 0 || actions[0].Kind != ActionStoreFirst) {
		return nil
	}
	until := f.To.Time()
	if at := (&State{Spec: Spec{Freezes: s.Spec.Freezes, Policy: config.Policy{Freezes: s.Spec.Policy.Freezes}}}).goesOn(now); !at.IsZero() {
		until = at
	}
	return &FrozenError{Service: s.Spec.Service, Command: cmd.Kind, Reason: f.Reason, Until: until}
}
