package cli

import (
	"strings"
	"unicode/utf8"
)

// style is how a piece of text looks on a terminal: the numbers of a "select graphic rendition" (ECMA-48 section 8.3.117).
type style string

const (
	plain style = ""
	bold  style = "1"
	dim   style = "2"
	red   style = "31"
	green style = "32"
	amber style = "33"
)

// span is a piece of text in one style. A line is several.
type (
	span struct {
		text  string
		style style
	}
	line []span
)

// palette says what a terminal can show.
type palette struct {
	colors bool // else every style is plain
	blocks bool // it shows more than ASCII
}

// paint writes a line into so many columns; what is longer is cut.
func (p palette) paint(l line, columns int) string {
	var out strings.Builder
	for _, s := range l {
		text := strings.ReplaceAll(printable(s.text), "\n", " ")
		if length := utf8.RuneCountInString(text); length > columns {
			text = string([]rune(text)[:columns])
		}
		columns -= utf8.RuneCountInString(text)
		if s.style != plain && p.colors {
			text = "\x1b[" + string(s.style) + "m" + text + "\x1b[0m"
		}
		out.WriteString(text)
	}
	return out.String()
}

// gauge draws a share as a bar of some columns. What is not nothing is seen, and what is not all is not full.
func (p palette) gauge(share float64, columns int) string {
	full, none := "#", "."
	if p.blocks {
		full, none = "█", "░"
	}
	filled := int(min(max(share, 0), 1)*float64(columns) + 0.5)
	switch {
	case share > 0 && filled == 0:
		filled = 1
	case share < 1 && filled == columns:
		filled--
	}
	return strings.Repeat(full, filled) + strings.Repeat(none, columns-filled)
}

// sparkline draws the last values as columns whose height is relative to the largest, or to the least that may be called full.
func (p palette) sparkline(values []float64, columns int, full float64) string {
	heights := []rune("_.-:=+*#")
	if p.blocks {
		heights = []rune("▁▂▃▄▅▆▇█")
	}
	values = values[max(0, len(values)-columns):]
	for _, v := range values {
		full = max(full, v)
	}
	out := []rune(strings.Repeat(" ", columns-len(values)))
	for _, v := range values {
		height := 0
		if full > 0 {
			height = min(len(heights)-1, int(v/full*float64(len(heights)-1)+0.5))
		}
		if v > 0 && height == 0 {
			height = 1
		}
		out = append(out, heights[height])
	}
	return string(out)
}
