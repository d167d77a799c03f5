package config

import (
	"fmt"
	"slices"
	"strings"
)

func (v *validator) variant(x *Variant, at place) {
	if len(x.Endpoints) == 0 && !v.problems.unread(at.key("endpoints")) {
		v.problems.wrong(at, "at least one endpoint is required")
	}
	for i, endpoint := range x.Endpoints {
		in := at.key("endpoints").item(i)
		v.check(in, address(endpoint, toConnect))
		if slices.Contains(x.Endpoints[:i], endpoint) && endpoint != "" {
			v.problems.wrong(in, "the endpoint %s is listed twice", endpoint)
		}
	}
	v.upstreamTimeouts(&x.Timeouts, at.key("timeouts"))
	v.upstream(x, at)
	if x.Host != "" {
		v.check(at.key("host"), hostField(x.Host))
	}
	if x.StripPrefix != "" {
		v.check(at.key("strip_prefix"), path(x.StripPrefix))
	}
	if x.AddPrefix != "" {
		v.check(at.key("add_prefix"), path(x.AddPrefix))
	}
	v.fieldChanges(&x.RequestFields, at.key("request_fields"))
	v.fieldChanges(&x.ResponseFields, at.key("response_fields"))
}

// hostField checks a Host field: a host with or without a port.
func hostField(text string) error {
	alone := hostPattern(text) == nil && !strings.HasPrefix(text, "*")
	if !alone && address(text, toConnect) != nil {
		return fmt.Errorf("expected a host or host:port, got %q", text)
	}
	return nil
}

func (v *validator) upstreamTimeouts(t *UpstreamTimeouts, at place) {
	v.notNegative(at.key("connect"), t.Connect)
	v.notNegative(at.key("response_header"), t.ResponseHeader)
	v.notNegative(at.key("idle"), t.Idle)
	v.notNegative(at.key("request"), t.Request)
	v.notNegative(at.key("keep_alive"), t.KeepAlive)
}

func (v *validator) fieldChanges(f *FieldChanges, at place) {
	v.fieldValues(f.Add, at.key("add"))
	v.fieldValues(f.Set, at.key("set"))
	for i, name := range f.Remove {
		v.check(at.key("remove").item(i), fieldName(name))
	}
}

// fieldValues checks fields that are written. Names that differ only in case are one field, and a mapping has no order
// that could say which of its values counts.
func (v *validator) fieldValues(fields map[string]string, at place) {
	spelled := make(map[string]string)
	for _, name := range names(fields) {
		in := at.key(name)
		v.check(in, fieldName(name))
		v.check(in, fieldValue(fields[name]))
		if other, ok := spelled[strings.ToLower(name)]; ok {
			v.problems.wrong(in, "%s and %s are the same field", other, name)
		}
		spelled[strings.ToLower(name)] = name
	}
}
