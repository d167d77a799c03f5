package stats

import (
	"maps"
	"math"
	"sync/atomic"
)

// MaxMeasures is the number of business metrics of a service that can be read from response fields.
const MaxMeasures = 4

// unitBits is how finely a number is counted between its smallest and its largest: in parts of 2^31. Sums of 2^32 of them, and
// of their squares, fit into a cell between two looks.
const (
	unitBits = 31
	unit     = 1 << unitBits
)

// Measure says how a business metric is read.
type Measure struct {
	// Name is the metric's. The name and what went wrong with its numbers outlive a change of the rest.
	Name string
	// Field is the name of the response field, in any case.
	Field string
	// Smallest and Largest bound a number: what is beyond is taken for the bound.
	Smallest, Largest float64
	// Binary takes 0 and 1 only.
	Binary bool
}

// Measures are the business metrics of a service. They are immutable but for the counts of what cannot be read. A nil *Measures
// has none.
type Measures struct {
	list   []Measure
	faults []*Faults
}

// Faults counts numbers of a business metric that were not what was agreed upon. Nothing of them is counted where they are
// taken as they should be, so that the usual request writes nothing here.
type Faults struct{ clipped, unreadable atomic.Uint64 }

// Clipped is how many numbers were beyond their bounds, and were taken for the bound.
func (f *Faults) Clipped() uint64 { return f.clipped.Load() }

// Unreadable is how many fields held no number, or more than one field came; the request counts as one without the field.
func (f *Faults) Unreadable() uint64 { return f.unreadable.Load() }

// Values are the numbers that one response reported. The zero value is none.
type Values struct {
	set   uint8
	units [MaxMeasures]uint32
}

// Empty says whether nothing was reported.
func (v *Values) Empty() bool { return v.set == 0 }

// Len is the number of metrics.
func (m *Measures) Len() int {
	if m == nil {
		return 0
	}
	return len(m.list)
}

// Field is the response field of the metric of that place, from 0.
func (m *Measures) Field(place int) string { return m.list[place].Field }

// Read takes the value of a field as the number of the metric of that place. times is how often the response had the field:
// more than one is no number.
func (m *Measures) Read(place int, text []byte, times int, into *Values) {
	rule := &m.list[place]
	number, readable := parseDecimal(text)
	if !readable || times != 1 || rule.Binary && number != 0 && number != 1 {
		m.faults[place].unreadable.Add(1)
		return
	}
	bounded := min(max(number, rule.Smallest), rule.Largest)
	if bounded != number {
		m.faults[place].clipped.Add(1)
	}
	into.set |= 1 << place
	into.units[place] = uint32(math.Round((bounded - rule.Smallest) / (rule.Largest - rule.Smallest) * unit))
}

// SetMeasures says which business metrics are read from now on; none for no metric. Those beyond MaxMeasures are ignored. Set them
// before the Reader of the revision that they belong to is made, as with SetKinds.
func (s *Service) SetMeasures(list []Measure) {
	if len(list) == 0 {
		s.measures.Store(nil)
		return
	}
	m := &Measures{list: list[:min(len(list), MaxMeasures):min(len(list), MaxMeasures)]}
	for i := range m.list {
		m.faults = append(m.faults, s.Faults(m.list[i].Name))
	}
	s.measures.Store(m)
}

// Measures are the business metrics that are read now; nil for none.
func (s *Service) Measures() *Measures { return s.measures.Load() }

// Faults finds the counts of a business metric by its name, or makes them.
func (s *Service) Faults(name string) *Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[name]
	if f == nil {
		f = &Faults{}
		if s.faults == nil {
			s.faults = make(map[string]*Faults)
		}
		s.faults[name] = f
	}
	return f
}

// allFaults are the counts of all business metrics that there ever were, by name.
func (s *Service) allFaults() map[string]*Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.faults)
}

// Sums is what responses have reported of one metric, scaled so that the smallest number is 0 and the largest 1.
type Sums struct {
	// Count is how many numbers there were.
	Count uint64
	// Sum and Squares are the sums of them and of their squares.
	Sum, Squares float64
}

// measured is the cells of one metric in a lane.
type measured struct{ count, sum, squares atomic.Uint64 }

// Measure counts what the response to a judged request has reported. It comes right before End, with the lane of that, and
// only for requests that succeeded.
func (v *Variant) Measure(shard uint64, lane Lane, values *Values) {
	slot := lane.slot(v.service.judging.Load())
	if slot == 0 || values.set == 0 {
		return
	}
	l := v.lane(v.berth(shard), slot)
	cells := l.measured.Load()
	if cells == nil {
		l.measured.CompareAndSwap(nil, new([MaxMeasures]measured))
		cells = l.measured.Load()
	}
	for place := range cells {
		if values.set&(1<<place) == 0 {
			continue
		}
		units, c := uint64(values.units[place]), &cells[place]
		// The sum last: whoever reads it first finds a count and squares that go with it.
		c.count.Add(1)
		c.squares.Add((units*units + unit - 1) >> unitBits) // rounded up: more spread is less evidence
		c.sum.Add(units)
	}
}

// units is Sums as they are counted: the cells only grow, and wrap around.
type units struct{ count, sum, squares uint64 }

// pairOfUnits is those of both sides.
type pairOfUnits struct{ canary, stable [MaxMeasures]units }

// Measured is what was reported in a stratum (1 to Strata) since the last Measured of that stratum, by place. A number may be told
// before the request that it belongs to. It takes no part in Delta.
func (r *Reader) Measured(stratum int) (canary, stable [MaxMeasures]Sums) {
	if stratum < 1 || stratum > Strata {
		return canary, stable
	}
	before := &r.measured[stratum-1]
	now := pairOfUnits{canary: r.canary.units(stratum, r.revision), stable: r.stable.units(stratum, r.revision)}
	for i := range canary {
		canary[i] = now.canary[i].since(before.canary[i])
		stable[i] = now.stable[i].since(before.stable[i])
	}
	*before = now
	return canary, stable
}

func (u units) since(before units) Sums {
	return Sums{
		Count:   u.count - before.count,
		Sum:     float64(u.sum-before.sum) / unit,
		Squares: float64(u.squares-before.squares) / unit,
	}
}

// units is what the judged lane of a stratum and of the revision's parity has counted, ever.
func (v *Variant) units(stratum int, revision uint64) (sum [MaxMeasures]units) {
	slot := Judged(stratum, revision).slot(anyRevision)
	set := v.laneSet(slot)
	for _, l := range set.all() {
		cells := l.measured.Load()
		if cells == nil {
			continue
		}
		for i := range cells {
			sum[i].sum += cells[i].sum.Load()
			sum[i].squares += cells[i].squares.Load()
			sum[i].count += cells[i].count.Load()
		}
	}
	return sum
}
