package admin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"haldane/admin/live"
	"haldane/analysis"
	"haldane/config"
	"haldane/rollout"
)

const (
	// fleetMost is how many services are listed; those with a rollout come first.
	fleetMost = 2000
	// measuredMost is how many of them are measured.
	measuredMost = 512
	// viewsMost is how many rollouts are read anew each second; where there are more, they are read more seldom.
	viewsMost = 256
)

// fleet is all services, as an overview shows them. It is guarded by the board.
type fleet struct {
	options *Options
	hub     *hub

	rows     []*fleetRow
	byName   map[string]*fleetRow
	unlisted int                 // services beyond fleetMost
	dirty    map[string]struct{} // services something has happened to
	outdated bool                // readers need the whole state
	rest     int                 // ticks until the rollouts are read anew
	idle     int                 // ticks without a reader
}

// fleetRow is one service.
type fleetRow struct {
	service Service
	summary []byte      // of its rollout, as readers have it; nil for none
	names   [2]string   // of the variants that are measured
	spark   *live.Spark // nil: not measured
}

// rolloutSummary is a rollout in an overview.
type rolloutSummary struct {
	// Service is whose it is. Stable, Canary, Policy, Attempt, Phase, Pause, Hold, Weight, Override, Step, Steps, Reason, Next, NeedsPerson, Entered and
	// Ended are those of its view.
	Service     string         `json:"service"`
	Stable      string         `json:"stable"`
	Canary      string         `json:"canary"`
	Policy      string         `json:"policy"`
	Attempt     int            `json:"attempt"`
	Phase       rollout.Phase  `json:"phase"`
	Pause       rollout.Pause  `json:"pause,omitempty"`
	Hold        rollout.Hold   `json:"hold,omitempty"`
	Weight      config.Percent `json:"weight"`
	Override    string         `json:"override,omitempty"`
	Step        int            `json:"step"`
	Steps       int            `json:"steps"`
	Reason      string         `json:"reason"`
	Next        string         `json:"next"`
	NeedsPerson bool           `json:"needs_person"`
	Entered     time.Time      `json:"entered,omitzero"`
	Ended       time.Time      `json:"ended,omitzero"`
	// Stage is the name of the running step, Class and Score the judge's last word; the score is rounded.
	Stage string         `json:"stage"`
	Class analysis.Class `json:"class"`
	Score int            `json:"score"`
}

func summarise(v *rollout.View) rolloutSummary {
	return rolloutSummary{
		Service: v.Service, Stable: v.Stable, Canary: v.Canary, Policy: v.Policy, Attempt: v.Attempt, Phase: v.Phase, Pause: v.Pause, Hold: v.Hold,
		Weight: v.Weight, Override: v.Override, Step: v.Step, Steps: v.Steps, Reason: v.Reason, Next: v.Next, NeedsPerson: v.NeedsPerson,
		Entered: v.Entered, Ended: v.Ended, Stage: v.Stage.Name, Class: v.Verdict.Class, Score: int(v.Verdict.Score + 0.5),
	}
}

func newFleet(options *Options, topics map[string]*topic) *fleet {
	f := &fleet{options: options, hub: newHub(boardRing), dirty: make(map[string]struct{}), byName: make(map[string]*fleetRow)}
	f.list(topics)
	return f
}

func (f *fleet) feed() *hub { return f.hub }

// wanted says whether the fleet is still to be measured.
func (f *fleet) wanted() bool {
	f.idle++
	if f.hub.watched() {
		f.idle = 0
	}
	return f.idle < lingerTicks
}

// list reads which services there are. What was measured of those that stay is kept.
func (f *fleet) list(topics map[string]*topic) {
	known, services, views := f.byName, f.options.Services(), f.options.Rollouts.Views()
	summaries := make(map[string][]byte, len(views))
	for i := range views {
		summaries[views[i].Service] = encoded(summarise(&views[i]))
	}
	slices.SortStableFunc(services, func(a, b Service) int {
		return cmp.Compare(min(1, len(summaries[b.Name])), min(1, len(summaries[a.Name])))
	})
	f.unlisted = max(0, len(services)-fleetMost)
	f.rows, f.byName = nil, make(map[string]*fleetRow, len(services))
	for i, service := range services[:len(services)-f.unlisted] {
		row := known[service.Name]
		if row == nil {
			row = &fleetRow{}
		}
		row.service, row.summary = service, summaries[service.Name]
		if row.measure(f.options, i < measuredMost) {
			if t := topics[service.Name]; t != nil {
				row.spark.Fill(t.track)
			}
		}
		f.rows, f.byName[service.Name] = append(f.rows, row), row
	}
}

