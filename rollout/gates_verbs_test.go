package rollout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"haldane/config"
)

// gateOptions are the gates of a spec.
type gateOptions struct {
	windows   []config.Window
	freezes   []config.Freeze
	hooks     config.Hooks
	checklist map[int][]string // by step, from 1
}

// read reads one option; "_" stands for a space:
//
//	window=fri,sat/09:00/16:00/Europe/Berlin   freeze=2026-01-02T03:01:00Z/2026-01-02T05:00:00Z/holidays
//	hook=rollout:smoke:2 (the number of failures)   checklist=1:dashboards_looked_at|support_told
func (g *gateOptions) read(key, value string) error {
	value = strings.ReplaceAll(value, "_", " ")
	switch key {
	case "window":
		return g.window(strings.Split(value, "/"))
	case "freeze":
		parts := strings.SplitN(value, "/", 3)
		f := config.Freeze{Reason: parts[2]}
		if err := f.From.UnmarshalText([]byte(parts[0])); err != nil {
			return err
		}
		if err := f.To.UnmarshalText([]byte(parts[1])); err != nil {
			return err
		}
		g.freezes = append(g.freezes, f)
	case "hook":
		return g.hook(strings.Split(value, ":"))
	case "checklist":
		step, items, _ := strings.Cut(value, ":")
		n, err := strconv.Atoi(step)
		if err != nil {
			return err
		}
		g.checklist = map[int][]string{n: strings.Split(items, "|")}
	default:
		return errOtherKey
	}
	return nil
}

// errOtherKey is a key that is not one of the gates.
var errOtherKey = errors.New("not a gate")

// specKey reads an option of what else a policy has: of setbacks, gates, or stages.
func specKey(spec *Spec, g *gateOptions, later *[]string, key, value string) error {
	known, err := specOption(&spec.Policy, key, value)
	if known {
		return err
	}
	if err := g.read(key, value); !errors.Is(err, errOtherKey) {
		return err
	}
	*later = append(*later, key+"="+value) // of the stages
	return nil
}

func (g *gateOptions) window(parts []string) error {
	var w config.Window
	for _, day := range strings.Split(parts[0], ",") {
		var d config.Weekday
		if err := d.UnmarshalText([]byte(day)); err != nil {
			return err
		}
		w.Days = append(w.Days, d)
	}
	if err := w.From.UnmarshalText([]byte(parts[1])); err != nil {
		return err
	}
	if err := w.To.UnmarshalText([]byte(parts[2])); err != nil {
		return err
	}
	g.windows = append(g.windows, w)
	return g.windows[len(g.windows)-1].Zone.UnmarshalText([]byte(strings.Join(parts[3:], "/")))
}

func (g *gateOptions) hook(parts []string) error {
	hook := config.Hook{Name: parts[1], Every: config.Duration(30e9), Failures: 3}
	if len(parts) > 2 {
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			return err
		}
		hook.Failures = n
	}
	hooks := map[string]*[]config.Hook{
		"confirm rollout": &g.hooks.ConfirmRollout, "pre rollout": &g.hooks.PreRollout, "rollout": &g.hooks.Rollout,
		"confirm traffic increase": &g.hooks.ConfirmTrafficIncrease, "confirm promotion": &g.hooks.ConfirmPromotion,
		"post rollout": &g.hooks.PostRollout, "rollback": &g.hooks.Rollback,
	}
	list, known := hooks[parts[0]]
	if !known {
		return fmt.Errorf("%w: there is no point %q", errScenario, parts[0])
	}
	*list = append(*list, hook)
	return nil
}

// apply puts the gates into a spec.
func (g *gateOptions) apply(spec *Spec) {
	spec.Freezes = g.freezes
	spec.Policy.Windows, spec.Policy.Hooks = g.windows, g.hooks
	for step, items := range g.checklist {
		spec.Policy.Steps[step-1].Checklist = items
	}
}

// gateArgument reads what a command says about gates.
func (w *world) gateArgument(c *Command, key, value string) {
	switch key {
	case "force":
		c.Force = true
	case "item":
		c.Item = strings.ReplaceAll(value, "_", " ")
	case "at": // the stage that a link was made for
		stage, err := strconv.Atoi(value)
		if err != nil {
			panic(err)
		}
		c.Expect = &Place{Rollout: w.state.place().Rollout, Stage: stage, Visit: w.state.Visits}
	case "visit": // and the visit, after the stage
		visit, err := strconv.Atoi(value)
		if err != nil {
			panic(err)
		}
		c.Expect.Visit = visit
	}
}

// answerVerb hands an answer over: POINT NAME yes|refused|silent [text=..] [stage=N] [visit=N] [turn=N] [rollout=..].
func (w *world) answerVerb(args []string) error {
	a := Answer{Service: w.state.Spec.Service, Place: w.state.place(), Point: args[0], Hook: args[1], Answer: HookAnswer(args[2]), Turn: 1}
	g := w.state.gate()
	if h := g.find(a.Point, a.Hook); h != nil {
		a.Turn = h.Turn + 1
	}
	for _, arg := range args[3:] {
		key, value, _ := strings.Cut(arg, "=")
		n, err := strconv.Atoi("0" + value)
		switch key {
		case "text":
			a.Text = strings.ReplaceAll(value, "_", " ")
			continue
		case "rollout":
			a.Place.Rollout = value
			continue
		case "stage":
			a.Place.Stage = n
		case "visit":
			a.Place.Visit = n
		case "turn":
			a.Turn = n
		}
		if err != nil {
			return err
		}
	}
	w.make(answered(w.state, w.now, a))
	return nil
}

// questionsVerb prints who is to be asked now.
func (w *world) questionsVerb([]string) error {
	for _, q := range w.state.questions(w.now) {
		fmt.Fprintf(&w.trace, "%s ask %s %s, question %d on stage %d: %s at %s\n", w.at(), q.Point, q.Hook, q.Turn, q.Place.Stage, q.Phase, q.Weight)
	}
	return nil
}

// gatesVerb prints what a person sees of the gates.
func (w *world) gatesVerb([]string) error {
	v := w.state.View(w.now)
	if !v.Gates.Until.IsZero() {
		fmt.Fprintf(&w.trace, "%s until %s\n", w.at(), v.Gates.Until.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	for _, i := range v.Gates.Checklist {
		fmt.Fprintf(&w.trace, "         item %s: %t [%s]\n", i.Item, i.Done, i.Actor)
	}
	for _, h := range v.Gates.Hooks {
		fmt.Fprintf(&w.trace, "         hook %s %s: %q, %d of %d, %s\n", h.Point, h.Name, h.Answer, h.Failed, h.Failures, h.Text)
	}
	return nil
}

// skipVerb lets time pass in which nobody looks: a night, without its traffic.
func (w *world) skipVerb(args []string) error {
	d, err := config.ParseDuration(args[0])
	if err != nil {
		return err
	}
	w.now = w.now.Add(time.Duration(d))
	w.tick(time.Second)
	return nil
}
