package rollout

import (
	"slices"
	"time"

	"haldane/analysis"
	"haldane/config"
	"haldane/report"
)

// tape plays a recording second by second. What was recorded in longer slots is spread evenly over their seconds, so that no burst is
// made that was none.
type tape struct {
	recording *report.Recording
	second    int
	counts    reel
	latencies reel
	owed      [2]float64 // parts of requests that are still to come, of all and of the failed ones
}

func newTape(r *report.Recording) tape {
	return tape{recording: r, counts: newReel(&r.Counts), latencies: newReel(&r.Latencies)}
}

// reel is one track.
type reel struct {
	rows   []report.Row
	length int // of a slot in seconds
	at     int
	thin   map[thinKey]float64 // parts of requests that are still to come, when they are thinned
}

func newReel(t *report.Track) reel {
	return reel{rows: t.Rows, length: max(1, int(time.Duration(t.Slot)/time.Second)), thin: map[thinKey]float64{}}
}

// thinKey is one number that is thinned.
type thinKey struct {
	stratum int
	bucket  uint64
}

// The places of thinKey.bucket that are no bucket.
const (
	thinGood = 1 << 60
	thinBad  = thinGood + 1
)

// played is what a second holds.
type played struct {
	canary, stable [2]uint64 // all requests, and those that failed
	draws          []drawn
}

// drawn is requests that were drawn with one weight.
type drawn struct {
	stratum        int
	weight         config.Percent
	counts, slow   *report.Draw // of the two tracks; nil for none
	when, whenSlow moment
	reels          *tape
}

// moment is a second within a slot.
type moment struct{ second, of int }

// part is what comes of a number in this second. phase moves numbers of one against each other.
func (m moment) part(n, phase uint64) uint64 {
	of := uint64(m.of)
	phase %= of
	return (n*uint64(m.second+1)+phase)/of - (n*uint64(m.second)+phase)/of
}

// row is the slot of a second, and where in it the second is.
func (r *reel) row(second int) (*report.Row, moment) {
	slot := second / r.length
	for r.at < len(r.rows) && r.rows[r.at].Slot < slot {
		r.at++
	}
	if r.at == len(r.rows) || r.rows[r.at].Slot != slot {
		return nil, moment{}
	}
	return &r.rows[r.at], moment{second % r.length, r.length}
}

// next is what came in the next second.
func (t *tape) next() played {
	second := t.second
	t.second++
	var p played
	if row, when := t.counts.row(second); row != nil {
		for i := range 2 {
			p.canary[i], p.stable[i] = when.part(row.Canary[i], 0), when.part(row.Stable[i], 0)
		}
		for i := range row.Draws {
			d := &row.Draws[i]
			p.draws = append(p.draws, drawn{stratum: d.Stratum, weight: d.Weight, counts: d, when: when, reels: t})
		}
	}
	if row, when := t.latencies.row(second); row != nil {
		for i := range row.Draws {
			p.join(&row.Draws[i], when, t)
		}
	}
	p.draws = lastOf(p.draws)
	return p
}

// join adds latencies to the counts that were drawn alike.
func (p *played) join(d *report.Draw, when moment, t *tape) {
	for i := range p.draws {
		if one := &p.draws[i]; one.stratum == d.Stratum && one.weight == d.Weight {
			one.slow, one.whenSlow = d, when
			return
		}
	}
	p.draws = append(p.draws, drawn{stratum: d.Stratum, weight: d.Weight, slow: d, whenSlow: when, reels: t})
}

// lastOf keeps one draw of each stratum: a slot in which the weight changed holds two, and a judge takes one at a time. The one with more
// requests stays.
func lastOf(draws []drawn) []drawn {
	kept := draws[:0]
	for _, d := range draws {
		at := slices.IndexFunc(kept, func(k drawn) bool { return k.stratum == d.stratum })
		if at < 0 {
			kept = append(kept, d)
		} else if d.size() > kept[at].size() {
			kept[at] = d
		}
	}
	return kept
}

func (d *drawn) size() uint64 {
	if d.counts == nil {
		return 0
	}
	return d.counts.Canary[0] + d.counts.Stable[0]
}

// block is what the judge sees of it when a part of the canary's requests is kept.
func (d *drawn) block(keep, weight float64) analysis.Block {
	b := analysis.Block{Stratum: d.stratum, Weight: weight}
	if c := d.counts; c != nil {
		bad, good := d.when.part(c.Canary[1], 0), d.when.part(c.Canary[0]-c.Canary[1], 0)
		b.Canary.Bad, b.Canary.Good = d.thin(thinBad, bad, keep), d.thin(thinGood, good, keep)
		b.Stable.Bad, b.Stable.Good = d.when.part(c.Stable[1], 0), d.when.part(c.Stable[0]-c.Stable[1], 0)
	}
	if s := d.slow; s != nil {
		for _, v := range s.CanaryLatency {
			if n := d.thin(v[0], d.whenSlow.part(v[1], phaseOf(v[0])), keep); n > 0 {
				b.CanaryLatency = append(b.CanaryLatency, analysis.Bucket{Index: int(v[0]), Count: n})
			}
		}
		for _, v := range s.StableLatency {
			if n := d.whenSlow.part(v[1], phaseOf(v[0])); n > 0 {
				b.StableLatency = append(b.StableLatency, analysis.Bucket{Index: int(v[0]), Count: n})
			}
		}
	}
	return b
}

// phaseOf spreads single requests of different buckets over the seconds of a slot.
func phaseOf(bucket uint64) uint64 { return bucket * 0x9e3779b97f4a7c15 >> 32 }

// thin keeps a part of a number. What is left of one goes to the next; the first begins in the middle, so that rare ones are neither lost
// nor all kept.
func (d *drawn) thin(key uint64, n uint64, keep float64) uint64 {
	if keep >= 1 || n == 0 {
		return n
	}
	k := thinKey{d.stratum, key}
	owed, known := d.reels.counts.thin[k]
	if !known {
		owed = float64(phaseOf(key)%1024) / 1024
		if key >= thinGood {
			owed = 0.5
		}
	}
	owed += float64(n) * keep
	whole := uint64(owed)
	d.reels.counts.thin[k] = owed - float64(whole)
	return whole
}

// part is a part of a number of the whole variant.
func (t *tape) part(place int, n uint64, keep float64) uint64 {
	if keep >= 1 {
		return n
	}
	t.owed[place] += float64(n) * keep
	whole := uint64(t.owed[place])
	t.owed[place] -= float64(whole)
	return whole
}
