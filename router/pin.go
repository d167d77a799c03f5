package router

import (
	"errors"
	"fmt"

	"haldane/config"
)

// pins are the ways in which a request of one service names its variant. Most services have one rule or none.
type pins struct {
	first   pinRule        // the zero value for none
	more    []pinRule      // that come after it
	tenants map[string]int // the default pin of each tenant
	tenant  string         // the field that names the tenant
	byName  map[string]int // variants by name
}

// pinRule is one of them. Without a matcher the value itself names the variant.
type pinRule struct {
	source  source
	matcher matcher
	variant int
}

// find is the variant that the request names: by the first rule that matches, else by its tenant.
func (p *pins) find(r Request) (variant int, ok bool) {
	if variant, ok = p.named(r, &p.first); ok {
		return variant, true
	}
	for i := range p.more {
		if variant, ok = p.named(r, &p.more[i]); ok {
			return variant, true
		}
	}
	if p.tenants == nil {
		return 0, false
	}
	value, _ := r.Field(p.tenant)
	variant, ok = p.tenants[string(value)]
	return variant, ok
}

// named is the variant that the request names by one rule.
func (p *pins) named(r Request, rule *pinRule) (variant int, ok bool) {
	value, given := rule.source.read(r, nil) // a pin is never an address
	switch {
	case !given:
		return 0, false
	case rule.matcher == nil:
		variant, ok = p.byName[string(value)]
		return variant, ok
	}
	return rule.variant, rule.matcher.matches(value)
}

var errAddressPin = errors.New("a pin needs a header, a cookie or a query")

// newPins compiles the pins of a service.
func newPins(settings config.Service, byName map[string]int, c *compiler) (pins, error) {
	p := pins{byName: byName}
	for i, pin := range settings.Pins {
		rule, err := newPinRule(pin, byName, c)
		if err != nil {
			return pins{}, fmt.Errorf("pin %d: %w", i+1, err)
		}
		if i == 0 {
			p.first = rule
			continue
		}
		p.more = append(p.more, rule)
	}
	if settings.Tenants == nil {
		return p, nil
	}
	p.tenant, p.tenants = settings.Tenants.Header, make(map[string]int, len(settings.Tenants.Pins))
	for tenant, name := range settings.Tenants.Pins {
		variant, ok := byName[name]
		if !ok {
			return pins{}, fmt.Errorf("tenant %q: %w", tenant, unknown("variant", name))
		}
		p.tenants[tenant] = variant
	}
	return p, nil
}

func newPinRule(pin config.Pin, byName map[string]int, c *compiler) (pinRule, error) {
	from, err := newSource(config.Key{Header: pin.Header, Cookie: pin.Cookie, Query: pin.Query})
	if err != nil {
		return pinRule{}, errAddressPin
	}
	rule := pinRule{source: from}
	rule.matcher, err = c.matcher(matching{exact: pin.Exact, prefix: pin.Prefix, regexp: pin.Regexp})
	if err != nil || rule.matcher == nil {
		return rule, err
	}
	variant, ok := byName[pin.Variant]
	if !ok {
		return pinRule{}, unknown("variant", pin.Variant)
	}
	rule.variant = variant
	return rule, nil
}
