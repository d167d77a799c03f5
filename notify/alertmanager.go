package notify

import (
	"encoding/json"
	"time"
)

// alertsPath is where the API v2 of an Alertmanager takes alerts.
const alertsPath = "api/v2/alerts"

const (
	// alertLife is how long an alert lasts that is not told again. It is that of four times told.
	alertLife = 5 * time.Minute
	// alertEvery is how often an alert is told again.
	alertEvery = time.Minute
)

// postableAlert is an alert as the API takes it.
type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// alertmanager is a message for an Alertmanager. Only the labels say which alert it is; all of them come from small sets.
func alertmanager(m *message) ([]byte, error) {
	a := postableAlert{
		Labels: map[string]string{
			"alertname": "HaldaneNeedsPerson", "reason": m.needs, "severity": "warning",
		},
		Annotations:  map[string]string{"summary": m.text},
		StartsAt:     m.alert.starts.UTC(),
		EndsAt:       m.alert.ends.UTC(),
		GeneratorURL: m.link,
	}
	if m.service != "" {
		a.Labels["service"] = m.service
	}
	if len(m.actions) > 0 {
		var text string
		for i, action := range m.actions {
			if i > 0 {
				text += "; "
			}
			text += "to " + action.does + ": " + action.command
		}
		a.Annotations["description"] = text
	}
	return json.Marshal([]postableAlert{a})
}
