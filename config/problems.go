package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// File is the name that the configuration was loaded under.
	File string
	// Line and Column count from 1; zero is unknown.
	Line, Column int
	// Path leads to the value, for example services.shop.variants.v2.endpoints[0]. Empty for the file as a whole.
	Path string
	// Message says what is wrong and what was expected.
	Message string
}

// String is the problem on one line: file:line:col: path: message.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column))
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is all that is wrong with a configuration, in the order of the file. As an error it is one line each.
type Problems []Problem

// Error is one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// collector gathers the problems of one file.
type collector struct {
	file string
	list Problems
	// said holds what was reported already. The same message at the same position is said once: an anchor that is
	// used ten times has one mistake, not ten.
	said map[Problem]bool
	// broken holds the paths whose value could not be read, and what they are a direct part of. To judge such a value
	// would only repeat the complaint in other words.
	broken map[string]bool
}

func newCollector(file string) *collector {
	return &collector{file: file, said: make(map[Problem]bool), broken: make(map[string]bool)}
}

// unreadable reports a value that could not be read.
func (c *collector) unreadable(p place, format string, args ...any) {
	c.broken[p.up.path()], c.broken[p.path()] = true, true
	c.add(p, format, args...)
}

// wrong reports a value that was read and is not allowed.
func (c *collector) wrong(p place, format string, args ...any) {
	if !c.unread(p) {
		c.add(p, format, args...)
	}
}

// unread says whether the value of a place, or of something directly in it, could not be read.
func (c *collector) unread(p place) bool { return len(c.broken) > 0 && c.broken[p.path()] }

func (c *collector) add(p place, format string, args ...any) {
	// A value of the file may hold line ends, a message may not.
	message := strings.NewReplacer("\n", " ", "\r", " ").Replace(fmt.Sprintf(format, args...))
	c.put(Problem{File: c.file, Line: p.at.line, Column: p.at.column, Path: p.path(), Message: message})
}

// put takes a problem that was not said yet.
func (c *collector) put(problem Problem) {
	key := problem
	if problem.Line > 0 {
		key.Path = ""
	}
	if !c.said[key] {
		c.said[key] = true
		c.list = append(c.list, problem)
	}
}

// err is nil without problems, and the sorted Problems otherwise.
func (c *collector) err() error {
	if len(c.list) == 0 {
		return nil
	}
	slices.SortStableFunc(c.list, Problem.Compare)
	return c.list
}

// Compare is negative when the problem comes before the other one in the file, and positive when it comes after it.
func (p Problem) Compare(other Problem) int {
	return cmp.Or(cmp.Compare(p.Line, other.Line), cmp.Compare(p.Column, other.Column), cmp.Compare(p.Path, other.Path))
}
