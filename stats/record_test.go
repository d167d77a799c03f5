package stats

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plain is the dumb version of a variant's numbers: one counter each, no shards, no lanes.
type plain struct {
	totals Totals
	judged map[Lane]Counts
	all    Histogram           // of what was answered
	good   map[Lane]*Histogram // of judged successes
}

func newPlain() *plain {
	return &plain{judged: make(map[Lane]Counts), good: make(map[Lane]*Histogram)}
}

// end counts a request.
func (p *plain) end(rec Record) {
	class := classOf(rec.Status)
	if rec.Outcome == OutcomeConnect || rec.Outcome == OutcomeRefused {
		class = 0
	}
	p.totals.Requests++
	p.totals.Outcomes[rec.Outcome]++
	p.totals.Codes[class][rec.Method]++
	p.totals.BytesIn += uint64(max(rec.BytesIn, 0))
	p.totals.BytesOut += uint64(max(rec.BytesOut, 0))
	if rec.Outcome.Failed() {
		p.totals.Failed++
	}
	if class != 0 {
		p.all.Observe(rec.FirstByte)
	}
	if rec.Lane == Unjudged {
		return
	}
	c := p.judged[rec.Lane]
	switch {
	case rec.Outcome.Failed():
		c.Bad++
	case rec.Outcome == OutcomeOK:
		c.Good++
		if p.good[rec.Lane] == nil {
			p.good[rec.Lane] = new(Histogram)
		}
		p.good[rec.Lane].Observe(rec.FirstByte)
	}
	p.judged[rec.Lane] = c
}

// merge adds the numbers of another goroutine.
func (p *plain) merge(q *plain) {
	p.totals.Requests += q.totals.Requests
	p.totals.Failed += q.totals.Failed
	p.totals.BytesIn += q.totals.BytesIn
	p.totals.BytesOut += q.totals.BytesOut
	for o := range q.totals.Outcomes {
		p.totals.Outcomes[o] += q.totals.Outcomes[o]
	}
	for c := range q.totals.Codes {
		for m := range q.totals.Codes[c] {
			p.totals.Codes[c][m] += q.totals.Codes[c][m]
		}
	}
	p.all.Merge(&q.all)
	for lane, c := range q.judged {
		p.judged[lane] = p.judged[lane].plus(c)
	}
	for lane, h := range q.good {
		if p.good[lane] == nil {
			p.good[lane] = new(Histogram)
		}
		p.good[lane].Merge(h)
	}
}

// anyRecord draws a request as a proxy may report it.
func anyRecord(rng *rand.Rand) Record {
	outcomes := Outcomes()
	rec := Record{
		Outcome:   outcomes[rng.IntN(len(outcomes))],
		Method:    Method(rng.IntN(methods)),
		FirstByte: time.Duration(rng.Uint64N(1 << (10 + rng.Uint64N(30)))),
		BytesIn:   int64(rng.Uint64N(1<<(1+rng.Uint64N(40)))) - 1,
		BytesOut:  int64(rng.Uint64N(1<<(1+rng.Uint64N(40)))) - 1,
		Lane:      Judged(rng.IntN(Strata+2), uint64(rng.IntN(2))), // strata 0 and 5 do not exist
	}
	switch rec.Outcome {
	case OutcomeOK:
		rec.Status = 200 + rng.IntN(300)
	case OutcomeServerError:
		rec.Status = 500 + rng.IntN(150)
	default:
		rec.Status = []int{0, 0, 200, 404, 502}[rng.IntN(5)]
	}
	return rec
}

// check compares a variant with the plain numbers.
func (p *plain) check(t *testing.T, v *Variant) {
	t.Helper()
	snapshot := v.Histogram()
	totals := v.Totals()
	totals.micros = 0 // checked with the histogram
	if diff := cmp.Diff(p.totals, totals, cmp.AllowUnexported(Totals{})); diff != "" {
		t.Errorf("totals (-want +got): %s", diff)
	}
	if diff := cmp.Diff(p.all, *snapshot, cmp.AllowUnexported(Histogram{})); diff != "" {
		t.Errorf("histogram (-want +got): %s", diff)
	}
	for stratum := 1; stratum <= Strata; stratum++ {
		for revision := range uint64(2) {
			lane := Judged(stratum, revision)
			if got, want := v.Counts(stratum, revision), p.judged[lane]; got != want {
				t.Errorf("stratum %d revision %d: %+v, want %+v", stratum, revision, got, want)
			}
			h := v.JudgedHistogram(stratum, revision)
			if want := p.good[lane]; want != nil {
				if diff := cmp.Diff(want.counts, h.counts); diff != "" {
					t.Errorf("stratum %d revision %d (-want +got): %s", stratum, revision, diff)
				}
			}
		}
	}
}

// Many goroutines record on a few shards while others read; in the end every number is that of plain counters.
func TestShardedCountsAgainstPlainCounters(t *testing.T) {
	const writers, each = 16, 3000
	v := NewRegistry(4).Service("shop").Variant("v2")
	want := newPlain()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(8, uint64(w)))
			mine := newPlain()
			for range each {
				shard, rec := rng.Uint64(), anyRecord(rng)
				v.Begin(shard).End(rec)
				mine.end(rec)
			}
			mu.Lock()
			defer mu.Unlock()
			want.merge(mine)
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	watch(t, v, done)
	want.check(t, v)
}

