package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/rollout"
)

// recent is how many events the status of one rollout shows.
const recent = 5

// say prints text as it is.
func say(w io.Writer, format string, args ...any) error {
	_, err := io.WriteString(w, printable(fmt.Sprintf(format, args...)))
	return err
}

// showRollouts is the overview: a row and a few sentences for each rollout.
func showRollouts(w io.Writer, views []rollout.View) error {
	if len(views) == 0 {
		return say(w, "no rollouts: no service of the configuration names a canary\n")
	}
	rows := newGrid(w)
	rows.row("SERVICE", "PHASE", "STEP", "WEIGHT", "VERDICT", "TIME", "BUDGET LEFT")
	for _, v := range views {
		rows.row(v.Service, phase(v), step(v), exposure(v), verdict(v.Verdict), elapsed(v), budget(v))
	}
	if err := rows.flush(); err != nil {
		return err
	}
	for _, v := range views {
		if err := say(w, "\n%s: %s -> %s\n%s", v.Service, v.Stable, v.Canary, sentences(v)); err != nil {
			return err
		}
	}
	return nil
}

// showRollout is everything that matters about one rollout.
func showRollout(w io.Writer, v rollout.View, zone *time.Location) error {
	rows := newGrid(w)
	rows.row("service", v.Service)
	rows.row("release", v.Stable+" -> "+v.Canary)
	rows.row("rollout", fmt.Sprintf("%s, attempt %d, policy %s", v.ID, v.Attempt, v.Policy))
	rows.row("phase", phase(v))
	for _, line := range relations(v) {
		rows.row(line[0], line[1])
	}
	rows.row("step", strings.Join(slices.DeleteFunc([]string{step(v), v.Stage.Name, elapsed(v)}, isEmpty), ", "))
	rows.row("weight", exposure(v))
	if v.Stage.Rest != "" {
		rows.row("rest", v.Stage.Rest)
	}
	rows.row("verdict", verdict(v.Verdict))
	rows.row("budget left", budget(v))
	if err := rows.flush(); err != nil {
		return err
	}
	if err := say(w, "\n%s", sentences(v)); err != nil {
		return err
	}
	if f := v.Stage.Forecast; f != nil && f.Sentence != "" {
		if err := say(w, "\n%s", wrapped("forecast: "+f.Sentence, "  ", "    ")); err != nil {
			return err
		}
	}
	if err := showChecks(w, v.Verdict.Checks); err != nil {
		return err
	}
	if err := showGates(w, &v.Gates); err != nil {
		return err
	}
	if len(v.History) == 0 {
		return nil
	}
	if err := say(w, "\n"); err != nil {
		return err
	}
	return showHistory(w, v.History[max(0, len(v.History)-recent):], zone)
}

func isEmpty(text string) bool { return text == "" }

// showChecks is a table of the checks with their numbers.
func showChecks(w io.Writer, checks []analysis.CheckVerdict) error {
	if len(checks) == 0 {
		return nil
	}
	rows := newGrid(w)
	rows.line("")
	rows.row("CHECK", "VERDICT", "CANARY", "STABLE", "ALLOWED", "EVIDENCE", "NEEDED")
	for _, c := range checks {
		canary, stable, allowed := share(c.CanaryRate, c.CanaryTotal), share(c.StableRate, c.StableTotal), percent(c.Allowed)
		if c.Allowed == 0 && c.CanaryTotal == 0 && c.StableTotal == 0 {
			allowed = "-" // it depends on stable, of which nothing is known yet
		}
		if c.Metric {
			canary, stable, allowed = c.CanaryText(), c.StableText(), c.AllowedText()
		}
		evidence, needed := odds(c.Evidence), odds(c.Needed)
		if c.Threshold { // nothing is proven by it
			evidence, needed = "threshold", fmt.Sprintf("%d beyond in a row", c.Beyond)
		}
		rows.row(c.Name, checkVerdict(&c), canary, stable, allowed, evidence, needed)
	}
	return rows.flush()
}

// checkVerdict is the class and the score of a check, and whether it counts.
func checkVerdict(c *analysis.CheckVerdict) string {
	text := fmt.Sprintf("%v %.0f", c.Class, c.Score)
	if c.Cause != "" {
		text += " (" + c.Cause + ")"
	}
	if c.Muted {
		text += " (muted)"
	}
	return text
}

