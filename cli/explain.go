package cli

import (
	"fmt"
	"io"
	"strings"

	"haldane/config"
	"haldane/rollout"
)

// barLength is the length of a bar that stands for all traffic.
const barLength = 20

// explain tells a policy in words and draws its timeline.
func (p *policyForecast) explain(w io.Writer) error {
	for _, sentence := range p.Words {
		if err := say(w, "%s", wrapped(sentence, "  ", "    ")); err != nil {
			return err
		}
	}
	if err := say(w, "\n"); err != nil {
		return err
	}
	rows := newGrid(w)
	rows.row("  STEP", "WEIGHT", "|"+strings.Repeat(" ", barLength-1)+"100%", "BEGINS AFTER", "LASTS")
	for _, s := range p.Timeline {
		lasts := ""
		if s.Most > 0 {
			lasts = between(s.Least, s.Most)
		}
		if s.Asks {
			lasts += ", and an approval"
		}
		rows.row("  "+s.Name, s.Weight.String(), bar(s.Weight), between(s.Earliest, s.Latest), lasts)
	}
	return rows.flush()
}

// bar draws a share. What is not nothing is seen.
func bar(share config.Percent) string {
	n := int(share.Ratio()*barLength + 0.5)
	if share > 0 {
		n = max(1, n)
	}
	return "|" + strings.Repeat("#", n) + strings.Repeat(".", barLength-n) + "|"
}

// between is a time of which the bounds are known.
func between(least, most config.Duration) string {
	if least == most {
		return least.String()
	}
	return fmt.Sprintf("%s to %s", least, most)
}

// newPolicyForecast explains a policy; its forecasts are still to come.
func newPolicyForecast(name string, services []string, policy *config.Policy) policyForecast {
	return policyForecast{
		Policy: name, Services: services, Words: rollout.Explain(policy), Timeline: rollout.Timeline(policy), Rates: []rollout.Forecast{},
	}
}
