package config

import (
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const schemaFile = "../schema/haldane.schema.json"

// object is a mapping of JSON. It is written with its keys in order.
type object map[string]any

// TestSchema holds that the schema says what the types and their comments say.
func TestSchema(t *testing.T) {
	s := schemer{t: t, documenter: documenter{t: t, docs: readComments(t)}, definitions: object{}, enums: enums()}
	root := s.section(reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Configuration of Haldane"
	root["type"] = "object"
	root["required"] = []string{"version", "services"}
	root["patternProperties"] = object{"^x-": object{"description": "a place for anchors, which is not read"}}
	root["properties"].(object)["version"].(object)["const"] = 1
	root["$defs"] = s.definitions
	text, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := string(text) + "\n"
	if update() {
		if err := os.WriteFile(schemaFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not up to date, run with -update (-want +got):\n%s", schemaFile, diff)
	}
	for field := range s.enums {
		t.Errorf("there is no field %s", field)
	}
}

// enums are the words that a key may have, by its field. The validator has them in its code.
func enums() map[string][]string {
	outcomes := []string{OnAdvance, OnHold, OnRollBack}
	advance := []string{AdvanceNoRegression, AdvanceProven}
	return map[string][]string{
		"State.Store": {StoreFile, StoreMemory}, "Log.Level": {"debug", "info", "warn", "error"}, "Log.Format": {"json", "console"},
		"Log.Access": {Off, AccessErrors, AccessSampled, AccessAll}, "Budget.OnExposed": {FailurePause, FailureRollBack},
		"Policy.OnFailure": {FailureRollBack, FailurePause, FailureStepBack}, "ListenTLS.MinVersion": {TLS12, TLS13},
		"ListenTLS.ClientAuth": {ClientAuthRequire, ClientAuthOptional}, "MetricCheck.Source": {SourceField, SourcePosted, SourcePrometheus},
		"MetricCheck.Direction": {DirectionUp, DirectionDown, DirectionBoth}, "MetricCheck.Kind": {KindRatio, KindMean, KindSum, KindValue},
		"MetricCheck.Of": {OfAll, OfReported}, "NotificationTarget.Type": {TargetSlack, TargetTeams, TargetWebhook, TargetAlertmanager},
		"NotificationTarget.When": {WhenNeedsPerson, WhenEnded, WhenAll}, "Outcomes.Pass": {OnAdvance}, "Outcomes.Marginal": {OnAdvance, OnHold},
		"Outcomes.Fail": outcomes, "Outcomes.NoData": outcomes, "Outcomes.Error": outcomes, "Partial.OnFailure": {PartAll, PartAlone},
		"Step.AdvanceWhen": advance, "Ramp.AdvanceWhen": advance, "Service.Start": {StartAuto, StartManual}, "Step.OptIn": {LevelAlpha, LevelBeta},
	}
}

// TestEnumsAreThoseOfTheValidator holds that no key whose words the validator knows was forgotten.
func TestEnumsAreThoseOfTheValidator(t *testing.T) {
	known := map[string]bool{}
	for name := range enums() {
		section, field, _ := strings.Cut(name, ".")
		known[keyOf(t, section, field)] = true
	}
	paths, err := filepath.Glob("validate*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`oneOf\(\S*key\("([a-z_]+)"\), `)
	found := 0
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(src), -1) {
			if found++; !known[m[1]] {
				t.Errorf("%s: the words of %s are missing", path, m[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d calls were found", found)
	}
}

// keyOf is the key of a field that is named by its type's and its own name in Go.
func keyOf(t *testing.T, section, name string) string {
	t.Helper()
	known := map[string]reflect.Type{}
	var walk func(reflect.Type)
	walk = func(s reflect.Type) {
		if known[s.Name()] != nil {
			return
		}
		known[s.Name()] = s
		for _, f := range reflect.VisibleFields(s) {
			if to, _, ok := leadsTo(f.Type); ok {
				walk(to)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	f, ok := known[section].FieldByName(name)
	if !ok {
		t.Fatalf("there is no %s.%s", section, name)
	}
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// schemer writes the schema.
type schemer struct {
	documenter
	t           *testing.T
	definitions object
	enums       map[string][]string // those that were not used yet
}

// section is a mapping with known keys. Every key may be left empty, and none is required: what is merged may bring it.
func (s *schemer) section(t reflect.Type) object {
	fresh := reflect.New(t)
	makeDefault(fresh)
	properties := object{}
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || key == "-" || strings.Contains(options, "inline") {
			continue
		}
		owner := t.Name()
		if len(f.Index) > 1 {
			owner = t.FieldByIndex(f.Index[:1]).Type.Name()
		}
		one := s.value(f.Type)
		if words := s.enums[owner+"."+f.Name]; words != nil {
			one = enum(words)
			delete(s.enums, owner+"."+f.Name)
		}
		one["description"] = s.comment(owner+"."+f.Name, f.Name, key)
		if value := fresh.Elem().FieldByIndex(f.Index); !value.IsZero() && scalar(f.Type) {
			one["default"] = value.Interface()
		}
		properties[key] = one
	}
	return object{
		"type": []string{"object", "null"}, "description": s.comment(t.Name(), t.Name(), "it"),
		"properties": properties, "additionalProperties": false,
	}
}

// enum is one of some words, or a variable.
func enum(words []string) object {
	return object{"anyOf": []object{{"enum": append(slices.Clone(words), "")}, {"type": "null"}, variableText()}}
}

// variableText is text with a variable in it, which may stand for anything.
func variableText() object { return object{"type": "string", "pattern": `\$`} }

// scalar says whether a value of the type is written as one plain value.
func scalar(t reflect.Type) bool {
	k := t.Kind()
	return t.Implements(reflect.TypeFor[encoding.TextMarshaler]()) || k == reflect.String || k == reflect.Int || k == reflect.Bool
}

// value is what may stand behind a key, in all of its forms.
func (s *schemer) value(t reflect.Type) object {
	if one := special(t); one != nil {
		return one
	}
	pointer := reflect.New(t).Interface()
	switch t.Kind() {
	case reflect.Pointer:
		one := s.value(t.Elem())
		if _, ok := pointer.(absent); ok {
			return either(one, object{"const": Off})
		}
		if _, ok := reflect.New(t.Elem()).Interface().(absent); ok {
			return either(one, object{"const": Off})
		}
		return one
	case reflect.Struct:
		return s.forms(t, s.reference(t))
	case reflect.Map:
		one := object{"type": []string{"object", "null"}, "additionalProperties": s.value(t.Elem())}
		return s.forms(t, one)
	case reflect.Slice:
		list := object{"type": []string{"array", "null"}, "items": s.value(t.Elem())}
		if _, ok := reflect.New(t.Elem()).Interface().(lone); ok {
			return either(list, s.value(t.Elem()))
		}
		return list
	case reflect.Int:
		return either(object{"type": []string{"integer", "null"}, "minimum": 0}, object{"type": "string", "pattern": `^[0-9]+$|\$`})
	case reflect.Bool:
		return either(object{"type": []string{"boolean", "null"}}, object{"type": "string", "pattern": `^(true|false)$|\$`})
	}
	return object{"type": []string{"string", "number", "boolean", "null"}}
}

// forms adds the short forms of a section.
func (s *schemer) forms(t reflect.Type, one object) object {
	section := reflect.New(t).Interface()
	if short, ok := section.(shorthand); ok {
		for _, f := range reflect.VisibleFields(t) {
			if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key == short.shorthand() {
				inside := f.Type
				if inside.Kind() == reflect.Slice {
					inside = inside.Elem()
				}
				one = either(one, s.value(inside))
			}
		}
	}
	if _, ok := section.(optional); ok {
		one = either(one, object{"const": Off})
	}
	return one
}

// either is the one or the other.
func either(one, other object) object {
	if list, ok := one["anyOf"].([]object); ok {
		return object{"anyOf": append(slices.Clone(list), other)}
	}
	return object{"anyOf": []object{one, other}}
}

// reference leads to the definition of a section.
func (s *schemer) reference(t reflect.Type) object {
	if _, known := s.definitions[t.Name()]; !known {
		s.definitions[t.Name()] = object{} // for those that lead to themselves
		s.definitions[t.Name()] = s.section(t)
	}
	return object{"$ref": "#/$defs/" + t.Name()}
}

// special is what is written for a type that reads its own text; nil for any other.
func special(t reflect.Type) object {
	number := object{"type": []string{"number", "null"}}
	text := func(pattern string) object {
		return object{"type": []string{"string", "null"}, "pattern": pattern + `|^$|\$`}
	}
	const duration = `^([0-9.]+d)?([0-9.]+(ns|us|µs|μs|ms|s|m|h))+$|^[0-9.]+d$|^0$`
	switch t {
	case reflect.TypeFor[Duration]():
		return either(text(duration), object{"const": 0})
	case reflect.TypeFor[Percent]():
		return either(text(`^[0-9]*\.?[0-9]*%?$`), object{"type": "number", "minimum": 0, "maximum": 100})
	case reflect.TypeFor[Bytes]():
		return either(text(`^[0-9.]+ ?([kKMGT]i?)?B?$`), object{"type": "integer", "minimum": 0})
	case reflect.TypeFor[Number](), reflect.TypeFor[Limit]():
		return either(text(`^[-+]?[0-9.]+%?$`), number)
	case reflect.TypeFor[StatusRange]():
		return either(text(`^[1-5]xx$|^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$`), object{"type": "integer", "minimum": 100, "maximum": 599})
	case reflect.TypeFor[StallTimeout]():
		return text(`^(auto|off)$|` + duration)
	case reflect.TypeFor[TunnelDrain]():
		return either(text(`^(keep|close)$|`+duration), object{"const": 0})
	case reflect.TypeFor[ClockTime]():
		return text(`^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`)
	case reflect.TypeFor[Moment]():
		return text(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})$`)
	case reflect.TypeFor[Zone]():
		return object{"type": []string{"string", "null"}}
	case reflect.TypeFor[Weekday]():
		return enum([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
	}
	return nil
}
