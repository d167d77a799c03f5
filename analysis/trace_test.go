package analysis

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

type trace struct {
	Name   string
	Config struct {
		Alpha, Beta  float64
		ErrRel       float64   `json:"err_rel"`
		ErrAbs       float64   `json:"err_abs"`
		Levels       []float64 `json:"levels"`
		LatRel       []float64 `json:"lat_rel"`
		LatAbsMicros float64   `json:"lat_abs_us"`
		ErrWeight    float64   `json:"err_weight"`
		GuardK       int       `json:"guard_k"`
		BlockSec     float64   `json:"block_sec"`
		LatBlock     float64   `json:"lat_block"`
		RefreshSec   float64   `json:"refresh_sec"`
		HalfLife     float64   `json:"half_life"`
		RestartSec   float64   `json:"restart_sec"`
		WarmUpSec    float64   `json:"warmup_sec"`
		MinStable    float64   `json:"min_stable"`
	}
	Ticks  []traceTick
	Expect []struct {
		Tick       int
		LogEHarm   []float64 `json:"log_e_harm"`
		LogESafe   []float64 `json:"log_e_safe"`
		Thresholds []*[2]int
	}
	FailAt []*float64 `json:"fail_at"`
}

type traceTick struct {
	now, weight                          float64
	canary, canaryBad, stable, stableBad uint64
	canaryLatency, stableLatency         []Bucket
}

func (k *traceTick) UnmarshalJSON(text []byte) error {
	var c, s [][2]uint64
	if err := json.Unmarshal(text, &[]any{&k.now, &k.weight, &k.canary, &k.canaryBad, &k.stable, &k.stableBad, &c, &s}); err != nil {
		return err
	}
	for _, b := range c {
		k.canaryLatency = append(k.canaryLatency, Bucket{int(b[0]), b[1]})
	}
	for _, b := range s {
		k.stableLatency = append(k.stableLatency, Bucket{int(b[0]), b[1]})
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (tr *trace) settings() Settings {
	c := tr.Config
	s := Settings{
		Alpha: c.Alpha, Beta: c.Beta, Refresh: seconds(c.RefreshSec), HalfLife: seconds(c.HalfLife),
		RestartEvery: seconds(c.RestartSec), WarmUp: seconds(c.WarmUpSec), MinReference: c.MinStable,
		Checks: []Check{{
			Name: "errors", Relative: c.ErrRel, Absolute: c.ErrAbs, Share: c.ErrWeight, Critical: true,
			Window: seconds(c.BlockSec), Windows: c.GuardK,
		}},
	}
	for i, q := range c.Levels {
		s.Checks = append(s.Checks, Check{
			Name: fmt.Sprint("q", q), Quantile: q, Relative: c.LatRel[i], Slack: seconds(c.LatAbsMicros / 1e6),
			Critical: true, Window: seconds(c.LatBlock), Windows: c.GuardK,
		})
	}
	return s
}

func TestTraces(t *testing.T) {
	var traces []trace
	load(t, "traces.json", &traces)
	for _, tr := range traces {
		t.Run(tr.Name, func(t *testing.T) {
			j := NewJudge(tr.settings())
			epoch := time.Unix(1_699_999_999, 0) // the traces have a latency window begin at 1 s
			for i, c := range j.settings.Checks {
				guard := j.rules[i].needed / (float64(c.Windows) - 0.5)
				j.rules[i].stakes = even(harm) // the traces spread all money evenly, that of a median too
				j.memory.Checks[i].Harm = newProcess(even(harm))
				j.rules[i].burst = fixedWindows(int64(c.Window), guard) // the traces have fixed windows, and a guard for these
			}
			next := 0
			for i, k := range tr.Ticks {
				now := epoch.Add(seconds(k.now))
				j.Observe(now, []Block{{
					Stratum: 1, Weight: k.weight,
					Canary:        Counts{Bad: k.canaryBad, Good: k.canary - k.canaryBad},
					Stable:        Counts{Bad: k.stableBad, Good: k.stable - k.stableBad},
					CanaryLatency: k.canaryLatency, StableLatency: k.stableLatency,
				}})
				if next < len(tr.Expect) && tr.Expect[next].Tick == i {
					e := tr.Expect[next]
					for c := range e.LogEHarm {
						what := fmt.Sprintf("tick %d %s", i, j.settings.Checks[c].Name)
						near(t, what+" harm", j.memory.Checks[c].Harm.Log, e.LogEHarm[c])
						near(t, what+" safe", j.memory.Checks[c].Safe.Log, e.LogESafe[c])
						if c > 0 && e.Thresholds[c-1] != nil {
							st := j.memory.Strata[0].Streams[c]
							if got := [2]int{st.StableLimit, st.CanaryLimit}; got != *e.Thresholds[c-1] {
								t.Errorf("%s limits: got %v, want %v", what, got, *e.Thresholds[c-1])
							}
						}
					}
					next++
				}
			}
			for c, want := range tr.FailAt {
				failed := j.memory.Checks[c].FailedAt
				switch {
				case want == nil && failed != 0, want != nil && failed != epoch.Add(seconds(*want)).UnixNano():
					t.Errorf("%s failed at %v, want %v", j.settings.Checks[c].Name, time.Duration(failed-epoch.UnixNano()), want)
				}
			}
		})
	}
}
