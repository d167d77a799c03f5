package config

import (
	"fmt"
	"slices"
	"strings"
)

// predicate checks one condition and those inside it.
func (v *validator) predicate(p *Predicate, at place) {
	kinds := p.kinds()
	matchers := v.value(p, at)
	switch {
	case len(kinds) == 0 && matchers == 0:
		v.problems.wrong(at, "expected one of all, any, not, header, cookie, query, method, path, path_prefix, path_regexp, "+
			"client or percent")
	case len(kinds) > 1:
		v.problems.wrong(at, "%s exclude each other; put them under all or any", list(kinds))
	}
	v.places(p, at)
	v.percentOf(p, at)
	for i := range p.All {
		v.predicate(&p.All[i], at.key("all").item(i))
	}
	for i := range p.Any {
		v.predicate(&p.Any[i], at.key("any").item(i))
	}
	if p.Not != nil {
		v.predicate(p.Not, at.key("not"))
	}
}

// kinds is the keys that say what a predicate is about.
func (p *Predicate) kinds() []string {
	return given([]option{
		{"all", len(p.All) > 0},
		{"any", len(p.Any) > 0},
		{"not", p.Not != nil},
		{"header", p.Header != ""},
		{"cookie", p.Cookie != ""},
		{"query", p.Query != ""},
		{"method", len(p.Method) > 0},
		{"path", p.Path != ""},
		{"path_prefix", p.PathPrefix != ""},
		{"path_regexp", p.PathRegexp != ""},
		{"client", len(p.Client) > 0},
		{"percent", p.Percent != 0 || p.Of != nil},
	})
}

// value checks where a value is read and which values count. It says how many matchers there are.
func (v *validator) value(p *Predicate, at place) int {
	if p.Header != "" || p.Cookie != "" || p.Query != "" {
		v.keyNames(&Key{Header: p.Header, Cookie: p.Cookie, Query: p.Query}, at)
	}
	n := v.matchers(at, []matcher{
		{"exact", p.Exact}, {"prefix", p.Prefix}, {"regexp", p.Regexp}, {"in", strings.Join(p.In, "\n")}, {"in_file", p.InFile},
	})
	if n > 0 && p.Header == "" && p.Cookie == "" && p.Query == "" {
		v.problems.wrong(at, "exact, prefix, regexp, in and in_file need a header, a cookie or a query to look at")
	}
	return n
}

// places checks method, path and client.
func (v *validator) places(p *Predicate, at place) {
	for i, method := range p.Method {
		if in := at.key("method").item(i); !isToken(method) {
			v.problems.wrong(in, "%q is not a method", method)
		} else if upper := strings.ToUpper(method); upper != method && knownMethod(upper) {
			v.problems.wrong(in, "methods are compared with their case; did you mean %q?", upper)
		}
	}
	if p.Path != "" {
		v.check(at.key("path"), path(p.Path))
	}
	if p.PathPrefix != "" {
		v.check(at.key("path_prefix"), path(p.PathPrefix))
	}
	if p.PathRegexp != "" {
		v.check(at.key("path_regexp"), expression(p.PathRegexp))
	}
	for i, client := range p.Client {
		v.check(at.key("client").item(i), network(client))
	}
}

func (v *validator) percentOf(p *Predicate, at place) {
	switch {
	case p.Of != nil:
		v.readFrom(p.Of, at.key("of"), "header, cookie, query or client_address")
		v.share(at.key("percent"), p.Percent)
	case p.Percent != 0:
		v.problems.wrong(at, "percent needs the key that it is a share of; add of")
	}
}

func knownMethod(name string) bool {
	return slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}, name)
}

// matcher is one way to say which values count.
type matcher struct{ key, text string }

// matchers checks that at most one is given and none is empty. It says how many there are.
func (v *validator) matchers(at place, all []matcher) int {
	var found []string
	for _, m := range all {
		if m.text == "" && at.key(m.key).written() {
			v.problems.wrong(at.key(m.key), "this is empty and would never match")
		} else if m.text == "" {
			continue
		}
		found = append(found, m.key)
		if m.key == "regexp" {
			v.check(at.key(m.key), expression(m.text))
		}
	}
	if len(found) > 1 {
		v.problems.wrong(at, "%s exclude each other", list(found))
	}
	return len(found)
}

// readFrom checks that a key is read at exactly one place; choice lists the places there are.
func (v *validator) readFrom(k *Key, at place, choice string) {
	v.keyNames(k, at)
	found := given([]option{
		{"header", k.Header != ""}, {"cookie", k.Cookie != ""}, {"query", k.Query != ""}, {"client_address", k.ClientAddress},
	})
	if len(found) > 1 {
		v.problems.wrong(at, "%s exclude each other", list(found))
	}
	if len(found) == 0 {
		v.problems.wrong(at, "expected one of %s", choice)
	}
}

// keyNames checks the names of the field, the cookie or the query parameter that a key is read from.
func (v *validator) keyNames(k *Key, at place) {
	if k.Header != "" && !isToken(k.Header) {
		v.problems.wrong(at.key("header"), "%q is not the name of a field", k.Header)
	}
	if k.Cookie != "" && !isToken(k.Cookie) {
		v.problems.wrong(at.key("cookie"), "%q is not the name of a cookie", k.Cookie)
	}
	if strings.ContainsAny(k.Query, "&=#+; ") {
		v.problems.wrong(at.key("query"), "%q is not the name of a query parameter", k.Query)
	}
}

// option is a key and whether it is given.
type option struct {
	key   string
	given bool
}

func given(options []option) []string {
	var keys []string
	for _, o := range options {
		if o.given {
			keys = append(keys, o.key)
		}
	}
	return keys
}

// list writes words as "a, b and c".
func list(words []string) string {
	last := len(words) - 1
	return fmt.Sprintf("%s and %s", strings.Join(words[:last], ", "), words[last])
}
