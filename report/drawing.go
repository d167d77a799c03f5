package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The drawing, in its own units.
const (
	width, height = 1000, 240
	left, right   = 44, 990
	top, bottom   = 14, 210
	// apart is how far two names of steps are from each other at least.
	apart = 60
)

// scale says where moments and weights are.
type scale struct {
	from time.Time
	long time.Duration
}

func (s scale) x(t time.Time) float64 {
	if s.long <= 0 {
		return left
	}
	return left + (right-left)*min(1, max(0, float64(t.Sub(s.from))/float64(s.long)))
}

func (s scale) y(ratio float64) float64 { return bottom - (bottom-top)*min(1, max(0, ratio)) }

// draw writes weights and steps over time. A rollout that never began has nothing to be drawn.
func (r *Report) draw(p *page) {
	if r.Started.IsZero() || !r.Ended.After(r.Started) {
		return
	}
	s := scale{from: r.Started, long: r.Ended.Sub(r.Started)}
	p.raw("\n").open("h2").text("Weight of the canary").shut("h2")
	p.open("svg", "viewBox", fmt.Sprintf("0 0 %d %d", width, height), "role", "img", "aria-label", "weight of the canary over time")
	for _, ratio := range []float64{0, 0.25, 0.5, 0.75, 1} {
		line(p, "axis", left, s.y(ratio), right, s.y(ratio))
		label(p, 4, s.y(ratio)+4, strconv.Itoa(int(100*ratio))+" %")
	}
	for _, w := range r.Waits {
		p.open("rect", "class", w.Kind, "x", unit(s.x(w.From)), "y", unit(top),
			"width", unit(max(1, s.x(w.To)-s.x(w.From))), "height", unit(bottom-top))
		p.open("title").text(w.Kind + " " + span(w.To.Sub(w.From)) + ": " + w.Reason).shut("title").shut("rect")
	}
	path := r.path(s)
	p.open("path", "class", "area", "d", path+" V"+unit(bottom)+" H"+unit(left)+" Z").shut("path")
	p.open("path", "class", "weight", "d", path).shut("path")
	free := 0.0
	for _, step := range r.Steps {
		x := s.x(step.Entered)
		line(p, "mark", x, top, x, bottom)
		if x >= free {
			label(p, x+3, top-3, step.Name+" ("+step.Weight.String()+")")
			free = x + apart
		}
	}
	label(p, left, height-12, instant(r.Started)+" UTC")
	p.open("text", "x", unit(right), "y", unit(height-12), "text-anchor", "end").text(span(s.long) + " later").shut("text")
	p.shut("svg")
}

// path is the weight as a line of steps.
func (r *Report) path(s scale) string {
	var b strings.Builder
	begun := false
	for i := range r.Moments {
		m := &r.Moments[i]
		if m.Time.Before(r.Started) {
			continue
		}
		y := unit(s.y(m.Weight.Ratio()))
		if !begun {
			begun = true
			b.WriteString("M" + unit(s.x(m.Time)) + " " + y)
			continue
		}
		b.WriteString(" H" + unit(s.x(m.Time)) + " V" + y)
	}
	if !begun {
		return "M" + unit(left) + " " + unit(bottom)
	}
	return b.String()
}

func unit(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func line(p *page, class string, x1, y1, x2, y2 float64) {
	p.open("line", "class", class, "x1", unit(x1), "y1", unit(y1), "x2", unit(x2), "y2", unit(y2)).shut("line")
}

func label(p *page, x, y float64, text string) {
	p.open("text", "x", unit(x), "y", unit(y)).text(text).shut("text")
}
