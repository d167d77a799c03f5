package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"haldane/admin"
	"haldane/analysis"
	"haldane/rollout"
)

// watchedTraffic is a minute in which the canary begins to fail.
func watchedTraffic() *trends {
	t := newTrends()
	var stable, canary, failed uint64
	for second := range 60 {
		stable += 900 + uint64(second%7)*10
		canary += 50
		if second > 40 {
			failed += uint64(second - 40)
		}
		views := []rollout.View{{Service: "shop", Verdict: analysis.Verdict{Checks: []analysis.CheckVerdict{
			{Critical: true, Needed: 200, Evidence: float64(1 + second*3)},
		}}}}
		t.look(moment(second), &serviceList{Services: []admin.Service{{
			Name: "shop", Variants: []admin.Variant{{Name: "v1", Requests: stable}, {Name: "v2", Requests: canary, Failed: failed}},
		}}}, views)
	}
	return t
}

// spending is shop with a critical check and two kinds of a budget.
func spending() rollout.View {
	v := shop()
	v.Verdict.Checks[0].Critical = true
	v.Budget.Kinds = []rollout.LossView{
		{Kind: rollout.LossFailed, Limit: 100, Spent: 95, Left: 5}, {Kind: rollout.LossUsers, Limit: 5000, Spent: 1200, Left: 3800},
	}
	return v
}

func TestFrames(t *testing.T) {
	done := cart()
	done.Phase, done.Reason, done.Next = rollout.PhasePromoted, "the bake is done", ""
	for name, f := range map[string]frame{
		"all":     {palette: palette{blocks: true}, views: []rollout.View{spending(), cart()}, columns: 100, rows: 60},
		"one":     {palette: palette{blocks: true, colors: true}, views: []rollout.View{spending()}, detailed: true, columns: 120, rows: 60},
		"ascii":   {views: []rollout.View{spending(), done}, columns: 80, rows: 40},
		"narrow":  {palette: palette{blocks: true}, views: []rollout.View{spending()}, columns: 40, rows: 60},
		"low":     {views: []rollout.View{spending(), cart()}, columns: 80, rows: 10},
		"nothing": {columns: 80, rows: 10},
		"trouble": {views: []rollout.View{cart()}, trouble: "cannot reach Haldane\x1b[2J", columns: 80, rows: 30},
	} {
		t.Run(name, func(t *testing.T) {
			f.now, f.zone, f.where, f.trends = moment(60), time.UTC, "/run/haldane.sock", watchedTraffic()
			lines := f.lines()
			if len(lines) > f.rows {
				t.Errorf("%d lines on %d rows", len(lines), f.rows)
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); !f.colors && n > f.columns {
					t.Errorf("%d columns of %d: %q", n, f.columns, l)
				}
				if !f.colors && strings.Contains(l, "\x1b") {
					t.Errorf("what others wrote reaches the terminal: %q", l)
				}
			}
			golden(t, "frame_"+name, strings.ReplaceAll(strings.Join(lines, "\n"), "\x1b", "ESC")+"\n")
		})
	}
}

func TestGauges(t *testing.T) {
	var got strings.Builder
	for _, share := range []float64{-1, 0, 0.0001, 0.5, 0.9999, 1, 7} {
		fmt.Fprintf(&got, "%s\n", palette{}.gauge(share, 5))
	}
	if want := ".....\n.....\n#....\n###..\n####.\n#####\n#####\n"; got.String() != want {
		t.Errorf("%s", got.String())
	}
}

func TestSparklines(t *testing.T) {
	for want, c := range map[string]struct {
		values []float64
		full   float64
	}{
		"    ": {nil, 1},
		"  _#": {[]float64{0, 9}, 0},
		"_.=#": {[]float64{99, 0, 0.01, 5, 9}, 0}, // the oldest has no place
		"   .": {[]float64{0.05}, 1},
		"____": {[]float64{0, 0, 0, 0}, 0},
	} {
		if got := (palette{}).sparkline(c.values, len(want), c.full); got != want {
			t.Errorf("%v: %q, want %q", c.values, got, want)
		}
	}
}

// Another process counts from zero, and an event right after a look says nothing.
func TestTrends(t *testing.T) {
	all := newTrends()
	look := func(at time.Duration, requests, failed uint64) {
		all.look(moment(0).Add(at), &serviceList{Services: []admin.Service{{Name: "shop", Variants: []admin.Variant{{Name: "v1", Requests: requests, Failed: failed}}}}}, nil)
	}
	look(0, 100, 0)
	look(time.Second, 200, 10)
	look(time.Second+time.Millisecond, 201, 11)
	look(2*time.Second, 50, 0)
	look(4*time.Second, 150, 0)
	one := all.of[[2]string{"shop", "v1"}]
	if got := fmt.Sprint(one.rates, one.bad); got != "[100 50] [0.1 0]" {
		t.Error(got)
	}
	for range 2 * remembered {
		one.add(1, 1, 1)
	}
	if len(one.rates) != remembered {
		t.Errorf("%d values are kept", len(one.rates))
	}
}
