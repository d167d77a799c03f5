package rollout

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/stats"
)

// world is the smallest shell around the core: traffic that obeys the split, a real judge, and a trace of what is done.
type world struct {
	trace  strings.Builder
	start  time.Time
	now    time.Time
	state  State
	judge  *analysis.Judge
	full   bool // the store has no room
	spent  uint64
	losses stats.Losses // that the requests have charged
	load   load
	party  *party   // of several services; nil for one alone
	label  string   // what lines of the trace begin with, in a party
	saw    *sighted // what has appeared
}

// load is the traffic, in requests a second. It is as regular as a clock, so that the traces are.
type load struct {
	rate, segment        float64
	canaryBad, stableBad float64 // shares
	pinned               bool    // every request names its variant: seen, not judged
	share                float64 // what the canary really gets of the rate; negative for the weight
	debt                 [8]float64
	slow                 [2]slowness  // of canary and stable
	happens              [2]happening // to canary and stable
	reports              [2]reporting // by canary and stable
	parts                []partLoad
}

func newWorld() *world {
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	return &world{start: start, now: start, load: load{share: -1}, saw: newSighted()}
}

func (w *world) at() string { return fmt.Sprintf("%8s", config.Duration(w.now.Sub(w.start))) }

// make carries out what the core says, as the manager does.
func (w *world) make(next State, actions []Action) {
	w.saw.transition(&w.state, &next, actions)
	w.state = next
	var done []string
	for _, a := range actions {
		word := a.Kind.String()
		switch a.Kind {
		case ActionSplit:
			word = "split " + describe(a.Split)
		case ActionStartOver:
			w.retune()
			w.judge.StartOver(w.now)
		case ActionRenew:
			w.retune()
			renewWhole(w.judge, w.now)
		case ActionNewStep:
			w.retune()
			w.judge.NewStep(w.now)
		case ActionArm:
			w.spent, w.losses = next.Spent, next.Setbacks.Losses
		case ActionAnnounce:
			continue
		}
		done = append(done, word)
	}
	for _, a := range actions {
		if a.Kind == ActionAnnounce {
			w.tell(a.Event)
		}
	}
	if len(done) > 0 && !(len(done) == 1 && done[0] == "store") {
		fmt.Fprintf(&w.trace, "         %sdo %s\n", w.label, strings.Join(done, ", "))
	}
}

func (w *world) tell(e Event) {
	fmt.Fprintf(&w.trace, "%s %s%s: %s", w.at(), w.label, e.Kind, e.Phase)
	if e.StepName != "" {
		fmt.Fprintf(&w.trace, " step %d (%s)", e.Step+1, e.StepName)
	}
	fmt.Fprintf(&w.trace, ", %s", e.Reason)
	if e.Actor != "" {
		fmt.Fprintf(&w.trace, " [%s]", e.Actor)
	}
	w.trace.WriteString("\n")
}

func describe(d Split) string {
	text := fmt.Sprintf("%d of %s: %s", d.Revision, d.Rollout[:4]+strings.TrimLeft(d.Rollout[4:], "0123456789abcdef"), d.Weight)
	if d.grouped() {
		text += fmt.Sprintf(" and %s of %s", d.Strength, config.JoinGroup(d.Segment, d.OptIn))
	}
	if d.Override != "" {
		text += " override " + d.Override
	}
	if d.RolledBack {
		text += " rolled back"
	}
	for i, part := range d.Partial.Parts() {
		if d.Back&(1<<i) != 0 {
			text += " without " + part.Name
		}
	}
	return text
}

// tick lets time pass and traffic flow.
func (w *world) tick(d time.Duration) {
	w.now = w.now.Add(d)
	split := w.state.split()
	r := d.Seconds() * w.load.rate
	share := w.load.share
	if share < 0 {
		share = split.Weight.Ratio()
	}
	var b block
	switch split.Override {
	case "":
		b.split(w, r, share)
		if split.grouped() {
			b.segment(w, d.Seconds()*w.load.segment, split.Strength.Ratio())
		}
	case split.Canary:
		b.all.Canary = w.load.draw(0, r, w.load.canaryBad)
	default:
		b.all.Stable = w.load.draw(2, r, w.load.stableBad)
	}
	if w.load.pinned {
		b.strata = nil
	}
	w.see(b)
}

