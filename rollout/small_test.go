package rollout

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

func TestSlowSubscriberLearnsWhatItLost(t *testing.T) {
	var h hub
	slow, cancel := h.subscribe(2)
	for i := range uint64(5) {
		h.publish(Event{Sequence: i})
	}
	<-slow
	<-slow
	h.publish(Event{Sequence: 5})
	lost, next := <-slow, <-slow
	if lost.Kind != EventLost || lost.Lost != 3 || next.Sequence != 5 {
		t.Errorf("got %+v and %+v", lost, next)
	}
	cancel()
	cancel()
	if _, open := <-slow; open {
		t.Error("the channel is open after the end")
	}
	h.publish(Event{})
}

func TestHistoryKeepsDecisionsLongerThanHolds(t *testing.T) {
	history := remember(nil, Event{Kind: EventStarted})
	for range 1000 {
		history = remember(history, Event{Kind: EventHold})
		history = remember(history, Event{Kind: EventHoldEnded})
	}
	history = remember(history, Event{Kind: EventPromoted})
	if len(history) != historyLimit || history[0].Kind != EventStarted || history[historyLimit-1].Kind != EventPromoted {
		t.Errorf("%d events from %s to %s", len(history), history[0].Kind, history[len(history)-1].Kind)
	}
	for range 2 * historyLimit {
		history = remember(history, Event{Kind: EventStep})
	}
	if len(history) != historyLimit {
		t.Errorf("%d events", len(history))
	}
}

// Two States share a history; what one appends must not show in the other.
func TestHistoriesDoNotShareMemory(t *testing.T) {
	base := make([]Event, 0, 10)
	base = append(base, Event{Sequence: 1})
	a := remember(base, Event{Sequence: 2})
	b := remember(base, Event{Sequence: 3})
	if a[1].Sequence != 2 || b[1].Sequence != 3 {
		t.Errorf("got %v and %v", a, b)
	}
}

func TestIDs(t *testing.T) {
	id := ID("shop", "v1", "v2", "r1")
	if len(id) != 2*idLength || id != ID("shop", "v1", "v2", "r1") {
		t.Errorf("id %q", id)
	}
	seen := map[string]bool{id: true}
	for _, other := range []string{
		ID("shop", "v1", "v2", "r2"), ID("shop", "v1", "v3", "r1"), ID("shop", "v0", "v2", "r1"), ID("cart", "v1", "v2", "r1"),
		ID("shopv1", "", "v2", "r1"), ID("shop", "v1v2", "", "r1"), drawID(id, 2), drawID(id, 3),
	} {
		if seen[other] {
			t.Errorf("%q is there twice", other)
		}
		seen[other] = true
	}
	if drawID(id, 1) != id {
		t.Error("the first attempt has another id")
	}
}

// A field that is added to the policy must be compared: otherwise its change would never apply.
func TestEveryFieldOfAPolicyIsCompared(t *testing.T) {
	base := config.Careful()
	same := config.Careful()
	if !samePolicy(&base, &same) {
		t.Fatal("a policy is not the same as itself")
	}
	var walk func(path string, pick func(*config.Policy) reflect.Value)
	walk = func(path string, pick func(*config.Policy) reflect.Value) {
		changed := config.Careful()
		v := pick(&changed)
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, func(p *config.Policy) reflect.Value { return pick(p).Field(i) })
			}
			return
		case reflect.Map: // its values are looked at below
			v.Set(otherMap(v))
		case reflect.Pointer: // what it points to is compared as a whole
			v.Set(reflect.New(v.Type().Elem()))
		case reflect.Slice:
			if v.Len() == 0 {
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
				break
			}
			walk(path+"[last]", func(p *config.Policy) reflect.Value { return pick(p).Index(pick(p).Len() - 1) })
			v.Set(v.Slice(0, v.Len()-1))
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		default:
			t.Fatalf("%s is a %s: extend this test", path, v.Kind())
		}
		if samePolicy(&base, &changed) {
			t.Errorf("a change of %s is not seen", path)
		}
	}
	walk("policy", func(p *config.Policy) reflect.Value { return reflect.ValueOf(p).Elem() })
}

// otherMap is a map with one more key.
func otherMap(v reflect.Value) reflect.Value {
	other := reflect.MakeMap(v.Type())
	for _, key := range v.MapKeys() {
		other.SetMapIndex(key, v.MapIndex(key))
	}
	other.SetMapIndex(reflect.ValueOf("another"), reflect.Zero(v.Type().Elem()))
	return other
}

