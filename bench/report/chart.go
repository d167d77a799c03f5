package report

import (
	"fmt"
	"io"
)

// bar is one value of a chart.
type bar struct {
	name string
	got  Spread
}

// chart is horizontal bars, the smaller the better.
type chart struct {
	title string
	unit  string
	bars  []bar
}

// The measures of a chart in pixels.
const (
	chartWidth = 720
	barLeft    = 130
	barRight   = 620
	barHeight  = 30
	barTop     = 40
)

// write draws the chart as SVG. It reads well on light and dark pages alike.
func (c chart) write(to io.Writer) error {
	p := &paper{to: to}
	height := barTop + barHeight*len(c.bars) + 10
	p.line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-sans-serif, system-ui, sans-serif" font-size="14" role="img" aria-label="%s">`,
		chartWidth, height, c.label())
	p.line(`  <style>
    .subject { fill: #2f7d5b } .other { fill: #9fb3c8 } .whisker { stroke: #3a4a5a; stroke-width: 1.5 }
    text { fill: #1c2733 } .title { font-weight: 600 }
    @media (prefers-color-scheme: dark) { .other { fill: #52677c } .whisker { stroke: #e6edf3 } text { fill: #e6edf3 } }
  </style>`)
	p.line(`  <text class="title" x="10" y="22">%s</text>`, c.title)
	most := 0.0
	for _, b := range c.bars {
		most = max(most, b.got.High)
	}
	scale := func(v float64) float64 { return barLeft + v/most*(barRight-barLeft) }
	for i, b := range c.bars {
		class := "other"
		if b.name == subject {
			class = "subject"
		}
		top := barTop + barHeight*i
		p.line(`  <text x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-8, top+18, b.name)
		p.line(`  <rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, barLeft, top+4, scale(b.got.Median)-barLeft, barHeight-10)
		p.line(`  <path class="whisker" d="M%.1f %dH%.1f"/>`, scale(b.got.Low), top+14, scale(b.got.High))
		p.line(`  <text x="%.1f" y="%d">%s %s</text>`, scale(b.got.High)+8, top+18, number(b.got.Median), c.unit)
	}
	p.line(`</svg>`)
	return p.err
}

// label says in words what is drawn.
func (c chart) label() string {
	text := c.title + ":"
	for _, b := range c.bars {
		text += fmt.Sprintf(" %s %s %s,", b.name, number(b.got.Median), c.unit)
	}
	return text[:len(text)-1] + "."
}

// Picture is a drawing and the name of its file.
type Picture struct {
	Name  string
	chart chart
}

// Write writes the picture as SVG.
func (p Picture) Write(to io.Writer) error { return p.chart.write(to) }

// Pictures are those of which something was measured.
func (r *Report) Pictures() []Picture {
	var list []Picture
	add := func(name, scenario, load, title, unit string, figure func(*Scenario) Figure) {
		s := r.Scenario(scenario)
		if s == nil {
			return
		}
		c := chart{title: title, unit: unit}
		for _, peer := range s.Peers() {
			if got := s.Of(Key{peer, load}, figure(s)); got.Count > 0 {
				c.bars = append(c.bars, bar{peer, got})
			}
		}
		if len(c.bars) > 0 {
			list = append(list, Picture{name, c})
		}
	}
	add("bench-small.svg", "small", closed, "CPU time for a small request, microseconds (median, least to most)", "us", (*Scenario).Cost)
	add("bench-bodies.svg", "1m", closed, "CPU time for a MiB of a 1 MiB body, microseconds (median, least to most)", "us", (*Scenario).Cost)
	add("bench-tail.svg", "small", "open 80 %", "p99 at 80 % load, from when a request was due, microseconds", "us",
		func(*Scenario) Figure { return func(r Run) float64 { return r.P99 } })
	return list
}
