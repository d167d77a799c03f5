package config

import (
	"path/filepath"
	"strings"
)

// complete fills in the defaults that depend on other keys, and makes paths absolute: relative ones start at folder.
func (c *Config) complete(folder string, top place) {
	absolute := func(path *string) { *path = within(folder, *path) }
	absolute(&c.State.Directory)
	c.completeAdmin(absolute)
	c.eachTLS(top, func(f tlsFiles) {
		for _, path := range []*string{f.cert, f.key, f.authorities} {
			if path != nil {
				absolute(path)
			}
		}
	})
	if t := c.Listen.TLS; t != nil && t.ClientCAFile != "" && t.ClientAuth == "" {
		t.ClientAuth = ClientAuthRequire
	}
	c.Notifications.complete(absolute)
	absolute(&c.Prometheus.TokenFile)
	if c.Tracing != nil {
		absolute(&c.Tracing.HeadersFile)
	}
	for name, p := range c.Segments {
		p.eachFile(absolute)
		c.Segments[name] = p
	}
	if c.Policies == nil {
		c.Policies = make(map[string]Policy)
	}
	if _, ok := c.Policies[PolicyCareful]; !ok {
		c.Policies[PolicyCareful] = Careful()
	}
	for name, p := range c.Policies {
		p.complete(top.key("policies").key(name))
		c.Policies[name] = p
	}
	for name, s := range c.Services {
		s.complete()
		c.Services[name] = s
	}
}

// within is the absolute path of a file that is named in the folder.
func within(folder, path string) string {
	if path == "" || path == Off || filepath.IsAbs(path) {
		return path
	}
	joined := filepath.Join(folder, path)
	if whole, err := filepath.Abs(joined); err == nil {
		joined = whole
	}
	return joined
}

func (c *Config) completeAdmin(absolute func(*string)) {
	a := &c.Admin
	if a.Socket == "" {
		a.Socket = filepath.Join(c.State.Directory, "haldane.sock")
	}
	if a.TokenFile == "" && a.Token == "" {
		a.TokenFile = filepath.Join(c.State.Directory, "admin.token")
	}
	absolute(&a.Socket)
	absolute(&a.TokenFile)
	absolute(&a.ReadTokenFile)
	for i := range a.Hosts {
		a.Hosts[i] = strings.ToLower(a.Hosts[i])
	}
}

// eachFile lets change have every in_file of a predicate.
func (p *Predicate) eachFile(change func(*string)) {
	change(&p.InFile)
	for i := range p.All {
		p.All[i].eachFile(change)
	}
	for i := range p.Any {
		p.Any[i].eachFile(change)
	}
	if p.Not != nil {
		p.Not.eachFile(change)
	}
}

// complete gives a service with one variant its stable, and hosts the case that requests are matched in.
func (s *Service) complete() {
	if s.Stable == "" && len(s.Variants) == 1 {
		s.Stable = names(s.Variants)[0]
	}
	for i := range s.Match {
		s.Match[i].Host = strings.ToLower(s.Match[i].Host)
	}
}

// complete gives the steps what they take from the step before, from their duration and from their weight.
func (p *Policy) complete(at place) {
	p.Checks.complete(at.key("checks"))
	p.completeRamp(at.key("ramp"))
	var before Percent
	for i := range p.Steps {
		step, at := &p.Steps[i], at.key("steps").item(i)
		own := step.Weight
		if own == 0 && !at.key("weight").written() {
			step.Weight = before
		}
		if step.Name == "" {
			step.Name = step.title(own)
		}
		if !at.key("max_duration").written() {
			step.MaxDuration = max(step.MaxDuration, step.Duration)
		}
		before = step.Weight
	}
}

// title names a step by whom it exposes and by the weight that it brings itself: "testers", "5%", "testers and 5%".
func (s *Step) title(own Percent) string {
	switch {
	case s.Group() == "":
		return s.Weight.String()
	case own == 0:
		return s.Group()
	}
	return s.Group() + " and " + own.String()
}
