package rollout

import (
	"slices"
	"time"
)

// shared says whether an order to one member of a release is an order to all. An override is about the requests of one
// service, whatever its rollout does.
func (k CommandKind) shared() bool { return k != CommandOverride && k != CommandClearOverride }

// applyAll carries out an operator's command on a rollout and on those that it is released with, or on none of them. The first
// of the proposals is the rollout's own. Errors are those of Apply.
func applyAll(s State, now time.Time, cmd Command, o others) ([]proposal, error) {
	begins := cmd.Kind == CommandStart || cmd.Kind == CommandRetry
	if err := cmd.check(&s); err != nil {
		return nil, err
	}
	if err := s.mayBegin(cmd.Kind, &o); begins && err != nil {
		return nil, err
	}
	list := s.told(&cmd, &o)
	if asking := cmd.asking(list); asking != nil && s.Spec.Release != "" {
		if cmd.Kind == CommandStart {
			return waiting(now, cmd, list)
		}
		return nil, s.asksBefore(&cmd, asking)
	}
	for i := range list {
		one := cmd
		if i > 0 {
			one.Expect = nil // that is about the first
		}
		if begins {
			one.Kind = list[i].was.beginning()
		}
		var err error
		if list[i].next, list[i].actions, err = Apply(list[i].was, now, one); err != nil {
			return nil, err
		}
	}
	group := make([]*proposal, len(list))
	for i := range list {
		group[i] = &list[i]
	}
	if begins && s.Spec.Release != "" {
		bind(group)
	}
	storeAsOne(group)
	return list, nil
}

// told are a rollout, first, and the others that a command to it is one to.
func (s *State) told(cmd *Command, o *others) []proposal {
	list := []proposal{{was: *s}}
	if !cmd.Kind.shared() || s.Spec.Release == "" {
		return list
	}
	for _, mate := range o.mates {
		if s.includes(mate, cmd.Kind == CommandStart || cmd.Kind == CommandRetry) {
			list = append(list, proposal{was: *mate})
		}
	}
	return list
}

// asking is the first rollout that waits for hooks before it does what was ordered; nil for none.
func (cmd *Command) asking(list []proposal) *State {
	if cmd.Kind != CommandStart && cmd.Kind != CommandRetry {
		return nil
	}
	for i := range list {
		if cmd.asks(&list[i].was) {
			return &list[i].was
		}
	}
	return nil
}

// asksBefore refuses to begin again together with another canary whose hooks were never asked.
func (s *State) asksBefore(cmd *Command, asking *State) error {
	return &ImpossibleError{
		Service: s.Spec.Service, Command: cmd.Kind, Phase: s.Phase, Possible: s.Possible(),
		Because: "hooks are to be asked before " + asking.Spec.Service + " begins with it, which force and a reason leave out",
	}
}

// waiting is the start of a release that waits for the hooks of a member: none begins before all may. Those that were rolled back
// begin again with the others.
func waiting(now time.Time, cmd Command, list []proposal) ([]proposal, error) {
	list = slices.DeleteFunc(list, func(p proposal) bool { return p.was.Phase != PhasePending })
	for i := range list {
		p := &list[i]
		if _, _, err := Apply(p.was, now, cmd); err != nil { // what forbids a start forbids to order one
			return nil, err
		}
		c := begin(p.was, now)
		c.noteOrder(cmd.cause())
		p.next, p.actions = c.finish()
		cmd.Expect = nil // that is about the first
	}
	return list, nil
}

// includes says whether a command to the rollout is one to a mate.
func (s *State) includes(mate *State, begins bool) bool {
	switch {
	case begins:
		return mate.Phase == PhasePending || mate.Phase == PhaseRolledBack
	case s.Phase == PhasePending:
		return mate.Phase == PhasePending
	}
	return bonded(s, mate) && mate.Phase.exposing() && s.Phase.exposing()
}

// beginning is the command that begins a rollout where it is.
func (s *State) beginning() CommandKind {
	if s.Phase == PhasePending {
		return CommandStart
	}
	return CommandRetry
}

// mayBegin refuses to begin a rollout whose turn it is not, by whatever command: what it waits for is in the configuration,
// and a person who means something else says it there. A retry may begin a release that was rolled back, a start may not.
func (s *State) mayBegin(k CommandKind, o *others) error {
	waits := slices.DeleteFunc(s.awaits(o), func(w wait) bool {
		member := slices.ContainsFunc(o.mates, func(m *State) bool { return m.Spec.Service == w.Service })
		return w.Kind == waitStart || member && w.Kind == waitRolledBack && k == CommandRetry
	})
	if len(waits) == 0 {
		return nil
	}
	return &ImpossibleError{
		Service: s.Spec.Service, Command: k, Phase: s.Phase, Possible: slices.DeleteFunc(s.Possible(), func(p CommandKind) bool { return p == k }),
		Because: "it waits for " + joined(waits),
	}
}
