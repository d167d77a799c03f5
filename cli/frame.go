package cli

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/rollout"
)

// frame is everything that is shown on a screen at one moment.
type frame struct {
	palette
	now           time.Time
	zone          *time.Location
	where         string // the Haldane that is watched
	trouble       string // what is wrong with the connection; empty for nothing
	views         []rollout.View
	detailed      bool // one service with its checks and its history
	trends        *trends
	columns, rows int
}

// labelWidth is the width of what stands in front of a bar.
const labelWidth = 12

// lines are what is drawn, not more than there are rows.
func (f *frame) lines() []string {
	head := line{{"haldane  ", bold}, {f.where + "  " + clock(f.now, f.zone), dim}}
	all := []line{head}
	if f.trouble != "" {
		all = append(all, line{{f.trouble, red}})
	}
	if len(f.views) == 0 {
		all = append(all, nil, line{{"no rollouts: no service of the configuration names a canary", plain}})
	}
	for i := range f.views {
		all = append(all, nil)
		all = append(all, f.rollout(&f.views[i])...)
	}
	if len(all) > f.rows {
		more := len(all) - f.rows + 1
		all = append(all[:f.rows-1], line{{fmt.Sprintf("... %d more lines: make the window taller, or watch one service", more), dim}})
	}
	painted := make([]string, len(all))
	for i, l := range all {
		painted[i] = f.paint(l, f.columns)
	}
	return painted
}

// rollout draws one release.
func (f *frame) rollout(v *rollout.View) []line {
	all := []line{{{v.Service, bold}, {fmt.Sprintf("  %s -> %s  ", v.Stable, v.Canary), plain}, {phase(*v), phaseStyle(v)}, {"  step " + step(*v) + "  " + v.Stage.Name, plain}}}
	all = append(all, f.bar("weight", v.Weight.Ratio(), exposure(*v), plain))
	if v.Phase.Live() && v.Stage.Duration > 0 {
		all = append(all, f.bar("step", float64(v.Stage.Elapsed)/float64(v.Stage.Duration), elapsed(*v), plain))
	}
	if len(v.Verdict.Checks) > 0 {
		against := towards(v.Verdict.Checks)
		text := fmt.Sprintf("%.0f%% of a rollback, %s", 100*against, verdict(v.Verdict))
		all = append(all, f.bar("evidence", against, text, verdictStyle(v.Verdict.Class)))
	}
	for _, k := range v.Budget.Kinds {
		share := float64(k.Left) / float64(max(1, k.Limit))
		look := plain
		if share < 0.25 {
			look = amber
		}
		all = append(all, f.bar("budget left", share, fmt.Sprintf("%v spent", k), look))
	}
	for _, variant := range []string{v.Stable, v.Canary} {
		if one := f.trends.of[[2]string{v.Service, variant}]; one != nil {
			all = append(all, f.traffic(variant, one))
		}
	}
	if values := f.trends.against[v.Service]; len(values) > 1 {
		all = append(all, line{{pad("  evidence", labelWidth+2), plain}, {f.sparkline(values, f.width(), 1), plain}, {"  lately", dim}})
	}
	for text := range strings.Lines(sentences(*v)) {
		all = append(all, f.wrap(text)...)
	}
	if f.detailed {
		all = append(all, f.details(v)...)
	}
	return all
}

// width is that of a bar or a sparkline.
func (f *frame) width() int { return min(max(f.columns/3, 8), 40) }

func (f *frame) bar(label string, share float64, text string, look style) line {
	return line{{pad("  "+label, labelWidth+2), plain}, {f.gauge(share, f.width()), look}, {"  " + text, plain}}
}

// traffic is what a variant is asked, and how much of it fails.
func (f *frame) traffic(variant string, t *trend) line {
	look := plain
	if last(t.bad) > 0 {
		look = red
	}
	half := f.width()/2 - 1
	return line{
		{pad("  "+variant, labelWidth+2), plain},
		{f.sparkline(t.rates, half, 0) + "  ", plain},
		{f.sparkline(t.bad, half, 0.01), look},
		{fmt.Sprintf("  %.0f requests/s, %s fail", last(t.rates), percent(last(t.bad))), plain},
	}
}

// wrap breaks a sentence where the screen ends.
func (f *frame) wrap(text string) (all []line) {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	row := indent
	for _, word := range strings.Fields(text) {
		if len([]rune(row))+1+len([]rune(word)) > f.columns && strings.TrimSpace(row) != "" {
			all = append(all, line{{row, plain}})
			row = indent + "  "
		}
		if strings.TrimSpace(row) != "" {
			row += " "
		}
		row += word
	}
	return append(all, line{{row, plain}})
}

// details are the checks and the last events of a release.
func (f *frame) details(v *rollout.View) (all []line) {
	var checks bytes.Buffer
	if showChecks(&checks, v.Verdict.Checks) == nil { // a buffer takes everything
		for text := range strings.Lines(checks.String()) {
			all = append(all, line{{strings.TrimRight("  "+text, " \n"), plain}})
		}
	}
	if len(v.History) > 0 {
		all = append(all, nil)
	}
	for _, e := range slices.Backward(v.History[max(0, len(v.History)-recent):]) {
		all = append(all, line{{"  " + clock(e.Time, f.zone) + "  " + pad(string(e.Kind), 12) + e.Weight.String() + "  " + because(e), dim}})
	}
	return all
}

// pad fills a text up.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(1, columns-len([]rune(text))))
}

// towards is how far the evidence against the canary has come, from 0 to 1, on the scale on which evidence adds up.
func towards(checks []analysis.CheckVerdict) float64 {
	var most float64
	for i := range checks {
		if c := &checks[i]; c.Critical && !c.Muted && c.Needed > 1 && c.Evidence > 1 {
			most = max(most, min(1, math.Log(c.Evidence)/math.Log(c.Needed)))
		}
	}
	return most
}

func phaseStyle(v *rollout.View) style {
	switch {
	case v.Phase == rollout.PhaseRolledBack:
		return red
	case v.Phase == rollout.PhasePromoted:
		return green
	case v.Pause != "" || v.Hold != "" || v.NeedsPerson:
		return amber
	}
	return bold
}

func verdictStyle(c analysis.Class) style {
	switch c {
	case analysis.Fail:
		return red
	case analysis.Pass:
		return green
	case analysis.Marginal:
		return amber
	}
	return plain
}
