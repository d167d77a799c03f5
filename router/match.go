package router

import (
	"bytes"
	"fmt"
	"regexp"
)

// matcher says which values count. A matcher is immutable, and allocates nothing for a value it has seen lately.
type matcher interface{ matches(value []byte) bool }

// exactly is one value.
type exactly string

func (m exactly) matches(value []byte) bool { return string(value) == string(m) }

// beginning is all values that begin with it.
type beginning []byte

func (m beginning) matches(value []byte) bool { return bytes.HasPrefix(value, m) }

// oneOf is a list of values.
type oneOf map[string]struct{}

func (m oneOf) matches(value []byte) bool {
	_, ok := m[string(value)]
	return ok
}

func newOneOf(lists ...[]string) oneOf {
	m := make(oneOf)
	for _, list := range lists {
		for _, value := range list {
			m[value] = struct{}{}
		}
	}
	return m
}

// compiler turns the configuration of one table into matchers and conditions. The regular expressions of one table share
// one memo, which bounds their memory together.
type compiler struct {
	memo        *memo
	expressions map[string]*expression // by text: the same text is compiled once
}

// matching is one way to say which values count; config has checked that at most one is given.
type matching struct {
	exact, prefix, regexp string
	list                  oneOf
}

// matcher compiles it; nil when nothing is said, which everybody reads in their own way.
func (c *compiler) matcher(m matching) (matcher, error) {
	switch {
	case m.exact != "":
		return exactly(m.exact), nil
	case m.prefix != "":
		return beginning(m.prefix), nil
	case m.regexp != "":
		return c.regexp(m.regexp)
	case m.list != nil:
		return m.list, nil
	}
	return nil, nil
}

// regexp compiles a regular expression. The memo is made for the first one.
func (c *compiler) regexp(text string) (matcher, error) {
	if e, ok := c.expressions[text]; ok {
		return e, nil
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("compile the regular expression %q: %w", text, err)
	}
	if c.memo == nil {
		if c.memo, err = newMemo(); err != nil {
			return nil, err
		}
		c.expressions = make(map[string]*expression)
	}
	e := &expression{compiled: compiled, memo: c.memo}
	c.expressions[text] = e
	return e, nil
}
