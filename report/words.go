package report

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"haldane/config"
)

// Sentence is the result for people, without the rule.
func (s *Summary) Sentence() string {
	switch s.Result {
	case Promoted:
		return s.Canary + " was promoted"
	case RolledBack:
		return s.Canary + " was rolled back to " + s.Stable
	case Aborted:
		return s.Canary + " was taken back to " + s.Stable + " by order"
	case Superseded:
		return s.Canary + " was superseded before it was decided"
	}
	return s.Canary + ": " + string(s.Result)
}

// Took is the time from the first step to the end; zero when it never began.
func (s *Summary) Took() time.Duration {
	if s.Started.IsZero() {
		return 0
	}
	return max(0, s.Ended.Sub(s.Started))
}

// span is a duration for people.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		d = d.Round(10 * time.Microsecond)
	case d < time.Second:
		d = d.Round(time.Millisecond)
	case d < time.Minute:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Second)
	}
	return config.Duration(d).String()
}

// instant is a moment for people; the zone is UTC, because a report is read elsewhere.
func instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// percent is a ratio for people.
func percent(ratio float64) string { return strconv.FormatFloat(100*ratio, 'f', 2, 64) + " %" }

// whole is a number with its thousands apart.
func whole(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// odds is "1 in N" against chance.
func odds(n float64) string { return "1 in " + whole(uint64(math.Round(max(1, min(n, 1e15))))) }

// shareOf is a bad share with the requests behind it.
func shareOf(rate float64, bad, total uint64) string {
	if total == 0 {
		return "none"
	}
	return percent(rate) + " (" + whole(bad) + " of " + whole(total) + ")"
}

// who is the actor.
func who(actor string) string {
	if actor == "" {
		return "haldane"
	}
	return actor
}

// why is the reason with the numbers behind it.
func (m *Moment) why() string {
	switch {
	case m.Numbers == "":
		return m.Reason
	case m.Reason == "":
		return m.Numbers
	}
	return m.Reason + " [" + m.Numbers + "]"
}

// verdict is class and score of a check, and whether it counts.
func (c *Check) verdict() string {
	text := c.Class + " " + strconv.FormatFloat(c.Score, 'f', 0, 64)
	switch {
	case c.Muted:
		text += " (muted)"
	case !c.Critical:
		text += " (not critical)"
	}
	if !c.FailedAt.IsZero() {
		text += ", failed at " + instant(c.FailedAt)
	}
	return text
}

// stable is stable's side of a check.
func (c *Check) stable() string {
	switch {
	case c.Alone:
		return "not compared"
	case c.StableText != "":
		return c.StableText
	}
	return shareOf(c.StableRate, c.StableBad, c.StableTotal)
}

// budget is the stop-loss in words.
func (b *Budget) words() string {
	text := whole(b.Spent) + " failed canary requests, no limit"
	if b.Limit > 0 {
		text = whole(b.Spent) + " of " + whole(b.Limit) + " failed canary requests"
	}
	for _, k := range b.Kinds {
		if k.Kind != "failed_requests" { // they stand first
			text += "; " + whole(k.Spent) + " of " + whole(k.Limit) + " " + k.Words
		}
	}
	return text
}

// plain is text in one line, without what a screen obeys: control characters, and format characters that reorder or hide text.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// facts are the lines at the head of a report: a name and what there is to say.
func (r *Report) facts() [][2]string {
	took := ""
	if !r.Started.IsZero() {
		took = span(r.Took())
	}
	list := [][2]string{
		{"Service", r.Service},
		{"Release", r.Stable + " → " + r.Canary},
		{"Build of the canary", r.Identity},
		{"Rollout", r.ID + ", attempt " + strconv.Itoa(r.Attempt)},
		{"Policy", r.Policy + " (" + r.PolicyHash + ")"},
		{"Configuration", r.Configuration},
		{"Created", instant(r.Created)},
		{"Began", instant(r.Started)},
		{"Ended", instant(r.Ended)},
		{"Took", took},
		{"Budget spent", r.Budget.words()},
	}
	list = append(list, r.Relations.facts()...)
	kept := list[:0]
	for _, fact := range list {
		if fact[1] != "" {
			kept = append(kept, fact)
		}
	}
	return kept
}

// table is a part of a report as both forms show it.
type table struct {
	title   string
	columns []string
	rows    [][]string
}

// tables are the parts of a report that have something in them.
func (r *Report) tables() []table {
	all := []table{r.variantTable(), r.endpointTable(), r.checkTable(), r.stepTable(), r.waitTable(), r.orderTable(), r.momentTable()}
	kept := all[:0]
	for _, t := range all {
		if len(t.rows) > 0 {
			kept = append(kept, t)
		}
	}
	return kept
}

func (r *Report) variantTable() table {
	t := table{title: "Requests while users were on the canary", columns: []string{"Variant", "Role", "Requests", "Failed", "Share"}}
	for _, v := range r.Variants {
		share := "none"
		if v.Requests > 0 {
			share = percent(float64(v.Failed) / float64(v.Requests))
		}
		t.rows = append(t.rows, []string{v.Name, v.Role, whole(v.Requests), whole(v.Failed), share})
	}
	return t
}

func (r *Report) checkTable() table {
	t := table{title: "Evidence", columns: []string{"Check", "Verdict", "Canary", "Stable", "Allowed", "Evidence", "Needed", "In words"}}
	for i := range r.Checks {
		c := &r.Checks[i]
		t.rows = append(t.rows, []string{
			c.Name, c.verdict(), cmp.Or(c.CanaryText, shareOf(c.CanaryRate, c.CanaryBad, c.CanaryTotal)), c.stable(),
			cmp.Or(c.AllowedText, c.allowed()),
			odds(c.Evidence), odds(c.Needed), c.Sentence,
		})
	}
	return t
}

// allowed is what the canary may fail, where that is known: a quantile that nobody has been slower than yet allows nothing.
func (c *Check) allowed() string {
	if c.Allowed == 0 && c.CanaryTotal == 0 && c.StableTotal == 0 {
		return "unknown"
	}
	return percent(c.Allowed)
}

// title is the step's name, behind that of its stage if it has one.
func (s *Step) title() string {
	if s.Stage == "" {
		return s.Name
	}
	return s.Stage + ": " + s.Name
}

func (r *Report) stepTable() table {
	t := table{title: "Steps", columns: []string{"Step", "Weight", "Entered", "Took"}}
	for _, s := range r.Steps {
		t.rows = append(t.rows, []string{s.title(), s.Weight.String(), instant(s.Entered), span(s.Left.Sub(s.Entered))})
	}
	return t
}

func (r *Report) waitTable() table {
	t := table{title: "When the clock stood still", columns: []string{"Kind", "From", "Took", "Reason"}}
	for _, w := range r.Waits {
		t.rows = append(t.rows, []string{w.Kind, instant(w.From), span(w.To.Sub(w.From)), w.Reason})
	}
	return t
}

func (r *Report) orderTable() table {
	t := table{title: "Orders", columns: []string{"Time", "By", "What", "Step", "Weight", "Why"}}
	for _, o := range r.Orders {
		t.rows = append(t.rows, []string{instant(o.Time), o.Actor, o.What, o.Step, o.Weight.String(), o.Why})
	}
	return t
}

func (r *Report) momentTable() table {
	t := table{title: "Timeline", columns: []string{"Time", "What", "Step", "Weight", "By", "Why"}}
	for i := range r.Moments {
		m := &r.Moments[i]
		t.rows = append(t.rows, []string{instant(m.Time), m.Kind, m.Step, m.Weight.String(), who(m.Actor), m.why()})
	}
	return t
}
