package cli

import (
	"io"
	"math"
	"strconv"
	"strings"

	"haldane/config"
	"haldane/rollout"
)

// forecast is what the flags of check say about it.
type forecast struct {
	rate   float64 // requests a second; 0 for a table of usual ones
	errors config.Percent
}

// usualRates are the rates of the short table.
func usualRates() []float64 { return []float64{10, 100, 1000} }

func (f *forecast) validate() error {
	if f.rate < 0 || math.IsInf(f.rate, 0) || math.IsNaN(f.rate) {
		return wrongUsage("--rate: %v is no number of requests per second", f.rate)
	}
	return nil
}

// policyForecast is what the releases of some services can find out, and its JSON.
type policyForecast struct {
	Policy   string   `json:"policy"`
	Services []string `json:"services"`
	// Rates holds one forecast for each rate.
	Rates []rollout.Forecast `json:"rates"`

	detailed bool // told step by step
	words    []string
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
		p := policyForecast{
			Policy: releases[i].name, Services: releases[i].services, detailed: f.rate > 0, words: policyWords(&policy),
		}
		for _, rate := range rates {
			p.Rates = append(p.Rates, rollout.NewForecast(&policy, rate, f.errors.Ratio()))
		}
		list = append(list, p)
	}
	return list
}

// showChecked says that a file is good, and what its releases can find out.
func showChecked(w io.Writer, r *checkResult) error {
	if err := say(w, "%s is valid\n", r.File); err != nil {
		return err
	}
	for i := range r.Forecasts {
		p := &r.Forecasts[i]
		if err := say(w, "\npolicy %s (%s), stable failing %s:\n", p.Policy, strings.Join(p.Services, ", "), percent(p.Rates[0].StableErrors)); err != nil {
			return err
		}
		for _, text := range p.words {
			if err := say(w, "%s", wrapped(text, "  ", "    ")); err != nil {
				return err
			}
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
	for _, s := range p.Rates[0].Stages {
		if err := say(w, "%s", wrapped(s.Sentence, "  ", "    ")); err != nil {
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
