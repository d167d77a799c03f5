package config

import (
	"reflect"

	"go.yaml.in/yaml/v4"
)

// shorthand is a section that may be written as one plain value, which then is the value of the named key.
type shorthand interface{ shorthand() string }

// optional is a section that may be written as "off".
type optional interface{ switchOff() }

// absent is a section behind a pointer that is not there when it is written as "off". It helps where a section is merged
// from an anchor.
type absent interface{ absentWhenOff() }

// lone is a value that may stand for a list of one.
type lone interface{ lone() }

// shorthand makes a bare percentage a step.
func (s *Step) shorthand() string { return "weight" }

// shorthand makes a bare number the attempts.
func (r *Retries) shorthand() string { return "attempts" }

// shorthand makes a bare path the one to ask for.
func (h *Health) shorthand() string { return "path" }

// shorthand makes statuses alone an event.
func (e *EventCheck) shorthand() string { return "statuses" }

// switchOff sends nothing again.
func (r *Retries) switchOff() { r.Attempts = 0 }

// switchOff ejects nobody.
func (e *Ejection) switchOff() { e.Failures = 0 }

// switchOff judges no latency.
func (l *LatencyChecks) switchOff() { *l = LatencyChecks{} }

func (*ListenTLS) absentWhenOff()   {}
func (*Certificate) absentWhenOff() {}
func (*VariantTLS) absentWhenOff()  {}
func (*Health) absentWhenOff()      {}
func (*Rescue) absentWhenOff()      {}
func (*Tenants) absentWhenOff()     {}
func (*Sticky) absentWhenOff()      {}

func (*StatusRange) lone() {}

// short decodes a plain value that stands for more. It says no when the value stands for itself.
func (d *decoder) short(n *yaml.Node, p place, out reflect.Value) bool {
	section := out.Addr().Interface()
	turn, canTurn := section.(optional)
	_, canMiss := zero(out.Type(), reflect.Pointer).(absent)
	_, alone := zero(out.Type(), reflect.Slice).(lone)
	inside, isShort := section.(shorthand)
	if canMiss {
		_, isShort = zero(out.Type(), reflect.Pointer).(shorthand)
	}
	switch {
	case canTurn && n.Value == Off:
		turn.switchOff()
	case canMiss && n.Value == Off: // it stays nil
	case canMiss && isShort:
		return false // for what the pointer leads to
	case isShort:
		d.shorthand(n, p, out, inside.shorthand())
	case alone:
		out.Set(reflect.MakeSlice(out.Type(), 1, 1))
		d.shaped(n, p.item(0).moved(p.at), out.Index(0))
	case canTurn || canMiss:
		d.problems.unreadable(p, "expected off or a mapping of keys to values, got %s", describe(n))
	default:
		return false
	}
	return true
}

// zero is a pointer to a fresh element of a type of this kind, and nil for any other type.
func zero(t reflect.Type, kind reflect.Kind) any {
	if t.Kind() != kind {
		return nil
	}
	return reflect.New(t.Elem()).Interface()
}

// shorthand decodes a plain value into the one key that it stands for.
func (d *decoder) shorthand(n *yaml.Node, p place, out reflect.Value, key string) {
	for _, f := range d.shape(out.Type()) {
		if f.key == key {
			at := p.key(key).moved(p.at)
			d.shaped(n, at.plant(), out.FieldByIndex(f.at))
		}
	}
}