// block is the traffic of one tick.
type block struct {
	all    analysis.Block // everything, whatever its stratum
	strata []analysis.Block
}

func (b *block) split(w *world, r, share float64) {
	parts := analysis.Block{}
	r, unjudged := w.inParts(&parts, r, share)
	one := analysis.Block{
		Stratum: stratumSplit, Weight: w.state.split().Weight.Ratio(),
		Canary: w.load.draw(0, r*share, w.load.canaryBad), Stable: w.load.draw(2, r*(1-share), w.load.stableBad),
	}
	w.load.time(&one)
	w.load.happen(&one)
	w.load.report(&one)
	if parts.CanaryEvents != nil { // the scenarios have parts, or events and metrics
		one.Canary.Bad, one.Canary.Good = one.Canary.Bad+parts.Canary.Bad, one.Canary.Good+parts.Canary.Good
		one.Stable.Bad, one.Stable.Good = one.Stable.Bad+parts.Stable.Bad, one.Stable.Good+parts.Stable.Good
		one.CanaryEvents, one.StableEvents = parts.CanaryEvents, parts.StableEvents
	}
	b.add(one)
	b.all.Stable.Bad, b.all.Stable.Good = b.all.Stable.Bad+unjudged.Bad, b.all.Stable.Good+unjudged.Good
}

func (b *block) segment(w *world, r, strength float64) {
	one := analysis.Block{
		Stratum: stratumSegment, Weight: strength,
		Canary: w.load.draw(4, r*strength, w.load.canaryBad), Stable: w.load.draw(6, r*(1-strength), w.load.stableBad),
	}
	w.load.time(&one)
	w.load.happen(&one)
	w.load.report(&one)
	if strength == 1 { // forced, so not drawn: seen, not judged
		one.Stratum = 0
	}
	b.add(one)
}

func (b *block) add(one analysis.Block) {
	b.all.Canary.Bad += one.Canary.Bad
	b.all.Canary.Good += one.Canary.Good
	b.all.Stable.Bad += one.Stable.Bad
	b.all.Stable.Good += one.Stable.Good
	if one.Stratum > 0 {
		b.strata = append(b.strata, one)
	}
}

// draw is n requests of which a share is bad; fractions are carried over to the next call.
func (l *load) draw(slot int, n, bad float64) analysis.Counts {
	whole := func(i int, v float64) uint64 {
		l.debt[i] += v
		k := math.Floor(l.debt[i] + 1e-9)
		l.debt[i] -= k
		return uint64(k)
	}
	return analysis.Counts{Bad: whole(slot, n*bad), Good: whole(slot+1, n*(1-bad))}
}

// see tells judge and core what was seen.
func (w *world) see(b block) {
	o := Observation{
		Canary: Seen{Requests: b.all.Canary.Bad + b.all.Canary.Good, Failed: b.all.Canary.Bad},
		Stable: Seen{Requests: b.all.Stable.Bad + b.all.Stable.Good, Failed: b.all.Stable.Bad},
	}
	if w.state.Phase.exposing() {
		w.judge.Observe(w.now, b.strata)
		w.spent += b.all.Canary.Bad
	}
	for _, s := range b.strata {
		o.Judged += s.Canary.Bad + s.Canary.Good
		o.Reference += s.Stable.Bad + s.Stable.Good
	}
	o.Verdict, o.Spent, o.Losses = w.judge.Verdict(), w.spent, w.losses
	w.step(o)
}

// step is one tick of the manager.
func (w *world) step(o Observation) {
	if w.party != nil {
		w.party.seen[w.label] = o // they step together
		return
	}
	next, actions := Step(w.state, w.now, o)
	if len(actions) > 0 && actions[0].Kind == ActionStoreFirst && w.full {
		fmt.Fprintf(&w.trace, "%s store_first fails\n", w.at())
		next, actions = notStored(w.state, w.now, o, errors.New("no space left"))
	}
	w.make(next, actions)
}

