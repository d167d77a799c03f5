package admin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"haldane/analysis"
	"haldane/report"
	"haldane/rollout"
)

// Answers in which every member is set fit as well: none is forgotten in the document, and an unknown one does not fit.
func TestEveryMemberIsInTheDocument(t *testing.T) {
	c := newContract(t)
	for schema, value := range map[string]any{
		"Rollout": new(rollout.View), "Event": new(rollout.Event), "Report": new(report.Report), "Summary": new(report.Summary),
		"AuditEntry": new(rollout.AuditEntry), "Service": new(Service), "Configuration": new(Configuration), "Drill": new(Drill),
		"Verdict": new(analysis.Verdict),
	} {
		v := reflect.ValueOf(value).Elem()
		fill(v)
		text := marshal(t, value)
		c.fits("#/components/schemas/"+schema, schema+" with everything", text)
		if c.check("#/components/schemas/"+schema, strings.Replace(text, "{", `{"unheard_of":1,`, 1)) == nil {
			t.Errorf("%s may have members that nobody knows", schema)
		}
	}
}

// Every way in which an order fails has a problem that the document knows.
func TestProblemsFitTheDocument(t *testing.T) {
	c := newContract(t)
	f := newFake()
	s := serve(t, options(f))
	for _, failed := range []struct {
		err    error
		status int
	}{
		{rollout.ErrUnknown, 404},
		{rollout.ErrBadCommand, 400},
		{rollout.ErrMoved, 409},
		{rollout.ErrChanged, 412},
		{&rollout.ImpossibleError{Service: "shop", Command: "pause", Phase: rollout.PhaseBaking, Possible: []rollout.CommandKind{"abort"}}, 409},
		{&rollout.FrozenError{Service: "shop", Command: "pause"}, 409},
		{&rollout.ChecklistError{Service: "shop", Command: "promote", Open: []string{"a"}}, 409},
		{fmt.Errorf("store: %w", syscall.ENOSPC), 507},
		{errors.New("store"), 503},
	} {
		f.failWith(failed.err)
		filled := f.views[0]
		fill(reflect.ValueOf(&filled).Elem())
		filled.Service = "shop"
		f.views[0] = filled
		c.wants(s, failed.status, "POST", "/api/v1/rollouts/{service=shop}/pause", ``)
	}
	c.wants(s, 501, "POST", "/api/v1/drill", ``)
	c.wants(s, 501, "POST", "/-/reload", ``)
}

// What the stream sends fits as well.
func TestStreamFitsTheDocument(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		c := newContract(t)
		stream, _ := p.greeted(t, "")
		defer stream.conn.Close()
		var sent rollout.Event
		fill(reflect.ValueOf(&sent).Elem())
		f.events <- sent
		c.fits("#/components/schemas/Event", "an event", stream.next().data)
		content, _ := c.at(operation("GET", eventsPath) + "/responses/200/content")
		if content.(object)["text/event-stream"] == nil {
			t.Error("the document does not speak of a stream")
		}
	})
}

// What the live stream sends of events fits as well, and the document speaks of a stream.
func TestLiveFitsTheDocument(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *Server, p *pipes) {
		c := newContract(t)
		stream, _ := p.watch(t, "?service=shop")
		defer stream.conn.Close()
		f.events <- event(7)
		c.fits("#/components/schemas/Event", "an event", stream.until(kindEvent).data)
		if content, _ := c.at(operation("GET", livePath) + "/responses/200/content"); content.(object)["text/event-stream"] == nil {
			t.Error("the document does not speak of a stream")
		}
	})
}

// fill sets everything that is in a value, so that nothing is left out of its JSON.
func fill(v reflect.Value) {
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.Unix(1_800_000_000, 0).UTC()
		return
	case *rollout.Phase:
		*at = rollout.PhaseBaking
		return
	case *analysis.Class:
		*at = analysis.Pass
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(cmp.Or(wordOf(v.Type()), "text"))
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		if v.CanInt() {
			v.SetInt(3)
		} else {
			v.SetUint(3)
		}
	}
}

// wordOf is a word of a type that has only a few; empty for other text.
func wordOf(t reflect.Type) string {
	return map[reflect.Type]string{
		reflect.TypeFor[rollout.CommandKind](): "tick", reflect.TypeFor[rollout.EventKind](): "step", reflect.TypeFor[rollout.Trigger](): "check",
		reflect.TypeFor[rollout.Pause](): "gate", reflect.TypeFor[rollout.Hold](): "store", reflect.TypeFor[rollout.Loss](): "slow_requests",
		reflect.TypeFor[rollout.HookAnswer](): "yes", reflect.TypeFor[report.Result](): "promoted", reflect.TypeFor[analysis.HoldReason](): "no_traffic",
	}[t]
}

// marshal is a value as JSON.
func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
