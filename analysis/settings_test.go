package analysis

import (
	"math"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	s := Settings{Checks: append(Defaults().Checks[:1:1], LatencyChecks()...)}.filled()
	want := []struct {
		share    float64
		requests uint64
		window   time.Duration
	}{{0.5, 50, time.Second}, {1. / 6, 50, 5 * time.Second}, {1. / 6, 50, 5 * time.Second}, {1. / 6, 500, 5 * time.Second}}
	for i, w := range want {
		c := s.Checks[i]
		if math.Abs(c.Share-w.share) > 1e-15 || c.MinRequests != w.requests || c.Window != w.window || c.Windows != 3 {
			t.Errorf("%s: %+v", c.Name, c)
		}
	}
	if s.Alpha != 0.01 || s.Beta != 0.05 {
		t.Errorf("alpha %v, beta %v", s.Alpha, s.Beta)
	}
	if err := (Settings{}).Validate(); err != nil {
		t.Errorf("the zero settings: %v", err)
	}
	if v := NewJudge(Settings{}).Verdict(); len(v.Checks) != 1 || math.Abs(v.Checks[0].Needed-200) > 1e-9 {
		t.Errorf("the zero settings: %+v", v)
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"alpha":    func(s *Settings) { s.Alpha = 1 },
		"beta":     func(s *Settings) { s.Beta = math.NaN() },
		"refresh":  func(s *Settings) { s.Refresh = -1 },
		"sick":     func(s *Settings) { s.SickStable = -1 },
		"twice":    func(s *Settings) { s.Checks = append(s.Checks, s.Checks[0]) },
		"no name":  func(s *Settings) { s.Checks[0].Name = "" },
		"quantile": func(s *Settings) { s.Checks[0].Quantile = 1 },
		"relative": func(s *Settings) { s.Checks[0].Relative = -0.1 },
		"infinite": func(s *Settings) { s.Checks[0].Relative = math.Inf(1) },
		"absolute": func(s *Settings) { s.Checks[0].Absolute = 1.1 },
		"window":   func(s *Settings) { s.Checks[0].Window = -1 },
		"windows":  func(s *Settings) { s.Checks[0].Windows = -1 },
		"share":    func(s *Settings) { s.Checks[0].Share = 2 },
	} {
		s := Defaults()
		change(&s)
		if s.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
		func() {
			defer func() { _ = recover() }()
			NewJudge(s)
			t.Errorf("%s: a judge was made", name)
		}()
	}
	s := Defaults()
	s.Checks = append(s.Checks, Check{Name: "other", Critical: true, Share: 0.6})
	if s.Validate() == nil {
		t.Error("shares above all of alpha: no error")
	}
}

// Any settings that are valid make a judge that stays finite.
func TestExtremeTolerancesStayFinite(t *testing.T) {
	for _, relative := range []float64{0, 0.1, 1, 1000} {
		for _, absolute := range []float64{0, 0.001, 0.5, 1} {
			settings := Settings{Checks: []Check{{Name: "e", Relative: relative, Absolute: absolute, Critical: true, Window: 1}}}
			s := newSim(t, 1, settings)
			for _, rate := range []float64{0, 0.3, 1} {
				for _, w := range []float64{0.0001, 0.5, 0.94} {
					s.weight, s.stable, s.canary = w, rate, rate
					s.run(5 * time.Second)
				}
			}
			if err := s.j.memory.validate(); err != nil || s.failed() {
				t.Errorf("relative %v absolute %v: %v failed %v", relative, absolute, err, s.failed())
			}
		}
	}
}

func TestForecast(t *testing.T) {
	s := Defaults()
	f, known := s.Forecast("errors", 0.01, 0.001, 10)
	if !known || f.Requests < 10_000 || f.Requests > 20_000 {
		t.Fatalf("%+v %v", f, known)
	}
	if want := f.Requests / 0.1; math.Abs(f.Wait.Seconds()-want) > 1 {
		t.Errorf("wait %v, want %v s", f.Wait, want)
	}
	const text = "at 0.1 canary requests/s it takes about 38 h (14,000 of them) to show that the canary is within +10 % plus 0.1 points"
	if f.Sentence != text {
		t.Errorf("%q", f.Sentence)
	}
	half, _ := s.Forecast("errors", 0.5, 0.001, 10)
	if half.Wait >= f.Wait {
		t.Errorf("more weight takes longer: %v, %v", half.Wait, f.Wait)
	}
	for _, c := range []struct {
		check     string
		w, p, rps float64
	}{{"other", 0.1, 0, 1}, {"errors", 0, 0, 1}, {"errors", 1, 0, 1}, {"errors", 0.1, 0, 0}, {"errors", 0.1, math.NaN(), 1}} {
		if f, known := s.Forecast(c.check, c.w, c.p, c.rps); known {
			t.Errorf("%+v is known: %+v", c, f)
		}
	}
	p := Plan{Check: s.Checks[0], Weight: 0.1, StableRate: 0.001, CanaryRate: 1, Level: 0.005}
	if n, known := p.Fails(); !known || n > 20 {
		t.Errorf("total failure takes %v requests, known %v", n, known)
	}
}
