package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"haldane/config"
)

// CommandKind is what an operator may order.
type CommandKind string

// The commands.
const (
	// CommandStart begins a pending rollout.
	CommandStart CommandKind = "start"
	// CommandPause stops the clock until CommandResume; the split stays.
	CommandPause CommandKind = "pause"
	// CommandResume goes on after a pause.
	CommandResume CommandKind = "resume"
	// CommandPromote goes to the next step now: it opens a gate, or skips the rest of the step.
	CommandPromote CommandKind = "promote"
	// CommandPromoteFull gives the canary all traffic now.
	CommandPromoteFull CommandKind = "promote_full"
	// CommandAbort gives the stable all traffic now.
	CommandAbort CommandKind = "abort"
	// CommandRetry starts again after a rollback.
	CommandRetry CommandKind = "retry"
	// CommandSetWeight sets the canary's weight and pauses.
	CommandSetWeight CommandKind = "set_weight"
	// CommandOverride sends all traffic to one variant, until CommandClearOverride.
	CommandOverride CommandKind = "override"
	// CommandClearOverride ends the override.
	CommandClearOverride CommandKind = "clear_override"
	// CommandTick ticks an item of the step's checklist off.
	CommandTick CommandKind = "tick"
	// CommandUntick takes that back.
	CommandUntick CommandKind = "untick"
)

// Command is an operator's order.
type Command struct {
	// Kind is what to do.
	Kind CommandKind `json:"kind"`
	// Weight is the weight of CommandSetWeight, from 0 to config.Whole.
	Weight config.Percent `json:"weight,omitempty"`
	// Variant is the variant of CommandOverride.
	Variant string `json:"variant,omitempty"`
	// Reason says why, for the history. It may be empty.
	Reason string `json:"reason,omitempty"`
	// Actor says who, for the history. It may be empty.
	Actor string `json:"actor,omitempty"`
	// Item is the item of CommandTick and CommandUntick: its text, or its number from 1.
	Item string `json:"item,omitempty"`
	// Force does it in spite of a freeze, a cool-down and a checklist that is not done, and starts without asking hooks. It needs a
	// Reason.
	Force bool `json:"force,omitempty"`
	// Expect is where the rollout must be; nil for anywhere.
	Expect *Place `json:"expect,omitempty"`
	// IfRevision is the revision (see View) that the rollout must have; empty for any. On a member of a release it is about that one.
	IfRevision string `json:"if_revision,omitempty"`
	// Caller says for the audit where the order came from, as Haldane itself knows it; Key is the key under which it was sent, by
	// which it can be found there. Both may be empty.
	Caller string `json:"caller,omitempty"`
	Key    string `json:"key,omitempty"`
}

// ErrBadCommand says that a command is none, or lacks what it needs. Test for it with errors.Is.
var ErrBadCommand = errors.New("bad command")

// ImpossibleError says that a command is not possible where the rollout is.
type ImpossibleError struct {
	// Service is the service of the rollout, Command what was ordered.
	Service string
	Command CommandKind
	// Phase and Pause are where the rollout is.
	Phase Phase
	Pause Pause
	// Possible lists what can be ordered instead.
	Possible []CommandKind
	// Cooling is how long a retry has to wait yet; zero when that is not the reason.
	Cooling config.Duration
	// Because says what stands against it, where it is not the phase; empty otherwise.
	Because string
}

// Error says what is not possible, and what is.
func (e *ImpossibleError) Error() string {
	where := e.Phase.String()
	if e.Pause != "" {
		where += " (" + string(e.Pause) + ")"
	}
	if e.Cooling > 0 {
		return fmt.Sprintf("cannot %s %s: the cool-down after its rollback ends in %s; retry --force --reason does not wait for it",
			e.Command.spoken(), e.Service, seconds(time.Duration(e.Cooling)))
	}
	if e.Command == CommandClearOverride {
		where += " and has no override"
	}
	possible := make([]string, len(e.Possible))
	for i, k := range e.Possible {
		possible[i] = k.spoken()
	}
	if e.Because != "" {
		return fmt.Sprintf("cannot %s %s: %s; possible: %s", e.Command.spoken(), e.Service, e.Because, strings.Join(possible, ", "))
	}
	return fmt.Sprintf("cannot %s %s: its rollout is %s; possible: %s", e.Command.spoken(), e.Service, where, strings.Join(possible, ", "))
}

// spoken is the command as it is typed.
func (k CommandKind) spoken() string {
	switch k {
	case CommandPromoteFull:
		return "promote --full"
	case CommandClearOverride:
		return "override --clear"
	}
	return strings.ReplaceAll(string(k), "_", "-")
}

