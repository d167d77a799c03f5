package analysis

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGroupsWeighTheScore(t *testing.T) {
	checks := []Check{{Name: "a"}, {Name: "b", Quantile: 0.5}, {Name: "c", Group: "shop"}, {Name: "d", Group: "shop"}, {Name: "e"}}
	scores := []float64{100, 50, 20, 40, 0}
	for _, c := range []struct {
		name   string
		groups []Group
		want   map[string]float64
		score  float64
	}{
		{"all the same", nil, map[string]float64{"errors": 1. / 3, "latency": 1. / 3, "shop": 1. / 3}, (50. + 50 + 30) / 3},
		{"one is given", []Group{{"shop", 0.8}}, map[string]float64{"errors": 0.1, "latency": 0.1, "shop": 0.8}, 5 + 5 + 24},
		{
			"all are given",
			[]Group{{"shop", 0.2}, {"errors", 0.2}, {"latency", 0.1}},
			map[string]float64{"errors": 0.4, "latency": 0.2, "shop": 0.4},
			20 + 10 + 12,
		},
		{"one counts for nothing", []Group{{"shop", 0}}, map[string]float64{"errors": 0.5, "latency": 0.5, "shop": 0}, 50},
		{"one that is not there", []Group{{"other", 0.4}}, map[string]float64{"errors": 1. / 3, "latency": 1. / 3, "shop": 1. / 3}, 130. / 3},
		{
			"all count for nothing",
			[]Group{{"shop", 0}, {"errors", 0}, {"latency", 0}},
			map[string]float64{"errors": 1. / 3, "latency": 1. / 3, "shop": 1. / 3},
			130. / 3,
		},
	} {
		j := NewJudge(Settings{Checks: checks, Groups: c.groups})
		var list []CheckVerdict
		for i := range checks {
			list = append(list, CheckVerdict{Score: scores[i]})
		}
		groups := j.scores(list)
		got := map[string]float64{}
		for _, g := range groups {
			got[g.Name] = math.Round(g.Weight*1e12) / 1e12
		}
		for name, w := range c.want {
			c.want[name] = math.Round(w*1e12) / 1e12
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		near(t, c.name, score(list, groups), c.score)
		list[2].Class = Fail
		if score(list, groups) == 0 {
			t.Errorf("%s: a check that is not critical makes the score 0", c.name)
		}
		list[2].Critical = true
		if score(list, groups) != 0 {
			t.Errorf("%s: a critical check has failed, the score is %v", c.name, score(list, groups))
		}
	}
}

func TestGroupsAreValidated(t *testing.T) {
	for name, groups := range map[string][]Group{
		"no name":   {{"", 0.5}},
		"twice":     {{"a", 0.1}, {"a", 0.1}},
		"negative":  {{"a", -0.1}},
		"no number": {{"a", math.NaN()}},
		"too much":  {{"a", 0.6}, {"b", 0.6}},
	} {
		if (Settings{Groups: groups}).Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := (Settings{Groups: []Group{{"a", 0.6}, {"b", 0.4}}}).Validate(); err != nil {
		t.Error(err)
	}
}

// A muted check is shown and counts for nothing.
func TestMutedCheckCountsForNothing(t *testing.T) {
	loud := Settings{Checks: []Check{{Name: "errors", Relative: 0.1, Absolute: 0.001, Critical: true}}}
	both := Settings{Checks: []Check{loud.Checks[0], {Name: "trial", Critical: true, Muted: true}}}
	a, b := newSim(t, 1, loud), newSim(t, 1, both)
	for _, s := range []*sim{a, b} {
		s.weight, s.stable, s.canary = 0.5, 0.05, 0.055
		s.run(10 * time.Minute)
	}
	x, y := a.j.Verdict(), b.j.Verdict()
	if y.Checks[1].Class != Fail || !y.Checks[1].Muted || y.Checks[1].Critical || y.Checks[1].Score != 0 {
		t.Errorf("the trial is not shown: %+v", y.Checks[1])
	}
	if diff := cmp.Diff(x.Checks[0], y.Checks[0]); diff != "" {
		t.Errorf("the trial takes from the other: %s", diff)
	}
	if x.Class == Fail || x.Class != y.Class || x.Score != y.Score || !cmp.Equal(x.Groups, y.Groups) || y.Text != "errors: "+x.Text {
		t.Errorf("the trial counts:\n%+v\n%+v", x, y)
	}
}

func TestAllMuted(t *testing.T) {
	s := newSim(t, 1, Settings{Checks: []Check{{Name: "a", Muted: true, Critical: true}, {Name: "b", Muted: true}}})
	s.weight, s.canary = 0.5, 1
	s.run(time.Minute)
	v := s.j.Verdict()
	if v.Class != NoData || v.Score != 50 || len(v.Groups) != 0 || v.Checks[0].Class != Fail || v.Text != "no check counts: all are muted" {
		t.Errorf("%+v", v)
	}
}

// A dry run has all of alpha to itself. When it begins to count, its fail is looked at again with what it may use then.
func TestUnmutedFailIsLookedAtAgain(t *testing.T) {
	with := func(muted bool) Settings {
		return Settings{Checks: []Check{{Name: "a", Critical: true}, {Name: "b", Critical: true, Muted: muted}}}
	}
	for _, c := range []struct {
		sup  float64
		want bool
	}{{4.7, false}, {6.5, true}} {
		s := newSim(t, 1, with(true))
		s.weight = 0.5
		s.run(10 * time.Second)
		k := &s.j.memory.Checks[1]
		k.FailedAt, k.Harm.Sup = s.now.UnixNano(), c.sup
		j, err := Restore(with(false), s.j.State())
		if err != nil {
			t.Fatal(err)
		}
		if failed := j.Verdict().Class == Fail; failed != c.want {
			t.Errorf("evidence %v: failed %v, want %v", c.sup, failed, c.want)
		}
	}
}