// The values of maps are compared too, all of their fields.
func TestEveryFieldOfALatencyCheckIsCompared(t *testing.T) {
	everyFieldIsCompared(t, config.Careful, func(c *config.Checks) *config.LatencyCheck {
		l := c.Latency["p90"]
		return &l
	}, func(c *config.Checks, l *config.LatencyCheck) { c.Latency["p90"] = *l })
}

func TestEveryFieldOfAnEventCheckIsCompared(t *testing.T) {
	base := func() config.Policy {
		p := config.Careful()
		if err := addEvent(&p.Checks, "throttled:429,timeout"); err != nil {
			t.Fatal(err)
		}
		return p
	}
	everyFieldIsCompared(t, base, func(c *config.Checks) *config.EventCheck {
		e := c.Events["throttled"]
		return &e
	}, func(c *config.Checks, e *config.EventCheck) { c.Events["throttled"] = *e })
}

// everyFieldIsCompared changes one field after the other of a check that get finds and set puts back.
func everyFieldIsCompared[C any](t *testing.T, policy func() config.Policy, get func(*config.Checks) *C, set func(*config.Checks, *C)) {
	t.Helper()
	for i := range reflect.TypeFor[C]().NumField() {
		base, changed := policy(), policy()
		check := get(&changed.Checks)
		switch v := reflect.ValueOf(check).Elem().Field(i); v.Kind() {
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Slice:
			v.Set(v.Slice(0, v.Len()-1))
		default:
			t.Fatalf("field %d is a %s: extend this test", i, v.Kind())
		}
		set(&changed.Checks, check)
		if samePolicy(&base, &changed) {
			t.Errorf("a change of field %d is not seen", i)
		}
	}
}

func TestPhasesAreWords(t *testing.T) {
	for p := PhasePending; p <= PhaseSuperseded; p++ {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Phase
		if err := json.Unmarshal(text, &back); err != nil || back != p {
			t.Errorf("%s became %s, error %v", text, back, err)
		}
	}
	if err := new(Phase).UnmarshalText([]byte("dancing")); err == nil {
		t.Error("an unknown phase was read")
	}
	if Phase(99).String() != "none" || ActionKind(99).String() != "none" {
		t.Error("an unknown value has a word")
	}
}

// Members of the API are snake_case, and lists are lists and not null.
func TestViewIsCleanJSON(t *testing.T) {
	spec := quickSpec("shop", 10*onePercent)
	s, _ := created(spec, time.Unix(0, 0), birth{}, "")
	text, err := json.Marshal(s.View(time.Unix(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"waiting_for", "notes", "possible", "history"} {
		if got := string(members[name]); got == "" || got == "null" {
			t.Errorf("%s is %q", name, got)
		}
	}
	want := `"10%"`
	if v, _ := json.Marshal(onePercent * 10); string(v) != want {
		t.Errorf("a weight is %s", v)
	}
	for name := range members {
		for _, r := range name {
			if r != '_' && (r < 'a' || r > 'z') {
				t.Errorf("member %q", name)
			}
		}
	}
}

func TestImpossibleTransitionsAreBugs(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a promoted rollout was started")
		}
	}()
	s, _ := created(quickSpec("shop", onePercent), time.Unix(0, 0), birth{}, "")
	s.Phase = PhasePromoted
	begin(s, time.Unix(1, 0)).start(cause{})
}

func TestStateSurvivesItsOwnJSON(t *testing.T) {
	now := time.Unix(1_700_000_000, 0).UTC()
	s, _ := created(quickSpec("shop", 10*onePercent), now, birth{revision: 7}, "")
	s, _ = Step(s, now, Observation{})
	s, _, err := Apply(s, now.Add(time.Second), Command{Kind: CommandSetWeight, Weight: 12345})
	if err != nil {
		t.Fatal(err)
	}
	text, err := encodeMemory(memory{State: &s, Former: []former{{ID: "x", Phase: PhaseRolledBack, Attempt: 2, Ended: now}}, Revision: 9})
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeMemory(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, *back.State); diff != "" {
		t.Errorf("state (-before +after):\n%s", diff)
	}
}

// The cost of a look at many services of which none has traffic.
func BenchmarkQuietTick(b *testing.B) {
	s, _ := created(quickSpec("shop", 10*onePercent), time.Unix(0, 0), birth{}, "")
	s, _ = Step(s, time.Unix(0, 0), Observation{})
	now := time.Unix(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(tickEvery)
		s, _ = Step(s, now, Observation{})
	}
}
