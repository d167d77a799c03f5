package cli

import (
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// forecast is what the flags of check say about it.
type forecast struct {
	rate   float64 // requests a second; 0 for a table of usual ones
	errors config.Percent
	live   bool          // ask the running process for both
	over   time.Duration // for how long its traffic is looked at
}

// usualRates are the rates of the short table.
func usualRates() []float64 { return []float64{10, 100, 1000} }

func (f *forecast) validate() error {
	if f.rate < 0 || math.IsInf(f.rate, 0) || math.IsNaN(f.rate) {
		return wrongUsage("--rate: %v is no number of requests per second", f.rate)
	}
	if f.live && f.rate > 0 {
		return wrongUsage("--rate and --from-live: the rate comes from one of them")
	}
	if f.over <= 0 {
		return wrongUsage("--over: %v is no time to look at traffic", f.over)
	}
	return nil
}

// policyForecast is what the releases of some services can find out, and its JSON.
type policyForecast struct {
	Policy   string   `json:"policy"`
	Services []string `json:"services"`
	// Words say what the policy does, Timeline when.
	Words    []string       `json:"words"`
	Timeline []rollout.Span `json:"timeline"`
	// Rates holds one forecast for each rate.
	Rates []rollout.Forecast `json:"rates"`

	detailed bool // told step by step
}

// of forecasts every policy that a release uses.
func (f *forecast) of(cfg *config.Config) []policyForecast {
	releases := releasesOf(cfg)
	rates := usualRates()
	if f.rate > 0 {
		rates = []float64{f.rate}
	}
	var list []policyForecast
	for i := range releases {
		policy := releases[i].policy
		p := newPolicyForecast(releases[i].name, releases[i].services, &policy)
		p.detailed = f.rate > 0
		for _, rate := range rates {
			p.Rates = append(p.Rates, newForecast(&policy, traffic{rate, f.errors.Ratio()}))
		}
		list = append(list, p)
	}
	return list
}

// newForecast forecasts a policy for some traffic.
func newForecast(p *config.Policy, t traffic) rollout.Forecast {
	return rollout.NewForecast(p, t.rate, t.errors)
}

// showChecked says that a file is good, and what its releases can find out.
func showChecked(w io.Writer, r *checkResult) error {
	if err := say(w, "%s is valid\n", r.File); err != nil {
		return err
	}
	for i := range r.Forecasts {
		p := &r.Forecasts[i]
		if err := say(w, "\npolicy %s (%s):\n", p.Policy, strings.Join(p.Services, ", ")); err != nil {
			return err
		}
		if err := p.explain(w); err != nil {
			return err
		}
		if err := say(w, "\n  what it finds, with stable failing %s:\n", percent(p.Rates[0].StableErrors)); err != nil {
			return err
		}
		show := p.table
		if p.detailed {
			show = p.steps
		}
		if err := show(w); err != nil {
			return err
		}
	}
	return nil
}

// steps tells one rate step by step.
func (p *policyForecast) steps(w io.Writer) error {
	if len(p.Rates[0].Stages) == 0 {
		return say(w, "  nothing: there is no traffic\n")
	}
	for _, s := range p.Rates[0].Stages {
		if err := say(w, "%s", wrapped(s.Sentence, "  ", "    ")); err != nil {
			return err
		}
	}
	for _, sentence := range p.Rates[0].RiseSentences() {
		if err := say(w, "%s", wrapped(sentence, "  ", "    ")); err != nil {
			return err
		}
	}
	return say(w, "  in all %s; in the end %s decides\n", p.Rates[0].Takes, decidedBy(&p.Rates[0]))
}

// table tells several rates by what is known at their end.
func (p *policyForecast) table(w io.Writer) error {
	rows := newGrid(w)
	head := []string{"REQUESTS/S", "TAKES"}
	var last []rollout.CheckForecast // of the last stage on which something is compared
	for _, s := range p.Rates[0].Stages {
		if len(s.Checks) > 0 {
			last = s.Checks
		}
	}
	for _, c := range last {
		head = append(head, "FINDS "+strings.ToUpper(c.Name))
	}
	rows.row(append(head, "DECIDED BY")...)
	for i := range p.Rates {
		f := &p.Rates[i]
		cells := []string{strconv.FormatFloat(f.PerSecond, 'f', -1, 64), f.Takes.String()}
		for _, c := range last {
			cells = append(cells, found(f, c.Name))
		}
		rows.row(append(cells, decidedBy(f))...)
	}
	return rows.flush()
}

// found is what a check finds before the end.
func found(f *rollout.Forecast, check string) string {
	text := ""
	for _, s := range f.Stages {
		for _, c := range s.Checks {
			switch {
			case c.Name != check:
			case c.Slower > 0:
				text = "x " + strconv.FormatFloat(c.Slower, 'f', 2, 64)
			case c.Finds > 0:
				text = percent(c.Finds)
			}
		}
	}
	return text
}

// decidedBy is who decides in the end.
func decidedBy(f *rollout.Forecast) string {
	if f.Asks {
		return "a person"
	}
	return "Haldane"
}
