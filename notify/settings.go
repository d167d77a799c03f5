package notify

import (
	"fmt"
	"path"
	"slices"
	"time"

	"haldane/config"
	"haldane/webhook"
)

// Settings is a section of the configuration that was understood, with what its files hold. It is never changed.
type Settings struct {
	link      string
	holdAfter time.Duration
	targets   map[string]target
}

// target is one place that messages go to, and which ones do.
type target struct {
	door
	when     string
	services []string // names and patterns; none for all
}

// door is how a target is reached. Two doors that are equal are the same.
type door struct {
	kind            string // config.TargetSlack, and so on
	url, secret     string
	timeout, giveUp time.Duration
}

// Read understands a section that config has validated, and reads the files it names. An error shows no secret.
func Read(section *config.Notifications) (*Settings, error) {
	s := &Settings{link: section.Link, holdAfter: time.Duration(section.HoldAfter), targets: make(map[string]target, len(section.Targets))}
	for name, t := range section.Targets {
		to, err := webhook.Source{URL: t.URL, URLFile: t.URLFile, Secret: t.Secret, SecretFile: t.SecretFile}.Read()
		if err != nil {
			return nil, fmt.Errorf("the notification target %s: %w", name, err)
		}
		s.targets[name] = target{
			door: door{
				kind: t.Type, url: to.URL, secret: to.Secret,
				timeout: time.Duration(t.Timeout), giveUp: time.Duration(t.GiveUp),
			},
			when: t.When, services: slices.Clone(t.Services),
		}
	}
	return s, nil
}

// wants says whether the target is to be told.
func (t *target) wants(m *message) bool {
	if !t.covers(m.service) {
		return false
	}
	switch t.when {
	case config.WhenAll:
		return true
	case config.WhenEnded:
		return m.needs != "" || m.ended
	}
	return m.needs != ""
}

// covers says whether the target is about the service; an empty one stands for the whole process.
func (t *target) covers(service string) bool {
	return len(t.services) == 0 || service != "" && slices.ContainsFunc(t.services, func(pattern string) bool {
		matched, err := path.Match(pattern, service)
		return err == nil && matched
	})
}
