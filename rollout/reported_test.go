package rollout

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"haldane/analysis"
	"haldane/config"
)

// addMetric reads "conversion:field,down", with more words behind: "kind=mean", "largest=100", "relative=2%", "uncritical", "muted".
// Metrics of source field are played by the load's canary_metrics and stable_metrics.
func addMetric(c *config.Checks, text string) error {
	name, rest, _ := strings.Cut(text, ":")
	check := config.MetricCheck{
		Kind: config.KindRatio, Of: config.OfAll, Relative: 2 * onePercent, Every: config.Duration(30e9), Failures: 3,
		Stale: config.Duration(300e9), Critical: true, Group: "metrics", MinRequests: 50, Window: config.Duration(1e9), Windows: 3,
	}
	var err error
	for _, word := range strings.Split(rest, ",") {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case config.SourceField, config.SourcePosted, config.SourcePrometheus:
			check.Source, check.Field = key, "X-"+name
		case config.DirectionUp, config.DirectionDown, config.DirectionBoth:
			check.Direction = key
		case "kind":
			check.Kind = value
			if value == config.KindValue {
				check.Relative = 0
			}
		case "of":
			check.Of = value
		case "words":
			check.Words = value
		case "largest":
			err = check.Largest.UnmarshalText([]byte(value))
		case "max":
			err = check.Max.UnmarshalText([]byte(value))
		case "relative":
			err = check.Relative.UnmarshalText([]byte(value))
		case "uncritical":
			check.Critical = false
		case "muted":
			check.Muted = true
		default:
			err = fmt.Errorf("%w: a metric has no %q", errScenario, word)
		}
		if err != nil {
			return err
		}
	}
	if c.Metrics == nil {
		c.Metrics = map[string]config.MetricCheck{}
	}
	c.Metrics[name] = check
	return nil
}

// reporting is what the requests of a variant report: of each metric the share for which it happened, or the number.
type reporting struct {
	numbers []float64
	debts   [4]float64
}

func parseReporting(text string) (reporting, error) {
	var r reporting
	for _, part := range strings.Split(text, ",") {
		number, err := parseNumber(part)
		if err != nil {
			return r, err
		}
		r.numbers = append(r.numbers, number)
	}
	return r, nil
}

// fill gives the requests of one side what they report, evenly spread; it comes after the events.
func (r *reporting) fill(of analysis.Counts, events []analysis.Counts) ([]analysis.Counts, []analysis.Sums) {
	total := of.Bad + of.Good
	var values []analysis.Sums
	for i, number := range r.numbers {
		r.debts[i] += float64(total) * min(1, number)
		n := min(total, uint64(math.Floor(r.debts[i]+1e-9)))
		r.debts[i] -= float64(n)
		events = append(events, analysis.Counts{Bad: n, Good: total - n})
		values = append(values, analysis.Sums{Count: total, Sum: number * float64(total), Squares: number * number * float64(total)})
	}
	return events, values
}

// report gives the requests of a block their numbers.
func (l *load) report(b *analysis.Block) {
	b.CanaryEvents, b.CanaryValues = l.reports[0].fill(b.Canary, b.CanaryEvents)
	b.StableEvents, b.StableValues = l.reports[1].fill(b.Stable, b.StableEvents)
}

// postVerb posts totals as an operator's program does: "post orders canary=36/1000 stable=40/1000".
func (w *world) postVerb(args []string) error {
	for _, arg := range args[1:] {
		side, text, _ := strings.Cut(arg, "=")
		good, total, _ := strings.Cut(text, "/")
		p := Post{Metric: args[0], Variant: w.state.Spec.Stable}
		if side == "canary" {
			p.Variant = w.state.Spec.Canary
		}
		p.Good, _ = strconv.ParseUint(good, 10, 64)
		p.Total, _ = strconv.ParseUint(total, 10, 64)
		check := w.state.Policy.Checks.Metrics[args[0]]
		report, err := p.report(&w.state, &check)
		if err != nil {
			return err
		}
		w.judge.Take(w.now, report)
	}
	return nil
}

// readVerb is an answer of Prometheus: "read queue canary=5 stable=4", or "read queue problem=no_answer".
func (w *world) readVerb(args []string) error {
	r := analysis.Report{Feed: args[0]}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		var err error
		switch key {
		case "canary":
			r.CanaryValue, err = strconv.ParseFloat(value, 64)
		case "stable":
			r.StableValue, err = strconv.ParseFloat(value, 64)
		case "problem":
			r.Problem = strings.ReplaceAll(value, "_", " ")
		}
		if err != nil {
			return err
		}
	}
	w.judge.Take(w.now, r)
	return nil
}
