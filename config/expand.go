package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// expanded is a scalar with its variables put in; other nodes come back as they are. It works on the tree and not on the
// text, so that a value can neither add YAML nor move a line. A plain scalar loses its kind, so that a number stays a
// number, and one that expands to nothing counts as not written.
func (d *decoder) expanded(n *yaml.Node, p place) (*yaml.Node, bool) {
	if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, "$") {
		return n, true
	}
	text, err := expand(n.Value, d.getenv)
	if err != nil {
		d.problems.unreadable(p, "%s", err)
		return n, false
	}
	copied := *n
	copied.Value = text
	if n.Style == 0 {
		copied.Tag = "!!str"
		if text == "" {
			copied.Tag = "!!null"
		}
	}
	return &copied, true
}

// expand replaces ${VAR}, ${VAR:-default}, ${VAR:?message} and $$. Any other $ stands for itself, as regular expressions
// need it. The default and the message hold for a variable that is unset or empty and are taken as they stand.
func expand(text string, getenv func(string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || i == len(text)-1 {
			b.WriteString(text)
			return b.String(), nil
		}
		b.WriteString(text[:i])
		switch text[i+1] {
		case '$':
			b.WriteByte('$')
			text = text[i+2:]
		case '{':
			inside, rest, found := strings.Cut(text[i+2:], "}")
			if !found {
				return "", errors.New(`"${" has no closing "}"; write "$$" for a plain "$"`)
			}
			value, err := variable(inside, getenv)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
			text = rest
		default:
			b.WriteByte('$')
			text = text[i+1:]
		}
	}
}

// variable is the value of what stands between the braces.
func variable(inside string, getenv func(string) (string, bool)) (string, error) {
	name, rest, _ := strings.Cut(inside, ":")
	if !variableName(name) {
		return "", fmt.Errorf("%q is not the name of a variable", shorten(name))
	}
	if strings.Contains(rest, "${") {
		return "", errors.New("a default cannot hold another variable")
	}
	value, set := "", false
	if getenv != nil {
		value, set = getenv(name)
	}
	switch {
	case name == inside && !set:
		return "", fmt.Errorf("the variable %s is not set; write ${%s:-} to allow that", name, name)
	case name == inside:
		return value, nil
	case strings.HasPrefix(rest, "-"):
		return cmp.Or(value, rest[1:]), nil
	case strings.HasPrefix(rest, "?") && value == "":
		return "", fmt.Errorf("the variable %s is missing: %s", name, rest[1:])
	case strings.HasPrefix(rest, "?"):
		return value, nil
	}
	return "", fmt.Errorf("expected ${%s}, ${%s:-default} or ${%s:?message}", name, name, name)
}

// variableName says whether a name is one that a shell can set.
func variableName(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
