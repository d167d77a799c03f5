package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parse reads the one YAML document of a file. Without one it reports why and returns nil.
func parse(src []byte, problems *collector) *yaml.Node {
	if at, message := badCharacter(src); message != "" {
		problems.add(place{at: at}, "%s", message)
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		problems.add(place{}, "start the YAML reader: %s", err)
		return nil
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		problems.add(place{at: position{1, 1}}, "the file is empty")
		return nil
	case err != nil:
		syntaxProblem(err, src, problems)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		problems.add(place{at: whereIs(&second)}, "a second document begins here; a configuration is one document")
	case !errors.Is(err, io.EOF):
		syntaxProblem(err, src, problems)
	}
	root := document.Content[0]
	if empty(root) {
		problems.add(place{at: position{1, 1}}, "the file is empty")
		return nil
	}
	if root.Kind != yaml.MappingNode {
		problems.add(place{at: whereIs(root)}, "expected a mapping of keys to values, got %s", describe(root))
		return nil
	}
	return root
}

// badCharacter finds what no YAML file may hold, and which the library reports without a position.
func badCharacter(src []byte) (position, string) {
	at := position{1, 1}
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		switch {
		case r == utf8.RuneError && size == 1:
			return at, "this is not UTF-8 text"
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r >= 0x7f && r < 0xa0 && r != 0x85:
			return at, fmt.Sprintf("control character %U; write it as an escape in double quotes", r)
		}
		at.column++
		if r == '\n' {
			at = position{at.line + 1, 1}
		}
		src = src[size:]
	}
	return position{}, ""
}

// syntaxProblem reports a mistake in the YAML itself, in the words of somebody who wrote the file.
func syntaxProblem(err error, src []byte, problems *collector) {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		problems.add(place{}, "not valid YAML: %s", err)
		return
	}
	at, begin := position{e.Mark.Line, e.Mark.Column}, position{e.ContextMark.Line, e.ContextMark.Column}
	switch text := e.Message; {
	case text == "found character that cannot start any token":
		problems.add(place{at: at}, "%s", badStart(src, at))
	case strings.HasPrefix(text, "mapping values are not allowed"):
		problems.add(place{at: at}, `a ":" is not expected here; check the indentation, or put the value in quotes`)
	case text == "could not find expected ':'":
		problems.add(place{at: begin}, `expected "key: value"`)
	case text == "did not find expected key":
		problems.add(place{at: at}, "expected a key; check the indentation and the brackets of this line")
	case strings.HasPrefix(text, "did not find expected ',' or"):
		problems.add(place{at: begin}, "the bracket that opens here is not closed, or a comma is missing in it (a ${VARIABLE} "+
			"between brackets needs quotes)")
	case text == "found unexpected end of stream":
		problems.add(place{at: begin}, "the quotation that begins here does not end")
	case strings.HasPrefix(text, "unknown anchor"):
		problems.add(place{at: at}, "%s; an anchor stands above its aliases", strings.TrimSuffix(text, " referenced"))
	case strings.HasPrefix(text, "exceeded max depth"):
		problems.add(place{at: at}, "nested too deeply")
	default:
		problems.add(place{at: at}, "not valid YAML: %s", text)
	}
}

// badStart explains a character that no value begins with.
func badStart(src []byte, at position) string {
	lines := bytes.SplitN(src, []byte("\n"), at.line+1)
	if at.line < 1 || at.line > len(lines) {
		return "not valid YAML here"
	}
	line := []rune(string(lines[at.line-1]))
	if at.column < 1 || at.column > len(line) {
		return "not valid YAML here"
	}
	if c := line[at.column-1]; c != '\t' {
		return fmt.Sprintf("a value cannot begin with %q; put it in quotes", c)
	}
	return "a tab cannot indent a line; use spaces"
}
