package hooks

import (
	"encoding/json"
	"fmt"
	"strconv"

	"haldane/config"
	"haldane/rollout"
)

// payload is what a hook is sent. What is empty is left out.
type payload struct {
	// ID is the same when the same thing is asked or told again.
	ID       string            `json:"id"`
	Hook     string            `json:"hook"`
	Point    string            `json:"point"`
	Question int               `json:"question,omitempty"` // counts from 1 on each step
	Service  string            `json:"service"`
	Rollout  string            `json:"rollout"`
	Attempt  int               `json:"attempt,omitempty"`
	Stable   string            `json:"stable,omitempty"`
	Canary   string            `json:"canary,omitempty"`
	Policy   string            `json:"policy,omitempty"`
	Phase    string            `json:"phase"`
	Step     int               `json:"step,omitempty"` // from 1
	Steps    int               `json:"steps,omitempty"`
	StepName string            `json:"step_name,omitempty"`
	Weight   config.Percent    `json:"weight"`
	Verdict  *verdict          `json:"verdict,omitempty"`
	Checksum string            `json:"checksum,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Event    *happened         `json:"event,omitempty"`
}

// verdict is the judge's last word.
type verdict struct {
	Class    string  `json:"class"`
	Score    float64 `json:"score"`
	Sentence string  `json:"sentence"`
}

// happened is an event.
type happened struct {
	Kind    rollout.EventKind `json:"kind"`
	Time    string            `json:"time"`
	Reason  string            `json:"reason,omitempty"`
	Numbers string            `json:"numbers,omitempty"`
	Actor   string            `json:"actor,omitempty"`
	Trigger rollout.Trigger   `json:"trigger,omitempty"`
}

// asked is a question as JSON.
func asked(q *rollout.Question, metadata map[string]string) payload {
	p := payload{
		ID: q.ID(), Hook: q.Hook, Point: q.Point, Question: q.Turn, Service: q.Service, Rollout: q.Place.Rollout, Attempt: q.Attempt,
		Stable: q.Stable, Canary: q.Canary, Policy: q.Policy, Phase: q.Phase.String(), Step: q.Step, Steps: q.Steps,
		StepName: q.StepName, Weight: q.Weight, Checksum: q.Checksum, Metadata: metadata,
	}
	if q.Class != "" {
		p.Verdict = &verdict{Class: q.Class, Score: q.Score, Sentence: q.Sentence}
	}
	return p
}

// told is an event as JSON, with what is known of the rollout now.
func told(e *rollout.Event, about *rollout.Question, hook string, metadata map[string]string) payload {
	p := payload{
		ID: e.Rollout + "-" + strconv.FormatUint(e.Sequence, 10), Hook: hook, Point: config.HookEvent, Service: e.Service, Rollout: e.Rollout,
		Phase: e.Phase.String(), Step: e.Step + 1, StepName: e.StepName, Weight: e.Weight, Metadata: metadata,
		Event: &happened{
			Kind: e.Kind, Time: e.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Reason: e.Reason, Numbers: e.Numbers,
			Actor: e.Actor, Trigger: e.Trigger,
		},
	}
	if about.Place.Rollout == e.Rollout {
		p.Attempt, p.Stable, p.Canary, p.Policy = about.Attempt, about.Stable, about.Canary, about.Policy
		p.Steps, p.Checksum = about.Steps, about.Checksum
		if about.Class != "" {
			p.Verdict = &verdict{Class: about.Class, Score: about.Score, Sentence: about.Sentence}
		}
	}
	return p
}

// body is the payload as bytes.
func (p *payload) body() ([]byte, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write what a hook is sent: %w", err)
	}
	return text, nil
}
