package stats

import "time"

// Strata is the number of strata that can be judged apart: draws with different probabilities (the split, the strength of a
// segment) must not be pooled.
const Strata = 4

// A Lane has the index of its cells, the slot, in its lowest bits, above them the revision, and in its high bits the events (see
// Lane.With). The lowest bit of the revision is enough to tell apart the cells of two revisions in a row.
const (
	slotBits = 4
	slotMask = 1<<slotBits - 1
	// lanes is the number of slots: the unjudged one, and two for each stratum, which follow in the order of the strata.
	lanes = 1 + 2*Strata
)

// Lane says which numbers a request belongs to. Prometheus adds up all lanes; a verdict reads only those of the current
// revision. The zero value is Unjudged.
type Lane uint64

// Unjudged is the lane of requests that are reported but not judged: not drawn at random, or not allowed to vote.
const Unjudged Lane = 0

// Judged is the lane of requests that were drawn at random under a revision of the split, in a stratum from 1 to Strata. A
// stratum out of this range (0 is "not drawn at random") gives Unjudged. The whole revision travels in the lane, so that an
// answer that comes late can be told from one of the revision that took the place of its own.
func Judged(stratum int, revision uint64) Lane {
	if stratum < 1 || stratum > Strata {
		return Unjudged
	}
	return Lane(revision<<slotBits).plain() | Lane(2*stratum-1+int(revision&1))
}

// slot is the index of the lane in a shard, if its revision is the judged one (see Service.judging).
func (l Lane) slot(judging uint64) int {
	if uint64(l.plain())>>slotBits == judging || judging == anyRevision {
		return int(l & slotMask)
	}
	return int(Unjudged)
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

// Foresee reads what Begin will write to. Where there are many services it comes from memory, and need not be waited for if it is
// asked for as soon as it is known that a request is likely to come: the processor goes on meanwhile. The shard is that of Begin.
func (c *Counter) Foresee(shard uint64) { c.berth(shard).begun.Load() }

// Begun is a request that is in flight, and the place where it is counted. The zero value must not be ended.
type Begun struct {
	counter *Counter
	berth   *berth
}

// Begin counts a request as in flight. shard is any number that differs between goroutines that run at the same time, such
// as the low bits of a random number that was drawn anyway.
func (c *Counter) Begin(shard uint64) Begun {
	b := c.berth(shard)
	b.begun.Add(1)
	return Begun{c, b}
}

// End counts the request as ended, once. It marks the service as dirty.
//
// One latency is written per request, and only if an endpoint answered. A judged latency is that of a success: failures are
// often quick and would make a broken canary look fast. So an answer that failed counts as a failure in its own lane, and its
// latency in the unjudged one, where Prometheus finds it and a verdict does not. The same goes for the latency of a client
// that went away, which is no failure either.
//
// This is the way of nearly every request, a success whose cells are there and have room, in one piece; endSeldom is the whole of
// it. Its cost is that of three atomic additions, one of them in Begin, and of one more with a body. A processor does not read
// ahead over an atomic addition, nor go on before its result is there, but it does calculate. So whatever is written to is
// looked up and read before the first addition, all at once should it come from memory; what is known without looking is
// calculated first of all; and what an addition gives is not looked at.
func (g Begun) End(rec Record) {
	micros, volume := uint64(rec.FirstByte)/uint64(time.Microsecond), uint64(rec.BytesOut) // what is negative is large now
	bucket, word := bucketIndex(uint32(micros)), packed(micros, volume)
	c, b := g.counter, g.berth
	slot := rec.Lane.slot(c.service.judging.Load())
	usual := rec.Outcome == OutcomeOK && slot < usualLanes && rec.Lane.events() == 0
	if !usual || (micros|volume)/tallySmall != 0 {
		c.variant.endSeldom(b, rec)
		return
	}
	r, l := b.row.Load(), b.lanes[slot].Load()
	if uint(rec.Status-100*usualClass) >= 100 {
		r = b.unusualRow(rec.Status)
	}
	s := b.shard.Load() // after the row, because it is made before it
	if r == nil || l == nil {
		c.variant.endSeldom(b, rec)
		return
	}
	o, t := l.octaves[bucket>>octaveBits].Load(), &r[rec.Method.slot()]
	if o == nil || o.word(bucket).Load()&wordFull|t.packed.Load()&tallyFull != 0 {
		c.variant.endSeldom(b, rec)
		return
	}
	in := rec.BytesIn
	o.add(bucket)
	if in > 0 {
		s.bytesIn.Add(uint64(in))
	}
	// Last, because this is what ends the request: whoever sees it as no longer in flight sees its other numbers too.
	t.packed.Add(word)
	c.service.touch()
}

// endSeldom is End for every request. It makes the cells that are missing.
func (v *Variant) endSeldom(b *berth, rec Record) {
	class := classOf(rec.Status)
	slot := rec.Lane.slot(v.service.judging.Load())
	if events := rec.Lane.events(); events != 0 && slot != 0 {
		v.lane(b, slot).happened(events, rec.Outcome)
	}
	if rec.Outcome != OutcomeOK {
		if slot != 0 && rec.Outcome.Failed() {
			v.lane(b, slot).failures.Add(1)
		}
		if slot = 0; rec.Outcome.unanswered() {
			class = 0
		}
	}
	r := b.reachRow(rec.Outcome.slot(), class)
	micros, volume := uint64(0), uint64(max(rec.BytesOut, 0))
	if class != 0 || slot != 0 {
		micros = microseconds(rec.FirstByte)
		v.count(v.lane(b, slot), slot, BucketIndex(micros))
	}
	if rec.BytesIn > 0 {
		b.made().bytesIn.Add(uint64(rec.BytesIn))
	}
	if t := &r[rec.Method.slot()]; t.add(micros, volume) {
		t.overflow(micros, volume)
	}
	v.service.touch()
}

// count counts a latency.
func (v *Variant) count(l *lane, slot, bucket int) {
	o := l.octaves[bucket>>octaveBits].Load()
	if o == nil {
		o = l.newOctave(bucket >> octaveBits)
	}
	if o.add(bucket) {
		v.spill(o, slot, bucket)
	}
}
