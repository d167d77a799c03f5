package notify

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"haldane/config"
)

// secretLongest bounds a file that holds a URL or a secret.
const secretLongest = 16 << 10

// secretShortest is the shortest key of a signature.
const secretShortest = 16

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
		address, err := secret(t.URL, t.URLFile)
		if err != nil {
			return nil, fmt.Errorf("read the URL of the notification target %s: %w", name, err)
		}
		if config.WebAddress(address) != nil {
			return nil, fmt.Errorf("the notification target %s: there is no URL in %s", name, t.URLFile)
		}
		key, err := secret(t.Secret, t.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("read the secret of the notification target %s: %w", name, err)
		}
		if t.SecretFile != "" && len(key) < secretShortest {
			return nil, fmt.Errorf("the notification target %s: a secret has at least %d characters, that in %s has %d",
				name, secretShortest, t.SecretFile, len(key))
		}
		s.targets[name] = target{
			door: door{
				kind: t.Type, url: address, secret: key,
				timeout: time.Duration(t.Timeout), giveUp: time.Duration(t.GiveUp),
			},
			when: t.When, services: slices.Clone(t.Services),
		}
	}
	return s, nil
}

// secret is what was written, or what the file holds, without the space around it.
func secret(written config.Secret, file string) (string, error) {
	if file == "" {
		return string(written), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", file)
	}
	text, err := io.ReadAll(io.LimitReader(f, secretLongest+1))
	if err != nil {
		return "", err
	}
	if len(text) > secretLongest {
		return "", errors.New(file + " is too long")
	}
	return strings.TrimSpace(string(text)), nil
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
