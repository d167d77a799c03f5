package analysis

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The vectors were computed in the linear domain with 60 decimal digits.

func load(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// near fails the test unless got is want to nine digits.
func near(t testing.TB, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) {
		t.Errorf("%s: got %.17g, want %.17g", what, got, want)
	}
}

func parseDirection(t testing.TB, word string) direction {
	switch word {
	case "harm":
		return harm
	case "safe":
		return safe
	}
	t.Fatalf("no direction %q", word)
	return 0
}

type vectors struct {
	Buckets []struct {
		Micros uint64 `json:"us"`
		Index  int
		Lower  uint64
		Upper  uint64
	}
	NumBuckets     int `json:"num_buckets"`
	QuantileBucket []struct {
		Counts [][2]float64
		P      float64
		Index  int
	} `json:"quantile_bucket"`
	CanaryBucket []struct {
		StableIndex int `json:"stable_index"`
		Rel         float64
		AbsMicros   float64 `json:"abs_us"`
		CanaryIndex int     `json:"canary_index"`
		StableEdge  uint64  `json:"stable_edge"`
		CanaryEdge  uint64  `json:"canary_edge"`
	} `json:"canary_bucket"`
	Factors []struct {
		Dir              string
		W, B, Rho, Delta float64
		Cap              float64
		J                int
		Kappa            float64
		LogFactors       [4]float64 `json:"log_factors"`
	}
	EProcess []struct {
		Name   string
		Config struct {
			Direction  string
			Rho, Delta float64
			Guard      *float64
		}
		Ops  [][]any
		LogE []float64 `json:"log_e"`
	}
	Centre     []struct{ Bad, N, B float64 }
	LatCentre  []struct{ Exceed, Total, P, B float64 } `json:"lat_centre"`
	Thresholds []struct {
		Alpha, Share float64
		LogThreshold float64 `json:"log_threshold"`
	}
	Score []struct {
		LogEHarm     float64 `json:"log_e_harm"`
		LogThreshold float64 `json:"log_threshold"`
		LogESafe     float64 `json:"log_e_safe"`
		Beta         float64
		Failed       bool
		Score        float64
	}
	SRM []struct {
		Canary, Stable, W float64
		Prior             float64
		LogBF             float64 `json:"log_bf"`
	} `json:"srm"`
	Wilson95 []struct {
		K, N   uint64
		Lo, Hi float64
	}
	Planner []struct {
		Dir                             string
		W, B, Rho, Delta, PC, PS, Level float64
		CanaryRequests                  *float64 `json:"canary_requests"`
	}
}

func TestVectorsOfBuckets(t *testing.T) {
	var v vectors
	load(t, "vectors.json", &v)
	if v.NumBuckets != NumBuckets || len(v.Buckets) == 0 {
		t.Errorf("%d buckets, want %d", NumBuckets, v.NumBuckets)
	}
	for _, b := range v.Buckets {
		i := BucketOf(b.Micros)
		if i != b.Index || LowerEdge(i) != b.Lower || upperEdge(i) != b.Upper {
			t.Errorf("%d us: got %d [%d,%d), want %+v", b.Micros, i, LowerEdge(i), upperEdge(i), b)
		}
	}
	for n, q := range v.QuantileBucket {
		counts, total := make([]float64, NumBuckets), 0.0
		for _, c := range q.Counts {
			counts[int(c[0])] = c[1]
			total += c[1]
		}
		if i := quantileBucket(counts, total, q.P); i != q.Index {
			t.Errorf("quantile %d: got bucket %d, want %d", n, i, q.Index)
		}
	}
	for _, c := range v.CanaryBucket {
		i := canaryBucket(c.StableIndex, c.Rel, c.AbsMicros)
		if i != c.CanaryIndex || upperEdge(c.StableIndex) != c.StableEdge || upperEdge(i) != c.CanaryEdge {
			t.Errorf("got bucket %d edges %d %d, want %+v", i, upperEdge(c.StableIndex), upperEdge(i), c)
		}
	}
}

func TestVectorsOfFactors(t *testing.T) {
	var v vectors
	load(t, "vectors.json", &v)
	for _, f := range v.Factors {
		o := odds{weight: f.W, centre: f.B, rho: f.Rho, delta: f.Delta}
		d := parseDirection(t, f.Dir)
		near(t, "kappa", o.kappa(d, f.J), f.Kappa)
		got := o.factors(d, f.J)
		for i, x := range [4]float64{got.canaryBad, got.canaryGood, got.stableBad, got.stableGood} {
			near(t, f.Dir+" factor", x, f.LogFactors[i])
		}
	}
}

func TestVectorsOfEProcesses(t *testing.T) {
	var v vectors
	load(t, "vectors.json", &v)
	for _, e := range v.EProcess {
		t.Run(e.Name, func(t *testing.T) {
			d := parseDirection(t, e.Config.Direction)
			limit := unguarded
			if e.Config.Guard != nil {
				limit = *e.Config.Guard
			}
			stakes := even(d)
			p := newProcess(stakes)
			var l ladder
			window, fixed := int64(100), fixedWindows(1, 0)
			for i, op := range e.Ops {
				num := func(k int) float64 { return op[k].(float64) }
				switch op[0] {
				case "params":
					l.set(odds{weight: num(1), centre: num(2), rho: e.Config.Rho, delta: e.Config.Delta}, d)
				case "window":
					window++
					p.enter(window, &fixed)
				case "restart":
					p.restart(&stakes)
				case "block":
					p.bet(d, &l, &tally{uint64(num(1)), uint64(num(2)), uint64(num(3)), uint64(num(4)), 0}, 1)
					p.settle(d, limit)
				default:
					t.Fatalf("no operation %v", op)
				}
				near(t, "log E", p.Log, e.LogE[i])
			}
		})
	}
}

func TestVectorsOfTheRest(t *testing.T) {
	var v vectors
	load(t, "vectors.json", &v)
	for _, c := range v.Centre {
		near(t, "centre", centre(c.Bad, c.N), c.B)
	}
	for _, c := range v.LatCentre {
		near(t, "latency centre", latencyCentre(c.Exceed, c.Total, c.P), c.B)
	}
	for _, x := range v.Thresholds {
		near(t, "threshold", threshold(x.Alpha, x.Share), x.LogThreshold)
	}
	for _, s := range v.Score {
		got := evidence{s.LogEHarm, s.LogThreshold, s.LogESafe, -math.Log(s.Beta)}.score()
		if s.Failed {
			got = 0
		}
		near(t, "score", got, s.Score)
	}
	for _, s := range v.SRM {
		near(t, "srm", srmLogBF(s.Canary, s.Stable, s.W), s.LogBF)
	}
	for _, w := range v.Wilson95 {
		low, high := Wilson(w.K, w.N)
		near(t, "wilson low", low, w.Lo)
		near(t, "wilson high", high, w.Hi)
	}
	for _, p := range v.Planner {
		plan := Plan{
			Check: Check{Relative: p.Rho - 1, Absolute: p.Delta}, Weight: p.W,
			StableRate: p.PS, CanaryRate: p.PC, Level: p.Level,
		}
		got, known := plan.requests(parseDirection(t, p.Dir), p.B, 0)
		if known != (p.CanaryRequests != nil) {
			t.Errorf("%+v: known %v", p, known)
		} else if known {
			near(t, "planner", got, *p.CanaryRequests)
		}
	}
}

// fixedWindows are the burst windows of the vectors: they do not slide, and a window begins with the wealth there is.
func fixedWindows(length int64, most float64) burst {
	return burst{slot: length, slots: 1, most: most, floor: -unguarded}
}
