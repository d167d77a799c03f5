package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// field is one key of a section and the Go field behind it.
type field struct {
	key string
	at  []int
}

// shape is the keys of a section, in the order of its fields.
func (d *decoder) shape(t reflect.Type) []field {
	if fields, ok := d.shapes[t]; ok {
		return fields
	}
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && key != "-" && !strings.Contains(options, "inline") {
			fields = append(fields, field{key, f.Index})
		}
	}
	d.shapes[t] = fields
	return fields
}

// pair is one key of a mapping with its value.
type pair struct {
	name  string
	at    position // of the key
	value *yaml.Node
	place place // of the value
}

// pairs is the keys of a mapping with merged ones ("<<") behind its own, which win. It reports what is no mapping, keys
// that are no text, and keys that are written twice.
func (d *decoder) pairs(n *yaml.Node, p place) []pair {
	if n.Kind != yaml.MappingNode {
		d.problems.unreadable(p, "expected a mapping of keys to values, got %s", describe(n))
		return nil
	}
	d.budget -= len(n.Content) / 2
	var merges []pair
	own := keys{list: make([]pair, 0, len(n.Content)/2)}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			merges = append(merges, pair{value: value})
			continue
		}
		name, ok := d.keyName(key, p)
		if !ok {
			continue
		}
		if before, twice := own.find(name); twice {
			d.problems.unreadable(p.key(name).moved(whereIs(key)), "written twice, first on line %d", before.line)
			continue
		}
		own.add(makePair(name, key, value, p))
	}
	for _, m := range merges {
		for _, merged := range d.merged(m.value, p) {
			if _, ok := own.find(merged.name); !ok {
				own.add(merged)
			}
		}
	}
	return own.list
}

// keys are those of a mapping, each once.
type keys struct {
	list []pair
	at   map[string]position // nil where the list is short
}

// find says where a key is written.
func (k *keys) find(name string) (at position, found bool) {
	if k.at != nil {
		at, found = k.at[name]
		return at, found
	}
	for i := range k.list {
		if k.list[i].name == name {
			return k.list[i].at, true
		}
	}
	return position{}, false
}

func (k *keys) add(p pair) {
	k.list = append(k.list, p)
	switch {
	case k.at != nil:
		k.at[p.name] = p.at
	case len(k.list) > few:
		k.at = make(map[string]position, cap(k.list))
		for i := range k.list {
			k.at[k.list[i].name] = k.list[i].at
		}
	}
}

func makePair(name string, key, value *yaml.Node, p place) pair {
	at := whereIs(value)
	if value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode || empty(value) {
		// A block begins on the next line; its key is what a reader looks for.
		at = whereIs(key)
	}
	return pair{name: name, at: whereIs(key), value: value, place: p.key(name).moved(at)}
}

// keyName is the text of a key.
func (d *decoder) keyName(key *yaml.Node, p place) (string, bool) {
	at := p.moved(whereIs(key))
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	if key.Kind != yaml.ScalarNode {
		d.problems.unreadable(at, "expected a plain key, got %s", describe(key))
		return "", false
	}
	key, ok := d.expanded(key, at)
	return key.Value, ok
}

// merged is the keys that a "<<" brings: those of a mapping, or of a list of mappings of which the earlier ones win.
func (d *decoder) merged(n *yaml.Node, p place) []pair {
	p = p.moved(whereIs(n))
	if !d.enter(p) {
		return nil
	}
	defer d.leave()
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		return d.pairs(n, p)
	}
	var all []pair
	seen := make(map[string]bool)
	for _, item := range n.Content {
		for _, pair := range d.merged(item, p) {
			if !seen[pair.name] {
				seen[pair.name] = true
				all = append(all, pair)
			}
		}
	}
	return all
}

// tagged refuses tags that ask for something else than YAML's own plain kinds.
func (d *decoder) tagged(n *yaml.Node, p place) bool {
	switch n.Tag {
	case "", "!", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!merge", "!!timestamp":
		return true
	}
	d.problems.unreadable(p, "the tag %s means nothing here", n.Tag)
	return false
}

// empty says whether a node is written without a value: "key:", "key: ~" or "key: null".
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func whereIs(n *yaml.Node) position { return position{n.Line, n.Column} }

// describe names what a node is, for messages about what it should have been.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return fmt.Sprintf("%q", shorten(n.Value))
	}
	return "nothing"
}

// shorten keeps a long value from filling a message.
func shorten(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}
