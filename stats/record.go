package stats

import "time"

// Strata is the number of strata that can be judged apart: draws with different probabilities (the split, the strength of a
// segment) must not be pooled.
const Strata = 4

// lanes is the number of lanes of a shard: the unjudged one, and two per stratum, for the even and the odd revisions.
const lanes = 1 + 2*Strata

// Lane says which numbers a request belongs to. Prometheus adds up all lanes; a verdict reads only those of the current
// revision. The zero value is Unjudged.
type Lane uint64

// Unjudged is the lane of requests that are reported but not judged: not drawn at random, or not allowed to vote.
const Unjudged Lane = 0

// stratumBits is the room for the stratum in a Lane, in its low bits. The events are in its high bits (see Lane.With), and the
// revision has the rest.
const stratumBits = 3

// Judged is the lane of requests that were drawn at random under a revision of the split, in a stratum from 1 to Strata. A
// stratum out of this range (0 is "not drawn at random") gives Unjudged. The whole revision travels in the lane, so that an
// answer that comes late can be told from one of the revision that took the place of its own.
func Judged(stratum int, revision uint64) Lane {
	if stratum < 1 || stratum > Strata {
		return Unjudged
	}
	return Lane(revision<<stratumBits).plain() | Lane(stratum)
}

// stratum is the stratum of the lane; 0 for Unjudged.
func (l Lane) stratum() int { return int(l & (1<<stratumBits - 1)) }

// slot is the index of the lane in a shard, if its revision is the judged one (see Service.judging).
func (l Lane) slot(judging uint64) int {
	if l == Unjudged || l.stratum() > Strata || judging != anyRevision && judging != uint64(l.plain())>>stratumBits {
		return 0
	}
	return int(l.stratum()-1)*2 + int(uint64(l)>>stratumBits&1) + 1
}

// Record is what there is to know about a request when it has ended. It is passed in registers, and has not room for one
// field more.
type Record struct {
	// Outcome is how it ended.
	Outcome Outcome
	// Status is the final status that the endpoint answered with, 0 if it did not answer. It is not a status that Haldane
	// made up for the client. It is ignored for outcomes that rule out an answer (connect, refused).
	Status int
	// Method is the request's method.
	Method Method
	// FirstByte is the time from the begin of the exchange to the first byte of the answer's final head. It is ignored
	// without a Status.
	FirstByte time.Duration
	// BytesIn is the size of the request's body as read from the client; BytesOut that of the response's body as written
	// to the client. Negative is read as zero.
	BytesIn, BytesOut int64
	// Lane says whether, and where, the request is judged.
	Lane Lane
}

// Begin counts a request as in flight. shard is any number that differs between goroutines that run at the same time, such
// as the low bits of a random number that was drawn anyway.
func (v *Variant) Begin(shard uint64) {
	s := v.shards[shard&uint64(len(v.shards)-1)].Load()
	if s == nil {
		s = v.newShard(shard)
	}
	s.begun.Add(1)
}

// End counts a request that was begun. The shard should be that of Begin. It marks the service as dirty.
//
// One latency is written per request, and only if an endpoint answered. A judged latency is that of a success: failures are
// often quick and would make a broken canary look fast. So an answer that failed counts as a failure in its own lane, and its
// latency in the unjudged one, where Prometheus finds it and a verdict does not. The same goes for the latency of a client
// that went away, which is no failure either.
//
// It is one piece and not five small ones because the calls would be a tenth of its cost, which is that of three atomic
// additions. What can be looked up is looked up before the first of them: a processor does not look ahead over an atomic
// addition, and lookups in between would be waited for one by one.
func (v *Variant) End(shard uint64, rec Record) {
	s := v.shards[shard&uint64(len(v.shards)-1)].Load()
	if s == nil {
		s = v.newShard(shard)
	}
	class := classOf(rec.Status)
	slot := rec.Lane.slot(v.service.judging.Load())
	if events := rec.Lane.events(); events != 0 && slot != 0 {
		s.happened(slot, events, rec.Outcome)
	}
	if rec.Outcome != OutcomeOK {
		slot, class = s.fail(slot, class, rec.Outcome)
	}
	r, l := s.rows[rec.Outcome.slot()][class].Load(), s.lanes[slot].Load()
	if r == nil {
		r = s.newRow(rec.Outcome.slot(), class)
	}
	if l == nil {
		l = s.newLane(slot)
	}
	t := &r[rec.Method.slot()]
	micros, volume := uint64(0), uint64(max(rec.BytesOut, 0))
	if class != 0 || slot != 0 {
		micros = microseconds(rec.FirstByte)
		bucket := BucketIndex(micros)
		o := l.octaves[bucket>>octaveBits].Load()
		if o == nil {
			o = l.newOctave(bucket >> octaveBits)
		}
		o[bucket&(octaveBuckets-1)].Add(1)
	}
	if rec.BytesIn > 0 {
		s.bytesIn.Add(uint64(rec.BytesIn))
	}
	// Last, because this is what ends the request: whoever sees it as no longer in flight sees its other numbers too.
	if t.add(micros, volume) {
		t.overflow(micros, volume)
	}
	v.service.touch()
}

// fail counts what is not a success, and returns the lane that takes its latency and its status class.
func (s *shard) fail(slot, class int, o Outcome) (latencySlot, answered int) {
	if slot != 0 && o.Failed() {
		l := s.lanes[slot].Load()
		if l == nil {
			l = s.newLane(slot)
		}
		l.failures.Add(1)
	}
	if o.unanswered() {
		class = 0
	}
	return 0, class
}

// newShard makes a shard, or finds the one that another goroutine was first to make.
func (v *Variant) newShard(n uint64) *shard {
	cell := &v.shards[n&uint64(len(v.shards)-1)]
	cell.CompareAndSwap(nil, new(shard))
	return cell.Load()
}
