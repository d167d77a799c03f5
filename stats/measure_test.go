package stats

import (
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
)

func TestDecimals(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "1": 1, "-1": -1, "12.50": 12.5, "007": 7, "0.001": 0.001, "-0.5": -0.5, "123456789012": 123456789012} {
		if got, ok := parseDecimal([]byte(text)); !ok || math.Abs(got-want) > 1e-12*math.Abs(want) {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", ".", "1.", ".5", "+1", "1e3", "NaN", "Inf", "-Inf", " 1", "1 ", "1,5", "0x10", "1_0", "--1", "1.2.3", "1234567890123456789012345", "١"} {
		if got, ok := parseDecimal([]byte(text)); ok {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, text := range []string{"1", "-12.50", "0.0001", "1e9", "NaN", "999999999999999999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseDecimal([]byte(text))
		if !ok {
			return
		}
		want, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(got) || math.IsInf(got, 0) || math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("%q: %v, and %v, %v", text, got, want, err)
		}
	})
}

// measuring is a service that reads a share and a basket.
func measuring() (*Service, *Variant, *Variant) {
	s := NewRegistry(4).Service("shop")
	s.SetMeasures([]Measure{{Name: "conversion", Field: "X-C", Largest: 1, Binary: true}, {Name: "basket", Field: "X-B", Smallest: 10, Largest: 110}})
	return s, s.Variant("v2"), s.Variant("v1")
}

func TestNumbersAreReadStrictly(t *testing.T) {
	s, _, _ := measuring()
	m := s.Measures()
	for _, c := range []struct {
		place, times        int
		text                string
		want                float64
		clipped, unreadable uint64
	}{
		{0, 1, "1", 1, 0, 0},
		{0, 1, "0", 0, 0, 0},
		{0, 1, "0.5", -1, 0, 1},
		{0, 2, "1", -1, 0, 1},
		{0, 1, "yes", -1, 0, 1},
		{1, 1, "60", 0.5, 0, 0},
		{1, 1, "1000", 1, 1, 0},
		{1, 1, "-3", 0, 1, 0},
		{1, 1, "NaN", -1, 0, 1},
	} {
		faults := s.Faults(m.list[c.place].Name)
		clipped, unreadable := faults.Clipped(), faults.Unreadable()
		var v Values
		m.Read(c.place, []byte(c.text), c.times, &v)
		got := -1.
		if !v.Empty() {
			got = float64(v.units[c.place]) / unit
		}
		if math.Abs(got-c.want) > 1e-9 || faults.Clipped()-clipped != c.clipped || faults.Unreadable()-unreadable != c.unreadable {
			t.Errorf("%q: %v, %d clipped, %d unreadable", c.text, got, faults.Clipped()-clipped, faults.Unreadable()-unreadable)
		}
	}
}

// What is told over several looks and revisions is what was reported under them, whoever wrote meanwhile.
func TestMeasuredAgainstRecount(t *testing.T) {
	s, canary, stable := measuring()
	m := s.Measures()
	for revision := uint64(1); revision < 20; revision++ {
		r := s.Reader(revision, canary, stable)
		var want [2]Sums
		var mu sync.Mutex
		var group sync.WaitGroup
		for w := range 4 {
			group.Go(func() {
				rng := rand.New(rand.NewPCG(revision, uint64(w)))
				for range 200 {
					x := float64(rng.IntN(120))
					var v Values
					m.Read(1, strconv.AppendInt(nil, int64(x), 10), 1, &v)
					late := revision - uint64(rng.IntN(2))
					canary.Measure(rng.Uint64(), Judged(1, late), &v)
					if late != revision {
						continue
					}
					z := (min(max(x, 10), 110) - 10) / 100
					mu.Lock()
					want[1].Count++
					want[1].Sum += z
					want[1].Squares += z * z
					mu.Unlock()
				}
			})
		}
		var got Sums
		look := func() {
			c, other := r.Measured(1)
			got.Count, got.Sum, got.Squares = got.Count+c[1].Count, got.Sum+c[1].Sum, got.Squares+c[1].Squares
			if other != [MaxMeasures]Sums{} {
				t.Fatalf("stable: %+v", other)
			}
		}
		for range 10 {
			look()
		}
		group.Wait()
		look()
		if got.Count != want[1].Count || math.Abs(got.Sum-want[1].Sum) > 1e-5 || math.Abs(got.Squares-want[1].Squares) > 1e-5 {
			t.Fatalf("revision %d: %+v, want %+v", revision, got, want[1])
		}
	}
}
