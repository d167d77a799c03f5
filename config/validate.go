package config

import (
	"slices"
	"strings"
)

// validator is the one pass that looks at a decoded configuration and reports all that is not allowed. It changes nothing.
type validator struct {
	problems *collector
	c        *Config
}

func (v *validator) config(top place) {
	c := v.c
	switch at := top.key("version"); {
	case c.Version == 0 && !at.written():
		v.problems.wrong(top, `the version is missing; begin the file with "version: 1"`)
	case c.Version != 1:
		v.problems.wrong(at, "expected 1, the only version of the format, got %d", c.Version)
	}
	v.listen(&c.Listen, top.key("listen"))
	v.admin(&c.Admin, top.key("admin"))
	v.oneOf(top.key("state").key("store"), c.State.Store, StoreFile, StoreMemory)
	v.needed(top.key("state").key("directory"), c.State.Directory)
	v.log(&c.Log, top.key("log"))
	v.limits(&c.Limits, top.key("limits"))
	v.clientTimeouts(&c.Timeouts, top.key("timeouts"))
	if c.DefaultService != "" {
		v.serviceName(top.key("default_service"), c.DefaultService, top.key("services"))
	}
	for _, name := range names(c.Segments) {
		at := top.key("segments").key(name)
		v.name(at, "segment", name)
		p := c.Segments[name]
		v.predicate(&p, at)
	}
	for _, name := range names(c.Policies) {
		at := top.key("policies").key(name)
		v.name(at, "policy", name)
		p := c.Policies[name]
		v.policy(&p, at, top)
	}
	v.services(top)
	v.notifications(&c.Notifications, top)
	v.freezes(c.Freezes, top.key("freezes"))
	v.links(&c.Admin, top.key("admin"))
	v.prometheus(&c.Prometheus, top.key("prometheus"))
	v.tracing(c.Tracing, top.key("tracing"))
}

func (v *validator) log(l *Log, at place) {
	v.oneOf(at.key("level"), l.Level, "debug", "info", "warn", "error")
	v.oneOf(at.key("format"), l.Format, "json", "console")
	v.oneOf(at.key("access"), l.Access, Off, AccessErrors, AccessSampled, AccessAll)
}

func (v *validator) limits(l *Limits, at place) {
	if l.HeaderSize < 1<<10 || l.HeaderSize > 1<<20 {
		v.problems.wrong(at.key("header_size"), "expected 1KiB to 1MiB, got %s", l.HeaderSize)
	}
	v.atLeast(at.key("fields"), l.Fields, 1)
	v.atLeast(at.key("connections"), l.Connections, 1)
	v.atLeast(at.key("connections_per_client"), l.ConnectionsPerClient, 0)
}

func (v *validator) clientTimeouts(t *ClientTimeouts, at place) {
	v.notNegative(at.key("header"), t.Header)
	v.notNegative(at.key("idle"), t.Idle)
	v.notNegative(at.key("body"), t.Body)
	v.notNegative(at.key("write"), t.Write)
	v.notNegative(at.key("shutdown_delay"), t.ShutdownDelay)
	v.notNegative(at.key("drain"), t.Drain)
}

// check reports what a rule said.
func (v *validator) check(at place, err error) {
	if err != nil {
		v.problems.wrong(at, "%s", err)
	}
}

func (v *validator) name(at place, what, name string) {
	if !isName(name) {
		v.problems.wrong(at, "the name of a %s is made of letters, digits, \".\", \"_\" and \"-\" and begins with a letter or "+
			"a digit, got %q", what, name)
	}
}

func (v *validator) oneOf(at place, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		last := len(allowed) - 1
		v.problems.wrong(at, "expected %s or %s, got %q", strings.Join(allowed[:last], ", "), allowed[last], value)
	}
}

// needed reports a required value that is missing. It points at what the value is missing from.
func (v *validator) needed(at place, value string) {
	if value == "" && !v.problems.unread(at) {
		v.problems.wrong(at, "this is required")
	}
}

// reference reports the name of something that does not exist. Nothing is said when what it should exist in could not be
// read.
func (v *validator) reference(at place, name, what string, in place, known []string) {
	if !slices.Contains(known, name) && !v.problems.unread(in) {
		v.problems.wrong(at, "there is no %s %q%s", what, name, hint(name, known))
	}
}

// serviceName reports the name of a service that does not exist. Only then are all of them listed: there may be many.
func (v *validator) serviceName(at place, name string, in place) {
	if _, known := v.c.Services[name]; !known {
		v.reference(at, name, "service", in, names(v.c.Services))
	}
}

func (v *validator) atLeast(at place, value, least int) {
	if value < least {
		v.problems.wrong(at, "expected at least %d, got %d", least, value)
	}
}

func (v *validator) notNegative(at place, d Duration) {
	if d < 0 {
		v.problems.wrong(at, "a duration cannot be negative, got %s", d)
	}
}

// positive reports a duration that must be above zero.
func (v *validator) positive(at place, d Duration) {
	if d <= 0 {
		v.problems.wrong(at, "expected a duration above zero, got %s", d)
	}
}

// notBelow reports a duration that is shorter than the shortest that is allowed.
func (v *validator) notBelow(at place, d, least Duration) {
	if d < least {
		v.problems.wrong(at, "expected at least %s, got %s", least, d)
	}
}

// share reports a percentage that must be above zero.
func (v *validator) share(at place, p Percent) {
	if p == 0 {
		v.problems.wrong(at, "expected a percentage above 0%%")
	}
}