// watch reads until done, and fails if any number falls or too many requests are in flight.
func watch(t *testing.T, v *Variant, done <-chan struct{}) {
	t.Helper()
	var last Totals
	var latencies uint64
	for {
		now, h := v.Totals(), v.Histogram()
		for o := range now.Outcomes {
			if now.Outcomes[o] < last.Outcomes[o] {
				t.Fatalf("outcome %s fell from %d to %d", Outcome(o), last.Outcomes[o], now.Outcomes[o])
			}
		}
		if now.Requests < last.Requests || now.BytesOut < last.BytesOut || now.BytesIn < last.BytesIn || h.Count() < latencies {
			t.Fatalf("a number fell: %+v, then %+v", last, now)
		}
		last, latencies = now, h.Count()
		select {
		case <-done:
			return
		default:
		}
	}
}

// The first requests of a variant make its cells, while others already find some of them.
func TestFirstRequestsAtOnce(t *testing.T) {
	const rounds, users = 200_000, 4
	s := NewRegistry(1).Service("shop")
	fresh := func() *Variant {
		v := &Variant{}
		v.Counter = Counter{berths: make([]berth, 1), service: s, variant: v}
		return v
	}
	var next atomic.Pointer[Variant]
	next.Store(fresh())
	var lost atomic.Int64
	var done sync.WaitGroup
	for range users {
		done.Go(func() {
			for range rounds {
				v := next.Load()
				for range 2 {
					v.Begin(0).End(Record{Outcome: OutcomeOK, Status: 200, BytesIn: 5})
				}
				if next.CompareAndSwap(v, fresh()) && v.berths[0].shard.Load().bytesIn.Load() < 10 {
					lost.Add(1)
				}
			}
		})
	}
	done.Wait()
	if n := lost.Load(); n > 0 {
		t.Errorf("%d variants have lost a request", n)
	}
}

// A cell that is full is found before anything is added to it.
func TestFullCellsAreEmptied(t *testing.T) {
	const requests = 100_000
	v := NewRegistry(1).Service("shop").Variant("v1")
	for range requests {
		v.Begin(0).End(Record{Outcome: OutcomeOK, Status: 200, FirstByte: 700 * time.Microsecond, BytesIn: 3, BytesOut: 1000})
	}
	got := v.Totals()
	if got.Requests != requests || got.InFlight != 0 || got.BytesOut != 1000*requests || got.BytesIn != 3*requests {
		t.Errorf("%d requests, %d in flight, %d octets out, %d in", got.Requests, got.InFlight, got.BytesOut, got.BytesIn)
	}
	if h := v.Histogram(); h.Count() != requests {
		t.Errorf("%d latencies", h.Count())
	}
}

func TestInFlight(t *testing.T) {
	v := NewRegistry(8).Service("shop").Variant("v1")
	var begun [10]Begun
	for i := range begun {
		begun[i] = v.Begin(uint64(i) * 7)
	}
	for _, b := range begun[:4] {
		b.End(Record{Outcome: OutcomeOK, Status: 204})
	}
	if got := v.Totals().InFlight; got != 6 {
		t.Errorf("%d in flight, want 6", got)
	}
	for _, b := range begun[3:] {
		b.End(Record{Outcome: OutcomeClientGone})
	}
	if got := v.Totals().InFlight; got != 0 {
		t.Errorf("%d in flight after an End too many, want 0", got)
	}
}

// What a caller gets wrong stays inside its array and is visible.
func TestRecordOutOfRange(t *testing.T) {
	v := NewRegistry(1).Service("shop").Variant("v1")
	v.Begin(0).End(Record{Outcome: 200, Status: -7, Method: 99, FirstByte: -1, BytesIn: -1, BytesOut: -1, Lane: 7})
	v.Begin(0).End(Record{Status: 1000, Lane: Judged(1, 1)})
	got := v.Totals()
	if got.Outcomes[0] != 2 || got.Codes[0][MethodOther] != 1 || got.Class(5) != 1 || got.Failed != 0 || got.BytesOut != 0 {
		t.Errorf("%+v", got)
	}
	if c := v.Counts(1, 1); c != (Counts{}) {
		t.Errorf("an unknown outcome was judged: %+v", c)
	}
}

// The latency of a failure is shown and not judged.
func TestFailuresHaveNoJudgedLatency(t *testing.T) {
	v := NewRegistry(1).Service("shop").Variant("v2")
	for _, o := range Outcomes() {
		v.Begin(0).End(Record{Outcome: o, Status: 500, FirstByte: time.Millisecond, Lane: Judged(1, 4)})
	}
	if n := v.JudgedHistogram(1, 4).Count(); n != 1 {
		t.Errorf("%d judged latencies, want that of the success alone", n)
	}
	if n := v.Histogram().Count(); n != 8 {
		t.Errorf("%d latencies, want all but those of connect and refused", n)
	}
	if c := v.Counts(1, 4); c != (Counts{Bad: 8, Good: 1}) {
		t.Errorf("%+v, want 8 bad and 1 good: the client that went away is neither", c)
	}
}

func TestMethodOf(t *testing.T) {
	for m := range Method(methods) {
		if m != MethodOther && MethodOf(m.String()) != m {
			t.Errorf("MethodOf(%q) = %s", m, MethodOf(m.String()))
		}
	}
	for _, name := range []string{"get", "", "BREW", "GETS", "_OTHER"} {
		if m := MethodOf([]byte(name)); m != MethodOther {
			t.Errorf("MethodOf(%q) = %s", name, m)
		}
	}
}

func TestOutcomes(t *testing.T) {
	seen := map[string]bool{"unknown": true}
	for _, o := range Outcomes() {
		if seen[o.String()] {
			t.Errorf("the word %q is taken", o)
		}
		seen[o.String()] = true
		if good := o == OutcomeOK; o.Succeeded() != good || o.Failed() == good && o != OutcomeClientGone {
			t.Errorf("%s: succeeded %t failed %t", o, o.Succeeded(), o.Failed())
		}
	}
	if OutcomeClientGone.Failed() || Outcome(0).Failed() || Outcome(77).Failed() {
		t.Error("what is not known to be a failure is none")
	}
}
