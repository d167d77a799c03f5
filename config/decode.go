package config

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxDepth bounds how deep values are nested; only predicates nest at all.
const maxDepth = 32

// budgetFor is the number of values that a file may unfold to, so that aliases of aliases cannot grow without end. Without
// aliases it cannot be reached, since every value takes a byte; a small file may use them freely.
func budgetFor(src []byte) int { return 100_000 + 4*len(src) }

// decoder lays a syntax tree over a Config that already holds its defaults. The library's own decoder is not used,
// because it knows Go types and lines where a user needs paths and columns, and because defaults inside maps, merge keys
// and expanded variables all have to be seen at the same moment.
type decoder struct {
	problems *collector
	getenv   func(string) (string, bool)
	shapes   map[reflect.Type][]field
	depth    int
	budget   int  // values that may still be decoded
	spent    bool // the end of the budget was reported
	late     map[*spot]late
	merging  bool // mappings are laid over what is there
}

// named is a section whose defaults depend on its name, after those that do not.
type named interface{ setNamed(name string) }

// value decodes one node. What cannot be read is reported and keeps its default; so does what is left empty.
func (d *decoder) value(n *yaml.Node, p place, out reflect.Value) {
	if !d.enter(p) {
		return
	}
	defer d.leave()
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n, ok := d.expanded(n, p); ok && d.tagged(n, p) && !empty(n) {
		d.shaped(n, p.plant(), out)
	}
}

// shaped decodes a node that has a value, by the shape of what it is decoded into.
func (d *decoder) shaped(n *yaml.Node, p place, out reflect.Value) {
	inside := out.Addr().Interface()
	if text, ok := inside.(encoding.TextUnmarshaler); ok {
		if d.scalar(n, p, "a single value") {
			d.check(p, text.UnmarshalText([]byte(n.Value)))
		}
		return
	}
	if n.Kind == yaml.ScalarNode && d.short(n, p, out) {
		return
	}
	switch out.Kind() {
	case reflect.Pointer:
		if d.postpone(n, p, out) {
			return
		}
		fresh := reflect.New(out.Type().Elem())
		if makeDefault(fresh); d.merging && !out.IsNil() {
			fresh.Elem().Set(out.Elem())
		}
		d.shaped(n, p, fresh.Elem())
		out.Set(fresh)
	case reflect.Struct:
		d.section(n, p, out)
	case reflect.Map:
		d.named(n, p, out)
	case reflect.Slice:
		d.items(n, p, out)
	default:
		d.plain(n, p, out)
	}
}

// makeDefault gives a fresh section its defaults.
func makeDefault(pointer reflect.Value) {
	if s, ok := pointer.Interface().(defaulter); ok {
		s.setDefaults()
	}
}

// section decodes a mapping with known keys.
func (d *decoder) section(n *yaml.Node, p place, out reflect.Value) {
	fields := d.shape(out.Type())
	for _, pair := range d.pairs(n, p) {
		i := 0
		for i < len(fields) && fields[i].key != pair.name {
			i++
		}
		switch {
		case i < len(fields):
			d.value(pair.value, pair.place, out.FieldByIndex(fields[i].at))
		case p.up == nil && strings.HasPrefix(pair.name, "x-"):
			// A place for anchors. What is used of it is decoded where it is used.
		default:
			d.unknownKey(pair, fields)
		}
	}
}

func (d *decoder) unknownKey(pair pair, fields []field) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	d.problems.unreadable(pair.place.moved(pair.at), "unknown key%s", hint(pair.name, known))
}

// named decodes a mapping whose keys are names.
func (d *decoder) named(n *yaml.Node, p place, out reflect.Value) {
	pairs := d.pairs(n, p)
	out.Set(d.keep(out, len(pairs)))
	for _, pair := range pairs {
		fresh := d.previous(out, pair.name)
		d.value(pair.value, pair.place, fresh.Elem())
		out.SetMapIndex(reflect.ValueOf(pair.name), fresh.Elem())
	}
}

// items decodes a list.
func (d *decoder) items(n *yaml.Node, p place, out reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.problems.unreadable(p, "expected a list, got %s", describe(n))
		return
	}
	out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		makeDefault(out.Index(i).Addr())
		d.value(item, p.item(i).moved(whereIs(item)), out.Index(i))
	}
}

// plain decodes text, whole numbers and truth values.
func (d *decoder) plain(n *yaml.Node, p place, out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		if d.scalar(n, p, "text") {
			out.SetString(n.Value)
		}
	case reflect.Int:
		// Only the form that Go would print: 0777 and 1e3 mean different things to different readers.
		number, err := strconv.Atoi(n.Value)
		if d.scalar(n, p, "a whole number") && (err != nil || strconv.Itoa(number) != n.Value) {
			d.problems.unreadable(p, "expected a whole number, got %s", describe(n))
			return
		}
		out.SetInt(int64(number))
	case reflect.Bool:
		if d.scalar(n, p, "true or false") && n.Value != "true" && n.Value != "false" {
			d.problems.unreadable(p, "expected true or false, got %s", describe(n))
			return
		}
		out.SetBool(n.Value == "true")
	default:
		panic("config: no way to decode " + out.Type().String())
	}
}

// scalar says whether a node is a single value, and reports it otherwise.
func (d *decoder) scalar(n *yaml.Node, p place, expected string) bool {
	if n.Kind != yaml.ScalarNode {
		d.problems.unreadable(p, "expected %s, got %s", expected, describe(n))
		return false
	}
	return true
}

// check reports what a value's own parser said.
func (d *decoder) check(p place, err error) {
	if err != nil {
		d.problems.unreadable(p, "%s", err)
	}
}

// enter counts a value that is decoded. It says no when there is too much.
func (d *decoder) enter(p place) bool {
	d.depth++
	d.budget--
	switch {
	case d.budget < 0:
		if !d.spent {
			d.spent = true
			d.problems.unreadable(p, "the aliases of this file unfold to too many values")
		}
	case d.depth > maxDepth:
		d.problems.unreadable(p, "nested too deeply")
	default:
		return true
	}
	d.depth--
	return false
}

func (d *decoder) leave() { d.depth-- }
