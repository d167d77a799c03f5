package rollout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/config"
)

// party is several services in one scenario (testdata/several). Its language is that of one service, with the name of the
// service behind the verb: "spec payments steps=10%". "advance" and "restart" are for all of them. "kill" is a restart with what
// was stored last, "lose" makes the stored state of a service unreadable. "spec" and "drop" in a row are one configuration.
type party struct {
	trace  strings.Builder
	worlds map[string]*world
	seen   map[string]Observation // by label: for the next step
	stored map[string][]byte      // by service
	saw    *sighted
	now    time.Time
	full   bool
	loaded bool // a configuration that is still to be put in force
}

func newParty(saw *sighted) *party {
	return &party{
		worlds: map[string]*world{}, seen: map[string]Observation{}, stored: map[string][]byte{}, saw: saw, now: newWorld().now,
	}
}

func (p *party) run(t *testing.T, commands []string) string {
	t.Helper()
	p.trace.Reset()
	for _, line := range commands {
		if err := p.do(strings.Fields(line)); err != nil {
			fmt.Fprintf(&p.trace, "%8s error: %v\n", config.Duration(p.now.Sub(newWorld().start)), err)
		}
	}
	p.load()
	if p.trace.Len() == 0 {
		return "nothing\n"
	}
	return p.trace.String()
}

// load puts a configuration in force, if there is another one.
func (p *party) load() {
	if p.loaded {
		p.loaded = false
		p.step()
	}
}

func (p *party) do(words []string) error {
	if words[0] != "spec" && words[0] != "drop" {
		p.load()
	}
	switch verb, args := words[0], words[1:]; verb {
	case "advance":
		return p.advance(args[0])
	case "restart", "kill":
		return p.restart(verb == "kill")
	case "store":
		p.full = args[0] == "full"
		return nil
	default:
		return p.one(verb, args[0], args[1:])
	}
}

// one does something with one service.
func (p *party) one(verb, name string, args []string) error {
	w := p.worlds[name]
	if w == nil {
		w = newWorld()
		w.party, w.label, w.now, w.saw = p, name+" ", p.now, p.saw
		p.worlds[name] = w
	}
	defer p.say(w)
	switch verb {
	case "spec":
		spec, err := parseSpec(args)
		if err != nil {
			return err
		}
		spec.Service = name
		p.loaded = true
		return w.configure(spec)
	case "drop":
		p.loaded = true
		delete(p.worlds, name)
		return w.dropVerb(nil)
	case "lose":
		spec := w.state.Spec
		w.make(created(spec, p.now, birth{revision: w.state.Revision}, "the stored state cannot be read: it is damaged"))
		w.judge = analysis.NewJudge(settings(&spec.Policy))
		p.step()
		return nil
	case "command":
		return p.command(w, args)
	case "budget":
		if err := w.budgetVerb(args); err != nil {
			return err
		}
		p.now = w.now
		p.step()
		return nil
	}
	do, known := w.verbs()[verb]
	if !known {
		return fmt.Errorf("%w: there is no %q", errScenario, verb)
	}
	return do(args)
}

// say moves the trace of a service to that of all.
func (p *party) say(w *world) {
	p.trace.WriteString(w.trace.String())
	w.trace.Reset()
}

func (p *party) names() []string { return slices.Sorted(maps.Keys(p.worlds)) }

// find is the rollout of a service.
func (p *party) find(name string) *State {
	if w := p.worlds[name]; w != nil {
		return &w.state
	}
	return nil
}

// members are the services that name a release.
func (p *party) members(release string) []string {
	return slices.DeleteFunc(p.names(), func(name string) bool { return release == "" || p.worlds[name].state.Spec.Release != release })
}

func (p *party) others(s *State) others { return surroundings(s, p.members(s.Spec.Release), p.find) }

func (p *party) relate(v *View, s *State) {
	if p != nil {
		o := p.others(s)
		v.relate(s, &o)
	}
}

