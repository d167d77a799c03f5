package stats

import (
	"math/rand/v2"
	"testing"
)

// Parts against a recount of every request, over changes of the revision, with some requests that come late.
func TestPartsAgainstRecount(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 62))
	s := NewRegistry(4).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	for revision := uint64(1); revision < 40; revision++ {
		r := s.Reader(revision, canary, stable)
		for range 1 + rng.IntN(4) {
			var want [Strata + 1][2]PartCounts
			for range rng.IntN(300) {
				stratum, side, part := rng.IntN(Strata+1), rng.IntN(2), uint8(rng.IntN(MaxParts+2))
				o := []Outcome{OutcomeOK, OutcomeServerError, OutcomeTimeout, OutcomeClientGone}[rng.IntN(4)]
				lane := Judged(stratum, revision)
				late := rng.IntN(10) == 0
				if late {
					lane = Judged(stratum, revision-1)
				}
				[]*Variant{canary, stable}[side].CountPart(rng.Uint64(), lane, part, o)
				if late || stratum == 0 || part == 0 || part > MaxParts || o == OutcomeClientGone {
					continue
				}
				if o == OutcomeOK {
					want[stratum][side][part-1].Good++
				} else {
					want[stratum][side][part-1].Bad++
				}
			}
			for stratum := 1; stratum <= Strata; stratum++ {
				gotCanary, gotStable := r.Parts(stratum)
				if gotCanary != want[stratum][0] || gotStable != want[stratum][1] {
					t.Fatalf("revision %d, stratum %d: got %v and %v, want %v", revision, stratum, gotCanary, gotStable, want[stratum])
				}
			}
		}
	}
	if c, _ := s.Reader(50, canary, stable).Parts(Strata + 1); c != (PartCounts{}) {
		t.Error("there is no such stratum")
	}
}

// BenchmarkRecordPart is the whole cost of recording a judged request of a part: one addition more than without.
func BenchmarkRecordPart(b *testing.B) {
	s := NewRegistry(0).Service("shop")
	canary, stable := s.Variant("v2"), s.Variant("v1")
	s.Reader(7, canary, stable)
	rec := Record{Outcome: OutcomeOK, Status: 200, Method: MethodGet, BytesOut: 2000, Lane: Judged(1, 7)}
	b.ReportAllocs()
	for b.Loop() {
		canary.CountPart(0, rec.Lane, 3, rec.Outcome)
		canary.Begin(0).End(rec)
	}
}
