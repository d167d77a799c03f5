package router

import (
	"fmt"

	"haldane/config"
)

// level is how early the user of a request wants to have what is new. The zero value is everybody.
type level uint8

const (
	levelGeneral level = iota
	levelBeta
	levelAlpha
)

// levelOf reads the word for a level.
func levelOf(word []byte) (level, bool) {
	switch string(word) {
	case config.LevelAlpha:
		return levelAlpha, true
	case config.LevelBeta:
		return levelBeta, true
	case config.LevelGeneral:
		return levelGeneral, true
	}
	return levelGeneral, false
}

// optIn is how a request tells that its user opted in. The zero value knows of nobody.
type optIn struct {
	sources []source // in their order
	tenant  string   // the field that names the tenant
	tenants map[string]level
}

// level is that of a request's user: by the first place that holds a word for one, else by the tenant. What the user says counts
// before what the tenant has chosen, also when it is less.
func (o *optIn) level(r Request) level {
	for _, from := range o.sources {
		word, _ := from.read(r, nil) // never an address
		if l, ok := levelOf(word); ok {
			return l
		}
	}
	if len(o.tenants) == 0 {
		return levelGeneral
	}
	tenant, _ := r.Field(o.tenant)
	return o.tenants[string(tenant)]
}

// newOptIn compiles what a service says about opting in.
func newOptIn(settings config.Service) (optIn, error) {
	var o optIn
	if settings.OptIn == nil {
		return o, nil
	}
	for _, from := range [...]source{
		{placeQuery, settings.OptIn.Query}, {placeHeader, settings.OptIn.Field}, {placeCookie, settings.OptIn.Cookie},
	} {
		if from.name != "" {
			o.sources = append(o.sources, from)
		}
	}
	if settings.Tenants == nil || len(settings.OptIn.Tenants) == 0 {
		return o, nil
	}
	o.tenant, o.tenants = settings.Tenants.Header, make(map[string]level, len(settings.OptIn.Tenants))
	for tenant, word := range settings.OptIn.Tenants {
		l, ok := levelOf([]byte(word))
		if !ok {
			return optIn{}, fmt.Errorf("opt_in: tenant %q: %w", tenant, unknown("level", word))
		}
		o.tenants[tenant] = l
	}
	return o, nil
}

// exposed is the level from which on a split exposes those who opted in; levelGeneral for a split that exposes none of them.
func exposed(word string) (level, error) {
	if word == "" {
		return levelGeneral, nil
	}
	l, ok := levelOf([]byte(word))
	if !ok || l == levelGeneral {
		return levelGeneral, unknown("level", word)
	}
	return l, nil
}

// member says why the step exposes a request besides the split: by its segment, or because its user opted in. ok is false when
// it does not.
func (s *Service) member(a ask) (why Reason, ok bool) {
	split := &s.split
	switch {
	case split.Segment != nil && split.Segment.holds(a):
		return ReasonSegment, true
	case split.early > levelGeneral && s.optIn.level(a.Request) >= split.early:
		return ReasonOptIn, true
	}
	return 0, false
}