// showHistory is a table of events, each with its reason below it: reasons are long.
func showHistory(w io.Writer, events []rollout.Event, zone *time.Location) error {
	if len(events) == 0 {
		return say(w, "nothing has happened yet\n")
	}
	var table bytes.Buffer
	rows := newGrid(&table)
	rows.row("TIME", "EVENT", "STEP", "WEIGHT", "BY")
	for _, e := range events {
		actor := e.Actor
		if actor == "" {
			actor = "haldane"
		}
		rows.row(day(e.Time, zone), string(e.Kind), strconv.Itoa(e.Step+1), e.Weight.String(), actor)
	}
	if err := rows.flush(); err != nil {
		return err
	}
	head, lines, _ := strings.Cut(table.String(), "\n")
	if _, err := fmt.Fprintln(w, head); err != nil {
		return err
	}
	for i, line := range slices.Collect(strings.Lines(lines)) {
		if err := say(w, "%s%s", line, wrapped(because(events[i]), "    ", "    ")); err != nil {
			return err
		}
	}
	return nil
}

// showOutcome is one line after a command.
func showOutcome(w io.Writer, v rollout.View) error {
	who := v.Canary + " gets " + exposure(v)
	if v.Override != "" {
		who = v.Override + " gets all traffic (override)"
	}
	text := fmt.Sprintf("%s is %s, step %s; %s", v.Service, phase(v), step(v), who)
	if v.Next != "" {
		text += "; next: " + v.Next
	}
	return say(w, "%s\n", text)
}

// because is why something happened, with the numbers that led there.
func because(e rollout.Event) string {
	switch {
	case e.Numbers == "":
		return e.Reason
	case e.Reason == "":
		return e.Numbers
	}
	return e.Reason + " [" + e.Numbers + "]"
}

// sentences say in words how it stands and what happens next, indented.
func sentences(v rollout.View) string {
	var out strings.Builder
	add := func(text string) {
		if text != "" {
			out.WriteString("  " + strings.ReplaceAll(text, "\n", " ") + "\n")
		}
	}
	label := ""
	if v.Hold != "" {
		label = "held: "
	}
	if v.Reason != "" {
		add(label + v.Reason)
	}
	if sentence := v.Verdict.Sentence(); sentence != v.Reason {
		add(sentence)
	}
	for _, note := range v.Notes {
		add("note: " + note)
	}
	if v.Next != "" {
		add("next: " + v.Next)
	}
	for _, missing := range v.WaitingFor {
		add("  waits for: " + missing)
	}
	return out.String()
}

// phase is the phase with what stops it.
func phase(v rollout.View) string {
	switch {
	case v.Pause != "":
		return fmt.Sprintf("%v (%s)", v.Phase, v.Pause)
	case v.Hold != "":
		return fmt.Sprintf("%v (held: %s)", v.Phase, v.Hold)
	}
	return v.Phase.String()
}

// step is "2/4", with the named stage that it belongs to.
func step(v rollout.View) string {
	text := fmt.Sprintf("%d/%d", min(v.Step+1, v.Steps), v.Steps)
	if v.Stage.Stage != "" {
		text += " of stage " + v.Stage.Stage
	}
	return text
}

// exposure is who is on the canary.
func exposure(v rollout.View) string {
	if v.Override != "" {
		return "all to " + v.Override + " (override)"
	}
	text := v.Weight.String()
	if group := config.JoinGroup(v.Segment, v.OptIn); group != "" {
		text += fmt.Sprintf(" and %s of %s", v.Strength, group)
	}
	return text
}

// verdict is the class and the score.
func verdict(v analysis.Verdict) string {
	if len(v.Checks) == 0 {
		return ""
	}
	return fmt.Sprintf("%v %.0f", v.Class, v.Score)
}

// elapsed is the time that counts, and how much of it the step needs.
func elapsed(v rollout.View) string {
	switch v.Phase {
	case rollout.PhaseProgressing, rollout.PhasePaused, rollout.PhaseBaking:
		return fmt.Sprintf("%v of %v", time.Duration(v.Stage.Elapsed).Truncate(time.Second), v.Stage.Duration)
	default:
		return ""
	}
}

// budget is what is left of the stop-loss.
func budget(v rollout.View) string {
	if len(v.Budget.Kinds) == 0 && v.Budget.Limit > 0 { // a Haldane that knows one kind
		return fmt.Sprintf("%d of %d", v.Budget.Left, v.Budget.Limit)
	}
	return v.Budget.Words()
}

// share is a rate with the number of requests behind it.
func share(rate float64, total uint64) string {
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%s of %d", percent(rate), total)
}

// percent is a ratio for people.
func percent(ratio float64) string { return strconv.FormatFloat(100*ratio, 'f', 2, 64) + "%" }

// odds is "1 in N" against chance.
func odds(n float64) string { return "1 in " + strconv.FormatFloat(n, 'f', 0, 64) }