// Possible lists the commands that the rollout takes where it is.
func (s *State) Possible() []CommandKind {
	var list []CommandKind
	switch s.Phase {
	case PhasePending:
		list = append(list, CommandStart, CommandAbort)
	case PhaseProgressing, PhaseBaking:
		list = append(list, CommandPause, CommandPromote, CommandPromoteFull, CommandAbort, CommandSetWeight)
	case PhasePaused:
		if s.Pause != PauseGate { // a gate is opened by promote, not waited out
			list = append(list, CommandResume)
		}
		list = append(list, CommandPromote, CommandPromoteFull, CommandAbort, CommandSetWeight)
	case PhaseRolledBack:
		list = append(list, CommandRetry)
	case PhasePromoted:
	default:
		return nil
	}
	if s.Phase.exposing() && len(s.stage().Checklist) > 0 {
		list = append(list, CommandTick, CommandUntick)
	}
	list = append(list, CommandOverride)
	if s.Override != "" {
		list = append(list, CommandClearOverride)
	}
	return list
}

// Apply carries out an operator's command. It returns the next state and what must be done about it, an *ImpossibleError
// when the rollout is not where the command makes sense, or ErrBadCommand.
func Apply(s State, now time.Time, cmd Command) (State, []Action, error) {
	if err := cmd.check(&s); err != nil {
		return s, nil, err
	}
	if err := cmd.cooled(&s, now); err != nil {
		return s, nil, err
	}
	c := begin(s, now)
	c.obey(cmd)
	next, actions := c.finish()
	if err := cmd.checkFreeze(&s, now, actions); err != nil {
		return s, nil, err
	}
	return next, actions, nil
}

// check refuses a command that is none, that is not possible, or that lacks what it needs.
func (cmd *Command) check(s *State) error {
	switch cmd.Kind {
	case CommandStart, CommandPause, CommandResume, CommandPromote, CommandPromoteFull, CommandAbort, CommandRetry, CommandClearOverride,
		CommandTick, CommandUntick:
	case CommandSetWeight:
		if cmd.Weight > config.Whole {
			return fmt.Errorf("%w: the weight is more than 100%%", ErrBadCommand)
		}
	case CommandOverride:
		if !slices.Contains(s.variants(), cmd.Variant) {
			return fmt.Errorf("%w: %s has no variant %q, it has %s",
				ErrBadCommand, s.Spec.Service, cmd.Variant, strings.Join(s.variants(), ", "))
		}
	default:
		return fmt.Errorf("%w: there is no command %q", ErrBadCommand, cmd.Kind)
	}
	if possible := s.Possible(); !slices.Contains(possible, cmd.Kind) {
		return &ImpossibleError{Service: s.Spec.Service, Command: cmd.Kind, Phase: s.Phase, Pause: s.Pause, Possible: possible}
	}
	return cmd.checkGates(s)
}

// variants are what an override may name.
func (s *State) variants() []string {
	if len(s.Spec.Variants) > 0 {
		return s.Spec.Variants
	}
	return []string{s.Spec.Stable, s.Spec.Canary}
}

// cause is the person behind a command.
func (cmd *Command) cause() cause {
	why := cause{reason: cmd.Reason, actor: cmd.Actor, trigger: TriggerOperator}
	if why.reason == "" && cmd.Kind != CommandOverride && cmd.Kind != CommandClearOverride {
		why.reason = cmd.Kind.spoken() + " by command"
	}
	if cmd.Force {
		why.reason = "forced: " + why.reason
	}
	return why
}

// obey carries out a command that was checked.
func (c *change) obey(cmd Command) {
	why := cmd.cause()
	if c.s.Phase.exposing() {
		why.numbers = c.s.Verdict.Sentence()
	}
	switch cmd.Kind {
	case CommandStart:
		c.orderStart(&cmd, why)
	case CommandPause:
		c.pause(PauseOperator, why)
	case CommandResume:
		c.resume(why)
	case CommandPromote:
		if c.s.Bake {
			c.promote(why)
		} else {
			c.advance(why)
		}
	case CommandPromoteFull:
		c.promote(why)
	case CommandAbort:
		c.rollBack(why)
	case CommandRetry:
		c.retry(why)
	case CommandSetWeight:
		c.setWeight(cmd.Weight, why)
	case CommandOverride:
		c.override(cmd.Variant, why)
	case CommandClearOverride:
		c.clearOverride(why)
	case CommandTick, CommandUntick:
		c.tick(&cmd, why)
	}
}