// advance lets time and traffic pass.
func (p *party) advance(text string) error {
	d, err := config.ParseDuration(text)
	if err != nil {
		return err
	}
	for end := p.now.Add(time.Duration(d)); p.now.Before(end); {
		slice := min(time.Second, end.Sub(p.now))
		p.now = p.now.Add(slice)
		for _, name := range p.names() {
			p.worlds[name].tick(slice)
		}
		p.step()
	}
	return nil
}

// step is one beat of the manager, for all.
func (p *party) step() {
	names := p.names()
	list := make([]proposal, len(names))
	for i, name := range names {
		w := p.worlds[name]
		w.now = p.now
		o, known := p.seen[w.label]
		if !known {
			o = still(&w.state, others{})
		}
		o.Others = p.others(&w.state)
		list[i] = propose(w.state, p.now, o)
	}
	clear(p.seen)
	for _, release := range p.releases(list) {
		var unit []proposal
		for _, i := range release {
			unit = append(unit, list[i])
		}
		unite(p.now, unit)
		for n, i := range release {
			list[i] = unit[n]
		}
		p.storeFirst(list, release)
	}
	for i, name := range names {
		p.worlds[name].make(list[i].next, list[i].actions)
		p.say(p.worlds[name])
	}
	p.keep(list)
}

// releases are the proposals in groups: those of each release, and each of the others alone.
func (p *party) releases(list []proposal) [][]int {
	var groups [][]int
	place := map[string]int{}
	for i := range list {
		release := list[i].was.Spec.Release
		if at, known := place[release]; known && release != "" {
			groups[at] = append(groups[at], i)
			continue
		}
		place[release] = len(groups)
		groups = append(groups, []int{i})
	}
	return groups
}

// storeFirst makes holds of what would have to be stored, when nothing can be.
func (p *party) storeFirst(list []proposal, group []int) {
	if !p.full {
		return
	}
	for _, i := range group {
		if one := &list[i]; len(one.actions) > 0 && one.actions[0].Kind == ActionStoreFirst {
			one.next, one.actions = notStored(one.was, p.now, one.seen, errors.New("no space left"))
		}
	}
}

// keep stores what is to be stored, in one transaction.
func (p *party) keep(list []proposal) {
	if p.full {
		return
	}
	for i := range list {
		if len(list[i].actions) == 0 {
			continue
		}
		w := p.worlds[list[i].was.Spec.Service]
		evidence := w.judge.State()
		text, err := encodeMemory(memory{State: &w.state, Judge: &evidence})
		if err != nil {
			panic(err)
		}
		p.stored[w.state.Spec.Service] = text
	}
}

func (p *party) command(w *world, args []string) error {
	c, err := w.parseCommand(args)
	if err != nil {
		return err
	}
	list, err := applyAll(w.state, p.now, c, p.others(&w.state))
	if err != nil {
		return err
	}
	if p.full && slices.ContainsFunc(list, func(p proposal) bool { return p.actions[0].Kind == ActionStoreFirst }) {
		return fmt.Errorf("%s: no space left", c.Kind)
	}
	for i := range list {
		one := p.worlds[list[i].was.Spec.Service]
		one.make(list[i].next, list[i].actions)
		p.say(one)
	}
	p.keep(list)
	return nil
}

// restart is another process, with the state of now or, after a kill, with what was stored.
func (p *party) restart(killed bool) error {
	for _, name := range p.names() {
		w := p.worlds[name]
		if text, known := p.stored[name]; known && killed {
			read, err := decodeMemory(text)
			if err != nil {
				return err
			}
			w.state = *read.State
			if w.judge, err = analysis.Restore(w.state.settings(), *read.Judge); err != nil {
				return err
			}
		}
		if err := w.restartVerb(nil); err != nil {
			return err
		}
		p.say(w)
	}
	p.step()
	return nil
}
