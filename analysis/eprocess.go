package analysis

import "math"

// process is the wealth of one gambler, in the log domain. It is a mixture over the sizes of the bet and, for harm, over the
// moments at which betting began: half of the money is bet from the start, the other half is kept in a reserve from
// which every restart takes a part. So a regression that begins after a long healthy time, in which the first half was
// lost, is still found, and one that is there from the start costs a factor of two.
//
// All fields are the memory of the process, and its JSON.
type process struct {
	// Bets is the log wealth of each bet, of what was bet from the start and what restarts have added: a bet wins and loses the
	// same part of both.
	Bets [maxBets]float64 `json:"bets"`
	// Restarts is how many restarts there were.
	Restarts uint64 `json:"restarts"`
	// Scale is the log of what the burst guard has left of the reserve.
	Scale float64 `json:"scale"`
	// Marks is the log wealth at the start of the last slots of time, from which burst windows are made.
	Marks [guardSlots]mark `json:"marks"`
	// Base is the log wealth at the start of the current burst window.
	Base float64 `json:"base"`
	// Sup is the largest log wealth ever.
	Sup float64 `json:"sup"`
	// Log is the log wealth now.
	Log float64 `json:"log"`
}

// mark is the log wealth at the start of a slot of time, and its JSON.
type mark struct {
	Slot int64   `json:"slot"`
	Log  float64 `json:"log"`
}

func newProcess(s stakes) process { return process{Bets: s} }

// reserve is the log of the money that is not bet yet.
func (p *process) reserve() float64 { return p.Scale - math.Log(float64(p.Restarts+1)) }

// wealth computes the log wealth from its parts. The largest part is taken out, so that nothing overflows and the
// smallest ones vanish instead of spoiling the sum.
func (p *process) wealth(d direction) float64 {
	n := d.bets()
	top, reserve := math.Inf(-1), math.Inf(-1)
	if d == harm {
		reserve = p.reserve()
		top = reserve
	}
	for _, v := range p.Bets[:n] {
		if v > top {
			top = v
		}
	}
	sum := 0.0
	for _, v := range p.Bets[:n] {
		sum += fraction(v - top)
	}
	if d == safe {
		return top + math.Log(sum)
	}
	sum += fraction(reserve - top)
	return top + math.Log(sum/2)
}

// vanishing is the log of a part of a sum of at most 11 parts, the largest of them 1, that is lost in rounding anyway.
const vanishing = -40

// fraction is exp(v) for v of at most 0. Most bets have lost everything most of the time.
func fraction(v float64) float64 {
	if v < vanishing {
		return 0
	}
	return math.Exp(v)
}

// restart number k moves the part 1/(k(k+1)) of the original reserve into bets that begin now; these parts add up to one
// over all restarts that will ever be. Only harm restarts. The wealth does not change.
func (p *process) restart(s *stakes) {
	k := float64(p.Restarts + 1)
	share := p.Scale - math.Log(k*(k+1))
	for j := range harmBets {
		p.Bets[j] = logAdd(p.Bets[j], share+s[j])
	}
	p.Restarts++
	p.Log = p.wealth(harm)
}

// enter finds the burst window that ends now, and the wealth it began with.
func (p *process) enter(now int64, b *burst) {
	slot := floorDiv(now, b.slot)
	m := &p.Marks[uint64(slot)%guardSlots]
	if m.Slot != slot {
		*m = mark{Slot: slot, Log: p.Log}
	}
	oldest := *m
	for _, o := range p.Marks {
		if o.Slot > slot-b.slots && o.Slot < oldest.Slot {
			oldest = o
		}
	}
	p.Base = max(oldest.Log, b.floor)
}

// bet applies the requests of one block in one stratum, of which only a part counts as evidence (see clumps). It is followed
// by settle once all strata of the tick are in.
func (p *process) bet(d direction, l *ladder, t *tally, part float64) {
	for j := range d.bets() {
		p.Bets[j] += part * l[j].log(t)
	}
}

// settle recomputes the wealth and cuts what the window gained beyond the guard. Capping from above, wherever, keeps a
// supermartingale.
func (p *process) settle(d direction, guard float64) {
	p.Log = p.wealth(d)
	if excess := p.Log - (p.Base + guard); excess > 0 {
		for j := range d.bets() {
			p.Bets[j] -= excess
		}
		p.Scale -= excess
		p.Log = p.wealth(d)
	}
	p.Sup = max(p.Sup, p.Log)
}

// logAdd is log(exp(a) + exp(b)).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}
