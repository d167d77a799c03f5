package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxListLine bounds one value of a list: longer ones are no list of values but some other file.
const maxListLine = 4096

// loadLists reads the files behind in_file.
func (c *Config) loadLists(problems *collector, top place) {
	for _, name := range names(c.Segments) {
		p := c.Segments[name]
		c.loadList(&p, problems, top.key("segments").key(name))
		c.Segments[name] = p
	}
}

func (c *Config) loadList(p *Predicate, problems *collector, at place) {
	if p.InFile != "" {
		at := at.key("in_file")
		src, err := readFile(p.InFile)
		if err == nil {
			p.List, err = parseList(src)
		}
		var missing *fs.PathError
		switch {
		case errors.As(err, &missing):
			problems.wrong(at, "cannot read %s: %s", missing.Path, missing.Err)
		case err != nil:
			problems.wrong(at, "%s", err)
		}
		c.addSource(source{p.InFile, sha256.Sum256(src)})
	}
	for i := range p.All {
		c.loadList(&p.All[i], problems, at.key("all").item(i))
	}
	for i := range p.Any {
		c.loadList(&p.Any[i], problems, at.key("any").item(i))
	}
	if p.Not != nil {
		c.loadList(p.Not, problems, at.key("not"))
	}
}

// addSource remembers a file once, however many segments name it.
func (c *Config) addSource(s source) {
	same := func(o source) bool { return o.path == s.path }
	if !slices.ContainsFunc(c.sources, same) {
		c.sources = append(c.sources, s)
	}
}

// parseList reads one value a line. Blank lines and lines that begin with "#" are skipped, and so is the rest of a line
// after a space and "#".
func parseList(src []byte) ([]string, error) {
	values := []string{}
	number := 0
	for line := range strings.Lines(string(src)) {
		number++
		if !utf8.ValidString(line) || strings.ContainsRune(line, 0) {
			return nil, fmt.Errorf("line %d of the list is not UTF-8 text", number)
		}
		if len(line) > maxListLine {
			return nil, fmt.Errorf("line %d of the list is longer than %d bytes", number, maxListLine)
		}
		if value := withoutComment(line); value != "" {
			values = append(values, value)
		}
	}
	return values, nil
}

func withoutComment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	return strings.TrimSpace(line)
}
