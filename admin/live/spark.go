package live

import "time"

// Sparks is how many seconds of a service are remembered for an overview of many.
const Sparks = 60

// Spark is the latest seconds of a service in few numbers.
type Spark struct {
	stable, canary Meter
	points         []point
	next           int
}

// point is one second.
type point struct{ stable, canary Rates }

// NewSpark begins to measure a service. Either counter may be nil.
func NewSpark(stable, canary Counter) *Spark {
	return &Spark{stable: NewMeter(stable), canary: NewMeter(canary)}
}

// Follow goes on with other counters, and keeps what was measured.
func (s *Spark) Follow(stable, canary Counter) {
	s.stable, s.canary = NewMeter(stable), NewMeter(canary)
}

// Fill takes over the latest rows of a track.
func (s *Spark) Fill(t *Track) {
	for row := range t.All {
		s.add(point{row.Stable, row.Canary})
	}
}

func (s *Spark) add(p point) {
	if len(s.points) < Sparks {
		s.points = append(s.points, p)
		return
	}
	s.points[s.next] = p
	s.next = (s.next + 1) % Sparks
}

// Look measures the time since the last look; quiet says that there was nothing.
func (s *Spark) Look(now time.Time) (quiet bool) {
	first := s.stable.at.IsZero() && s.canary.at.IsZero()
	p := point{s.stable.Look(now), s.canary.Look(now)}
	if first {
		return true
	}
	s.add(p)
	return p.stable.Requests == 0 && p.canary.Requests == 0
}

// AppendLast writes the latest second: requests and failures a second of stable, and of the canary.
func (s *Spark) AppendLast(text []byte) []byte {
	if len(s.points) == 0 {
		return point{}.append(text)
	}
	return s.points[(s.next+len(s.points)-1)%len(s.points)].append(text)
}

// Append writes all seconds as an array of arrays of JSON, the earliest first.
func (s *Spark) Append(text []byte) []byte {
	text = append(text, '[')
	for i := range s.points {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, '[')
		text = s.points[(s.next+i)%len(s.points)].append(text)
		text = append(text, ']')
	}
	return append(text, ']')
}

func (p point) append(text []byte) []byte {
	text = p.stable.appendCounts(text)
	text = append(text, ',')
	return p.canary.appendCounts(text)
}
