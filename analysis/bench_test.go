package analysis

import (
	"testing"
	"time"
)

func busyJudge(b testing.TB, settings Settings) (*sim, []Block) {
	s := newSim(b, 1, settings)
	s.weight, s.stable, s.canary = 0.1, 0.005, 0.005
	s.run(30 * time.Second)
	blocks := make([]Block, 2)
	for i := range blocks {
		s.perSecond = 4000
		blocks[i] = s.draw()
		blocks[i].Stratum = i + 1
	}
	return s, blocks
}

func withLatency(s *sim, blocks []Block) {
	for i := range blocks {
		for range 200 {
			blocks[i].CanaryLatency = append(blocks[i].CanaryLatency, Bucket{1200 + s.r.IntN(400), 2})
			blocks[i].StableLatency = append(blocks[i].StableLatency, Bucket{1200 + s.r.IntN(400), 20})
		}
	}
}

func BenchmarkTickBusy(b *testing.B) {
	s, blocks := busyJudge(b, Defaults())
	b.ReportAllocs()
	for b.Loop() {
		s.now = s.now.Add(tick)
		s.j.Observe(s.now, blocks)
	}
}

func BenchmarkTickBusyWithVerdict(b *testing.B) {
	s, blocks := busyJudge(b, Defaults())
	b.ReportAllocs()
	for b.Loop() {
		s.now = s.now.Add(tick)
		s.j.Observe(s.now, blocks)
		_ = s.j.Verdict()
	}
}

func BenchmarkTickBusyWithLatency(b *testing.B) {
	s, blocks := busyJudge(b, Settings{Checks: append(Defaults().Checks, LatencyChecks()...), WarmUp: -1})
	withLatency(s, blocks)
	b.ReportAllocs()
	for b.Loop() {
		s.now = s.now.Add(tick)
		s.j.Observe(s.now, blocks)
	}
}

func BenchmarkTickQuiet(b *testing.B) {
	s, _ := busyJudge(b, Defaults())
	blocks := []Block{{Stratum: 1, Weight: 0.1}}
	_ = s.j.Verdict()
	b.ReportAllocs()
	for b.Loop() {
		s.now = s.now.Add(time.Millisecond)
		s.j.Observe(s.now, blocks)
	}
}

func BenchmarkVerdictQuiet(b *testing.B) {
	s, _ := busyJudge(b, Defaults())
	b.ReportAllocs()
	for b.Loop() {
		_ = s.j.Verdict()
	}
}
