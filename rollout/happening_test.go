package rollout

import (
	"fmt"
	"math"
	"strings"

	"haldane/analysis"
	"haldane/config"
)

// happening is how often the events happen to a variant's requests, evenly spread.
type happening struct {
	shares []float64
	debts  [8]float64
}

// parseHappening reads "10%,0%": the shares of the events, in the order of their names.
func parseHappening(text string) (happening, error) {
	var h happening
	for _, part := range strings.Split(text, ",") {
		share, err := parseNumber(part)
		if err != nil {
			return h, err
		}
		h.shares = append(h.shares, share)
	}
	return h, nil
}

// happen gives the requests of a block their events.
func (l *load) happen(b *analysis.Block) {
	b.CanaryEvents = l.happens[0].counts(b.Canary)
	b.StableEvents = l.happens[1].counts(b.Stable)
}

func (h *happening) counts(of analysis.Counts) []analysis.Counts {
	var list []analysis.Counts
	total := of.Bad + of.Good
	for i, share := range h.shares {
		h.debts[i] += float64(total) * share
		n := min(total, uint64(math.Floor(h.debts[i]+1e-9)))
		h.debts[i] -= float64(n)
		list = append(list, analysis.Counts{Bad: n, Good: total - n})
	}
	return list
}

// addEvent reads "throttled:429,timeout" and "throttled:429:muted,max=5%".
func addEvent(c *config.Checks, text string) error {
	parts := append(strings.Split(text, ":"), "", "")
	check := config.EventCheck{
		Relative: 10 * onePercent, Absolute: onePercent, Critical: true, Group: "events", MinRequests: 50,
		Window: config.Duration(1e9), Windows: 3,
	}
	for _, word := range strings.Split(parts[1], ",") {
		var statuses config.StatusRange
		if statuses.UnmarshalText([]byte(word)) == nil {
			check.Statuses = append(check.Statuses, statuses)
		} else {
			check.Outcomes = append(check.Outcomes, word)
		}
	}
	for _, flag := range strings.Split(parts[2], ",") {
		switch key, value, _ := strings.Cut(flag, "="); key {
		case "":
		case "muted":
			check.Muted = true
		case "uncritical":
			check.Critical = false
		case "max":
			var err error
			if check.Max, err = config.ParsePercent(value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: an event has no %q", errScenario, flag)
		}
	}
	if c.Events == nil {
		c.Events = map[string]config.EventCheck{}
	}
	c.Events[parts[0]] = check
	return nil
}

// parseStatuses reads "429,5xx"; "none" for no status.
func parseStatuses(text string) ([]config.StatusRange, error) {
	list := []config.StatusRange{}
	for _, word := range strings.Split(text, ",") {
		var r config.StatusRange
		if word == "none" {
			continue
		}
		if err := r.UnmarshalText([]byte(word)); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// checksVerb prints the checks with their sentences, those of the given names only. Few scenarios are about them.
func (w *world) checksVerb(names []string) error {
	for _, c := range w.state.Verdict.Checks {
		for _, name := range names {
			if c.Name == strings.ReplaceAll(name, "_", " ") {
				fmt.Fprintf(&w.trace, "         %s, %s: %s\n", c.Name, c.Class, c.Sentence)
			}
		}
	}
	return nil
}

// retune gives the judge the settings of the policy in force, as the manager does.
func (w *world) retune() {
	judge, err := analysis.Restore(w.state.settings(), w.judge.State())
	if err != nil {
		panic(err)
	}
	w.judge = judge
}