// measure has the variants measured that are stable and canary now. first says that nothing was measured before.
func (r *fleetRow) measure(options *Options, wanted bool) (first bool) {
	if !wanted {
		r.spark = nil
		return false
	}
	names := [2]string{r.service.Stable, r.service.Canary}
	stable, canary := options.counter(r.service.Name, names[0]), options.counter(r.service.Name, names[1])
	switch {
	case r.spark == nil:
		r.spark, first = live.NewSpark(stable, canary), true
	case names != r.names:
		r.spark.Follow(stable, canary)
	}
	r.names = names
	return first
}

// tick measures one more second, and tells readers what has changed.
func (f *fleet) tick(now time.Time, topics map[string]*topic, reloaded bool) {
	if reloaded || f.outdated {
		f.list(topics)
	}
	rates := f.look(now)
	if !f.hub.watched() {
		return
	}
	if reloaded || f.outdated {
		f.outdated = false
		clear(f.dirty)
		f.hub.publish(frame{kind: kindState, data: f.state()})
		return
	}
	text := append([]byte(`{"at":`), strconv.FormatInt(now.Unix(), 10)...)
	text = append(append(text, `,"rates":`...), rates...)
	text = append(append(text, `,"rollouts":`...), f.changed()...)
	f.hub.publish(frame{kind: kindTick, data: append(text, '}')})
}

// look measures, and gives back what there was as an object of JSON, by service.
func (f *fleet) look(now time.Time) []byte {
	text := []byte{'{'}
	for _, row := range f.rows {
		if row.spark == nil || row.spark.Look(now) {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(text, encoded(row.service.Name)...), ':', '[')
		text = append(row.spark.AppendLast(text), ']')
	}
	return append(text, '}')
}

// changed are the summaries that differ from what readers have, as an array of JSON.
func (f *fleet) changed() []byte {
	f.rest--
	if len(f.dirty) == 0 && f.rest >= 0 {
		return []byte("[]")
	}
	views := f.options.Rollouts.Views()
	f.rest = len(views) / viewsMost
	clear(f.dirty)
	text := []byte{'['}
	for i := range views {
		row := f.byName[views[i].Service]
		if row == nil {
			continue
		}
		summary := encoded(summarise(&views[i]))
		if bytes.Equal(summary, row.summary) {
			continue
		}
		row.summary = summary
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(text, summary...)
	}
	return append(text, ']')
}

// fleetService is one service in the whole state.
type fleetService struct {
	Service string          `json:"service"`
	Stable  string          `json:"stable"`
	Canary  string          `json:"canary,omitempty"`
	Match   []string        `json:"match"`
	Rollout json.RawMessage `json:"rollout"`
	// Spark is null where nothing is measured.
	Spark json.RawMessage `json:"spark"`
}

// state is all services.
func (f *fleet) state() []byte {
	list := make([]fleetService, 0, len(f.rows))
	for _, row := range f.rows {
		one := fleetService{
			Service: row.service.Name, Stable: row.service.Stable, Canary: row.service.Canary, Match: append([]string{}, row.service.Match...),
			Rollout: row.summary,
		}
		if row.spark != nil {
			one.Spark = row.spark.Append(nil)
		}
		list = append(list, one)
	}
	return encoded(struct {
		Version  string         `json:"version"`
		Now      time.Time      `json:"now"`
		Config   Configuration  `json:"config"`
		Services []fleetService `json:"services"`
		Unlisted int            `json:"unlisted"`
	}{f.options.Version, time.Now(), f.options.Configuration(), list, f.unlisted})
}
