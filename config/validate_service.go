package config

import "strings"

func (v *validator) services(top place) {
	at := top.key("services")
	if len(v.c.Services) == 0 {
		v.problems.wrong(at, "at least one service is required")
	}
	taken := make(map[Match]taker, len(v.c.Services))
	for _, name := range names(v.c.Services) {
		at := at.key(name)
		v.name(at, "service", name)
		s := v.c.Services[name]
		v.service(&s, at, top)
		v.matches(matchRules{name, s.Match, at.key("match")}, taken)
	}
	v.units(at)
}

func (v *validator) service(s *Service, at, top place) {
	if len(s.Variants) == 0 && !v.problems.unread(at.key("variants")) {
		v.problems.wrong(at, "at least one variant is required")
	}
	for _, name := range names(s.Variants) {
		at := at.key("variants").key(name)
		v.name(at, "variant", name)
		variant := s.Variants[name]
		v.variant(&variant, at)
	}
	v.roles(s, at, top)
	v.split(s, at)
	v.pins(s, at)
	if s.Sticky != nil {
		v.sticky(s.Sticky, at.key("sticky"))
	}
	v.care(s, at)
	v.release(s, at, top)
	if s.VariantField != "" {
		v.check(at.key("variant_field"), fieldName(s.VariantField))
	}
	if s.RequestIDField != Off {
		v.check(at.key("request_id_field"), fieldName(s.RequestIDField))
	}
}

// roles checks stable, canary, policy and start.
func (v *validator) roles(s *Service, at, top place) {
	switch {
	case s.Stable != "":
		v.variantName(s, at, at.key("stable"), s.Stable)
	case s.Canary != "":
		v.problems.wrong(at, "a canary needs a stable variant; stable is missing")
	case len(s.Variants) > 1:
		v.problems.wrong(at, "with more than one variant, stable is required")
	}
	switch {
	case s.Canary != "" && s.Canary == s.Stable:
		v.problems.wrong(at.key("canary"), "the canary cannot be the stable variant %q itself", s.Stable)
	case s.Canary != "":
		v.variantName(s, at, at.key("canary"), s.Canary)
	}
	policy, known := v.c.Policies[s.Policy]
	if !known {
		v.reference(at.key("policy"), s.Policy, "policy", top.key("policies"), names(v.c.Policies))
	}
	v.countable(s, &policy, at.key("policy"))
	v.oneOf(at.key("start"), s.Start, StartAuto, StartManual)
}

// variantName reports a reference to a variant that the service does not have.
func (v *validator) variantName(s *Service, service, at place, name string) {
	if _, known := s.Variants[name]; known || len(s.Variants) == 0 {
		return // none at all is reported already
	}
	v.reference(at, name, "variant", service.key("variants"), names(s.Variants))
}

func (v *validator) split(s *Service, at place) {
	if len(s.Split) == 0 {
		return
	}
	in := at.key("split")
	if s.Canary != "" {
		v.problems.wrong(in, "split and canary exclude each other: a rollout makes its own split")
	}
	var sum Percent
	for _, name := range names(s.Split) {
		v.variantName(s, at, in.key(name), name)
		// Beyond the whole the sum is wrong in any case, and adding on could wrap around.
		sum = min(sum+s.Split[name], 10*Whole)
	}
	if sum != Whole {
		more := ""
		if sum == 10*Whole {
			more = " or more"
		}
		v.problems.wrong(in, "the shares add up to %s%s, not to 100%%", sum, more)
	}
}

func (v *validator) pins(s *Service, at place) {
	for i := range s.Pins {
		pin, in := &s.Pins[i], at.key("pins").item(i)
		v.readFrom(&Key{Header: pin.Header, Cookie: pin.Cookie, Query: pin.Query}, in, "header, cookie or query")
		matchers := v.matchers(in, []matcher{{"exact", pin.Exact}, {"prefix", pin.Prefix}, {"regexp", pin.Regexp}})
		switch {
		case pin.Variant != "":
			v.variantName(s, at, in.key("variant"), pin.Variant)
			if matchers == 0 {
				v.problems.wrong(in.key("variant"), "variant needs exact, prefix or regexp; without one the value itself names the variant")
			}
		case matchers > 0:
			v.problems.wrong(in, "exact, prefix and regexp need the variant that they pin")
		}
	}
	if s.Tenants == nil {
		return
	}
	in := at.key("tenants")
	if v.needed(in.key("header"), s.Tenants.Header); s.Tenants.Header != "" {
		v.readFrom(&Key{Header: s.Tenants.Header}, in, "header")
	}
	for _, tenant := range names(s.Tenants.Pins) {
		v.variantName(s, at, in.key("pins").key(tenant), s.Tenants.Pins[tenant])
	}
}

func (v *validator) sticky(s *Sticky, at place) {
	v.readFrom(&s.Key, at, "header, cookie, query or client_address")
	if s.Issue && s.Cookie == "" {
		v.problems.wrong(at.key("issue"), "only a cookie can be issued; name it with cookie")
	}
	v.notNegative(at.key("ttl"), s.TTL)
}

// matchRules is the rules of one service.
type matchRules struct {
	service string
	rules   []Match
	at      place
}

// taker is the service that a rule belongs to already.
type taker struct {
	service string
	line    int
}

// matches checks the rules and that no request is claimed twice in the same words.
func (v *validator) matches(m matchRules, taken map[Match]taker) {
	rules := m.rules
	if len(rules) == 0 {
		rules = []Match{{}}
	}
	for i, rule := range rules {
		at := m.at
		if len(m.rules) > 0 {
			at = at.item(i)
		}
		v.match(rule, at)
		rule.PathPrefix = strings.TrimSuffix(rule.PathPrefix, "/") // "/api/" is "/api", and every path begins with "/"
		if before, ok := taken[rule]; ok {
			v.problems.wrong(at, "service %q already matches exactly the same requests (line %d)", before.service, before.line)
			continue
		}
		taken[rule] = taker{m.service, at.at.line}
	}
}

func (v *validator) match(rule Match, at place) {
	if rule.Host != "" {
		v.check(at.key("host"), hostPattern(rule.Host))
	}
	if rule.Path != "" {
		v.check(at.key("path"), path(rule.Path))
	}
	if rule.PathPrefix != "" {
		v.check(at.key("path_prefix"), path(rule.PathPrefix))
	}
	if rule.Path != "" && rule.PathPrefix != "" {
		v.problems.wrong(at, "path and path_prefix exclude each other")
	}
}