func (w *world) loadVerb(args []string) error {
	l := load{share: -1}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		if side, is := strings.CutSuffix(key, "_events"); is {
			h, err := parseHappening(value)
			if err != nil {
				return err
			}
			l.happens[map[string]int{"canary": 0, "stable": 1}[side]] = h
			continue
		}
		if side, is := strings.CutSuffix(key, "_metrics"); is {
			r, err := parseReporting(value)
			if err != nil {
				return err
			}
			l.reports[map[string]int{"canary": 0, "stable": 1}[side]] = r
			continue
		}
		if key == "parts" {
			parts, err := parseParts(value)
			if err != nil {
				return err
			}
			l.parts = parts
			continue
		}
		number, err := parseNumber(value)
		if err != nil {
			return err
		}
		switch key {
		case "rate":
			l.rate = number
		case "segment":
			l.segment = number
		case "canary_bad":
			l.canaryBad = number
		case "stable_bad":
			l.stableBad = number
		case "canary_slow":
			l.slow[0].share = number
		case "stable_slow":
			l.slow[1].share = number
		case "pinned":
			l.pinned = number > 0
		case "share":
			l.share = number
		default:
			return fmt.Errorf("%w: load has no %q", errScenario, key)
		}
	}
	w.load = l
	return nil
}

func parseNumber(text string) (float64, error) {
	if percent, found := strings.CutSuffix(text, "%"); found {
		n, err := strconv.ParseFloat(percent, 64)
		return n / 100, err
	}
	return strconv.ParseFloat(text, 64)
}

func (w *world) advanceVerb(args []string) error {
	d, err := config.ParseDuration(args[0])
	if err != nil {
		return err
	}
	for end := w.now.Add(time.Duration(d)); w.now.Before(end); {
		w.tick(min(time.Second, end.Sub(w.now)))
	}
	return nil
}

// untilVerb advances until the phase is there, or the limit is over.
func (w *world) untilVerb(args []string) error {
	limit, err := config.ParseDuration(args[1])
	if err != nil {
		return err
	}
	for end := w.now.Add(time.Duration(limit)); w.now.Before(end); {
		w.tick(time.Second)
		if w.state.Phase.String() == args[0] {
			return nil
		}
	}
	return fmt.Errorf("%w: still %s after %s", errScenario, w.state.Phase, limit)
}

func (w *world) observeVerb(args []string) error {
	w.now = w.now.Add(tickEvery)
	one := analysis.Block{Stratum: stratumSplit, Weight: w.state.split().Weight.Ratio()}
	var side *analysis.Counts
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		n, err := strconv.ParseUint("0"+value, 10, 64)
		if err != nil {
			return err
		}
		switch key {
		case "canary":
			side = &one.Canary
		case "stable":
			side = &one.Stable
		case "good":
			side.Good = n
		case "bad":
			side.Bad = n
		}
	}
	var b block
	b.add(one)
	w.see(b)
	return nil
}

func (w *world) budgetVerb(args []string) error {
	n, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	w.now = w.now.Add(10 * time.Millisecond)
	w.spent = n
	w.step(Observation{Verdict: w.judge.Verdict(), Spent: n, Losses: w.losses})
	return nil
}

func (w *world) storeVerb(args []string) error {
	w.full = args[0] == "full"
	return nil
}

// restartVerb takes the state and the evidence through what is stored of them.
func (w *world) restartVerb([]string) error {
	evidence := w.judge.State()
	text, err := encodeMemory(memory{State: &w.state, Judge: &evidence})
	if err != nil {
		return err
	}
	read, err := decodeMemory(text)
	if err != nil {
		return err
	}
	if w.judge, err = analysis.Restore(read.State.settings(), *read.Judge); err != nil {
		return err
	}
	again, err := json.Marshal(w.judge.State())
	if before, _ := json.Marshal(evidence); err != nil || string(again) != string(before) {
		return fmt.Errorf("%w: the evidence is another one after the restart: %w", errScenario, err)
	}
	w.make(reopened(*read.State, w.now, nil))
	w.step(Observation{Verdict: w.judge.Verdict(), Spent: w.state.Spent, Losses: w.state.Setbacks.Losses})
	return nil
}
