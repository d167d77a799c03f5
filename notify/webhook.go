package notify

import (
	"encoding/json"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// event is a message in the envelope of CloudEvents 1.0, structured mode (CloudEvents specification 1.0.2 section 3, JSON
// event format section 3).
type event struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            data      `json:"data"`
}

// data is what happened. What is empty is left out.
type data struct {
	Text        string   `json:"text"`
	Kind        string   `json:"kind"`
	NeedsPerson bool     `json:"needs_person"`
	Needs       string   `json:"needs,omitempty"`
	Commands    []string `json:"commands,omitempty"`
	Link        string   `json:"link,omitempty"`
	// Links do what their keys say with one click, without any other credential.
	Links   map[rollout.CommandKind]string `json:"links,omitempty"`
	Events  int                            `json:"events"`
	Kinds   []string                       `json:"kinds"`
	Service string                         `json:"service,omitempty"`
	Rollout string                         `json:"rollout,omitempty"`
	Attempt int                            `json:"attempt,omitempty"`
	Stable  string                         `json:"stable,omitempty"`
	Canary  string                         `json:"canary,omitempty"`
	Policy  string                         `json:"policy,omitempty"`
	Phase   string                         `json:"phase,omitempty"`
	Pause   rollout.Pause                  `json:"pause,omitempty"`
	Hold    rollout.Hold                   `json:"hold,omitempty"`
	Step    int                            `json:"step,omitempty"` // from 1
	Steps   int                            `json:"steps,omitempty"`
	Weight  *config.Percent                `json:"weight,omitempty"`
	Reason  string                         `json:"reason,omitempty"`
	Numbers string                         `json:"numbers,omitempty"`
	Actor   string                         `json:"actor,omitempty"`
	Trigger rollout.Trigger                `json:"trigger,omitempty"`

	Budget []rollout.LossView `json:"budget,omitempty"`
}

// cloudEvent is a message for a webhook.
func cloudEvent(m *message, source string) ([]byte, error) {
	d := data{
		Text: m.sentence(), Kind: m.kind, NeedsPerson: m.needs != "", Needs: m.needs, Link: m.link,
		Events: m.count, Kinds: m.kinds, Service: m.service,
	}
	for _, a := range m.actions {
		d.Commands = append(d.Commands, a.command)
		if a.link != "" {
			if d.Links == nil {
				d.Links = make(map[rollout.CommandKind]string)
			}
			d.Links[a.kind] = a.link
		}
	}
	kind := "haldane.configuration." + m.kind
	if m.service != "" {
		kind = "haldane.rollout." + m.kind
		d.tell(&m.facts)
	}
	return json.Marshal(event{
		SpecVersion: "1.0", ID: m.id, Source: source, Type: kind, Subject: m.service, Time: m.time.UTC(),
		DataContentType: "application/json", Data: d,
	})
}

// tell fills in what is known of the rollout.
func (d *data) tell(f *facts) {
	e, v := &f.event, &f.view
	d.Rollout, d.Attempt, d.Stable, d.Canary, d.Policy = e.Rollout, v.Attempt, v.Stable, v.Canary, v.Policy
	d.Phase, d.Pause, d.Hold = e.Phase.String(), v.Pause, v.Hold
	d.Step, d.Steps, d.Weight = e.Step+1, v.Steps, &e.Weight
	d.Budget = v.Budget.Kinds
	d.Reason, d.Numbers, d.Actor, d.Trigger = plain(e.Reason), plain(e.Numbers), plain(e.Actor), e.Trigger
}
