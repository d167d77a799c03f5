package rollout

import (
	"fmt"
	"strings"

	"haldane/analysis"
	"haldane/config"
)

// addPartial reads "cart,item:part": the parts, each a template of its name, and what their failure does.
func addPartial(p *config.Policy, text string) error {
	list, action, _ := strings.Cut(text, ":")
	p.Partial = &config.Partial{OnFailure: action, Templates: map[string]string{}}
	for _, name := range strings.Split(list, ",") {
		if segment, is := strings.CutPrefix(name, "@"); is {
			p.Partial.Segments = append(p.Partial.Segments, segment)
		} else {
			p.Partial.Templates[name] = "/" + name + "/*"
		}
	}
	return nil
}

// partLoad is the traffic of a part: its share of all, and how much of it the canary fails.
type partLoad struct {
	name       string
	share, bad float64
	debts      load
}

// parseParts reads "cart:20%:100%,item:10%": what the canary fails of a part that does not say is what it fails of the rest.
func parseParts(text string) ([]partLoad, error) {
	var list []partLoad
	for _, one := range strings.Split(text, ",") {
		words := strings.Split(one, ":")
		p := partLoad{name: words[0], bad: -1}
		var err error
		if p.share, err = parseNumber(words[1]); err != nil {
			return nil, err
		}
		if len(words) > 2 {
			if p.bad, err = parseNumber(words[2]); err != nil {
				return nil, err
			}
		}
		list = append(list, p)
	}
	return list, nil
}

// inParts adds the traffic of the parts to that of the rest, r requests at all of which a share is drawn. The requests of a part that
// has gone get the stable, and are not judged. What is left of r is the rest's.
func (w *world) inParts(b *analysis.Block, r, share float64) (rest float64, unjudged analysis.Counts) {
	defined := w.state.Policy.Partial.Parts()
	if len(defined) == 0 {
		return r, unjudged
	}
	pad := func(events []analysis.Counts) []analysis.Counts {
		return append(events, make([]analysis.Counts, firstPart(&w.state.Policy.Checks)-1+len(defined)-len(events))...)
	}
	b.CanaryEvents, b.StableEvents = pad(b.CanaryEvents), pad(b.StableEvents)
	first := len(b.CanaryEvents) - len(defined)
	rest = r
	for i := range w.load.parts {
		p := &w.load.parts[i]
		rest -= r * p.share
		bad := p.bad
		if bad < 0 {
			bad = w.load.canaryBad
		}
		if w.state.Partial.has(p.name) {
			stable := p.debts.draw(4, r*p.share, w.load.stableBad)
			unjudged.Bad, unjudged.Good = unjudged.Bad+stable.Bad, unjudged.Good+stable.Good
			continue
		}
		canary, stable := p.debts.draw(0, r*p.share*share, bad), p.debts.draw(2, r*p.share*(1-share), w.load.stableBad)
		b.Canary.Bad, b.Canary.Good = b.Canary.Bad+canary.Bad, b.Canary.Good+canary.Good
		b.Stable.Bad, b.Stable.Good = b.Stable.Bad+stable.Bad, b.Stable.Good+stable.Good
		for k, d := range defined {
			if d.Name == p.name {
				b.CanaryEvents[first+k], b.StableEvents[first+k] = canary, stable
			}
		}
	}
	return rest, unjudged
}

// badPart is a verdict by which one part has failed, as the explorer sees it.
func badPart() analysis.Verdict {
	return analysis.Verdict{Class: analysis.Fail, Checks: []analysis.CheckVerdict{
		{Name: checkErrors, Critical: true, Class: analysis.Marginal, Score: 50, Powered: true},
		{Name: partCheck("eu"), Critical: true, Class: analysis.Fail},
	}}
}

// eightParts is a policy with as many parts as there may be.
func eightParts() config.Policy {
	p := config.DefaultPolicy()
	p.Checks.Latency = nil
	p.Partial = &config.Partial{OnFailure: config.PartAlone, Templates: map[string]string{}}
	for i := range config.MaxParts {
		p.Partial.Templates[fmt.Sprintf("p%d", i)] = fmt.Sprintf("/p%d/*", i)
	}
	return p
}
