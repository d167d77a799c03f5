package stats

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// armed is a budget with limits, and how often it has tripped and told.
func armed(l Limits) (b *Budget, trips, tells *counted) {
	b, trips, tells = &Budget{}, &counted{}, &counted{}
	b.Arm(Arming{Limits: l, Trip: trips.trip, Tell: tells.trip})
	return b, trips, tells
}

func TestSlowRequestsTrip(t *testing.T) {
	b, trips, _ := armed(Limits{Slow: 3, SlowAfter: time.Second})
	for i, took := range []time.Duration{0, time.Second, time.Second + 1, time.Hour, 999 * time.Millisecond} {
		b.Purse().Slow(took)
		if trips.n.Load() != 0 {
			t.Fatalf("tripped after %d requests", i+1)
		}
	}
	b.Purse().Slow(2 * time.Second)
	b.Purse().Slow(2 * time.Second) // in flight
	if trips.n.Load() != 1 || b.Losses().Slow != 4 {
		t.Errorf("%d trips, %+v", trips.n.Load(), b.Losses())
	}
	b, trips, _ = armed(Limits{Failed: 1})
	b.Purse().Slow(time.Hour)
	if trips.n.Load() != 0 || b.Losses() != (Losses{}) {
		t.Error("nothing is slow without a limit")
	}
	var none *Purse
	none.Slow(time.Hour)
	none.Compare(SideCanary, 0.5)
	none.Expose(1)
}

func TestExcessIsWhatStablesRateDoesNotExplain(t *testing.T) {
	b, trips, _ := armed(Limits{Excess: 5})
	p := b.Purse()
	for range 4 {
		p.Compare(SideCanary, 0.5)
		p.Compare(SideStable, 0.5)
	}
	if b.Losses().Excess != 0 {
		t.Errorf("as many failures on both sides of an even split: %v", b.Losses().Excess)
	}
	for range 100 { // what stable has failed more is no credit
		p.Compare(SideStable, 0.5)
	}
	p.Compare(SideCanary, 0.9)
	p.Compare(SideStable, 0.9) // nine, of one
	if got := b.Losses().Excess; got != 0 {
		t.Errorf("below nothing: %v", got)
	}
	p.Compare(SideCanary, 0.1)
	p.Compare(SideStable, 0.1) // one of nine
	if got := b.Losses().Excess; math.Abs(got-(1-1.0/9)) > 1e-6 {
		t.Errorf("one failure on either side at 10 %%: %v", got)
	}
	for _, share := range []float64{0, 0.95, 1, math.NaN()} { // nothing to compare with
		p.Compare(SideCanary, share)
		p.Compare(SideStable, share)
	}
	if got := b.Losses().Excess; got > 1 || trips.n.Load() != 0 {
		t.Errorf("where nothing is compared: %v", got)
	}
	for range 4 {
		p.Compare(SideCanary, 0.1)
	}
	if trips.n.Load() != 0 {
		t.Error("tripped below the limit")
	}
	p.Compare(SideCanary, 0.1)
	if trips.n.Load() != 1 {
		t.Errorf("%d trips at %v", trips.n.Load(), b.Losses().Excess)
	}
}

// The excess is what an expected value says: with a canary that fails more it grows by that, at every weight and load, and
// with one that is alike it goes to and fro around nothing.
func TestExcessOfTraffic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const requests = 200_000
	for _, share := range []float64{0.01, 0.1, 0.5, 0.9} {
		for _, rates := range [][2]float64{{0.01, 0.01}, {0.03, 0.01}} {
			b, _, _ := armed(Limits{})
			canary := 0.0
			for range requests {
				side := 1
				if r.Float64() < share {
					side, canary = 0, canary+1
				}
				if r.Float64() < rates[side] {
					b.Purse().Compare([]Side{SideCanary, SideStable}[side], share)
				}
			}
			want := canary * (rates[0] - rates[1])
			// The walk is reflected at zero, so that it is beyond it by about its standard deviation.
			sd := math.Sqrt(canary * rates[0] / (1 - share))
			if got := b.Losses().Excess; got < want-4*sd || got > want+6*sd {
				t.Errorf("share %v, rates %v: an excess of %v, expected %v (standard deviation %v)", share, rates, got, want, sd)
			}
		}
	}
}

// Chance alone makes an excess of about sqrt(failures/(1-share)): of variants that are alike, a limit of four times that ends fewer
// than one rollout in a hundred. (docs/OPERATIONS.md says so.)
func TestExcessByChance(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const runs, failures = 2000, 100 // of the canary
	for _, share := range []float64{0.05, 0.5, 0.9} {
		var ended [5]int
		for range runs {
			most, b := 0.0, &Budget{}
			b.Arm(Arming{Trip: func() {}})
			for range int(failures / share) {
				side := SideStable
				if r.Float64() < share {
					side = SideCanary
				}
				b.Purse().Compare(side, share)
				most = max(most, b.Losses().Excess)
			}
			for k := range ended {
				if most >= float64(k)*math.Sqrt(failures/(1-share)) {
					ended[k]++
				}
			}
		}
		t.Logf("share %v: a limit of 1, 2, 3 and 4 times the root ends %v of %d rollouts by chance", share, ended[1:], runs)
		if ended[4] > runs/100 {
			t.Errorf("share %v: %d of %d ended at four times the root", share, ended[4], runs)
		}
	}
}

func TestLossesAreRestored(t *testing.T) {
	b, _, _ := armed(Limits{Failed: 100, Excess: 10, Slow: 10, SlowAfter: 1, Users: 100})
	for user := uint64(1); user <= 50; user++ {
		b.Purse().Expose(hashed(user))
	}
	for range 7 {
		b.Purse().Compare(SideCanary, 0.3)
		b.Purse().Slow(2)
	}
	b.Purse().Compare(SideStable, 0.3)
	var again Budget
	var trips, tells counted
	arming := Arming{
		Limits: b.Limits(), Spent: b.Spent(), Losses: b.Losses(), Crowd: b.Crowd(), Trip: trips.trip, Tell: tells.trip,
	}
	if again.Arm(arming) {
		t.Error("it is not exhausted")
	}
	if again.Losses() != b.Losses() {
		t.Errorf("%+v after a restart, %+v before", again.Losses(), b.Losses())
	}
	for user := uint64(1); user <= 50; user++ {
		again.Purse().Expose(hashed(user)) // they are known
	}
	if again.Losses().Users != b.Losses().Users {
		t.Errorf("%d users after a restart, %d before", again.Losses().Users, b.Losses().Users)
	}
	arming.Crowd = nil // then they count again: rather too many than too few
	again.Arm(arming)
	for user := uint64(1); user <= 50; user++ {
		again.Purse().Expose(hashed(user))
	}
	if got := again.Losses().Users; got < 99 || tells.n.Load() != 1 {
		t.Errorf("%d users, told %d times", got, tells.n.Load())
	}
	for _, spent := range []Losses{{Excess: 10}, {Slow: 10}} {
		arming.Losses = spent
		if !again.Arm(arming) {
			t.Errorf("%+v is exhausted", spent)
		}
	}
	arming.Losses, arming.Limits.UsersEnd = Losses{Users: 100}, true
	if !again.Arm(arming) {
		t.Error("so many users end it")
	}
}

func TestUsersEndOrTell(t *testing.T) {
	for _, ends := range []bool{false, true} {
		b, trips, tells := armed(Limits{Users: 10, UsersEnd: ends})
		for user := uint64(1); user <= 9; user++ {
			b.Purse().Expose(hashed(user))
			b.Purse().Expose(hashed(user))
			b.Purse().Expose(0)
		}
		if trips.n.Load()+tells.n.Load() != 0 {
			t.Error("nine users are fine")
		}
		for user := uint64(10); user <= 20; user++ {
			b.Purse().Expose(hashed(user))
		}
		if got := [2]bool{trips.n.Load() == 1, tells.n.Load() == 1}; got != [2]bool{ends, !ends} {
			t.Errorf("it ends %v: %d trips, told %d times", ends, trips.n.Load(), tells.n.Load())
		}
		if b.SetLimits(Limits{Users: 5, UsersEnd: true}) != true || b.SetLimits(Limits{Users: 50, UsersEnd: true}) {
			t.Error("SetLimits says whether the limit has been reached")
		}
	}
	b, _, _ := armed(Limits{})
	b.Purse().Expose(1)
	b.SetLimits(Limits{Users: 10})
	b.Purse().Expose(2)
	if b.Losses().Users != 1 {
		t.Errorf("%d users: they count from the limit on", b.Losses().Users)
	}
}

// hashed is a user as the router hashes one.
func hashed(user uint64) uint64 {
	user *= 0x9E3779B97F4A7C15
	user ^= user >> 29
	return user * 0xBF58476D1CE4E5B9
}

// The limit is met to about 1 %: three standard errors of linear counting are 0.9 % of 100,000 users, 1.7 % of 200,000.
func TestCrowdIsCountedClosely(t *testing.T) {
	for _, limit := range []uint64{10, 100, 1000, 20_000, 100_000, 200_000} {
		allowed := map[uint64]float64{10: 0.1, 100: 0.02, 1000: 0.01, 200_000: 0.017}[limit]
		if allowed == 0 {
			allowed = 0.01
		}
		for seed := range uint64(20) {
			b, trips, _ := armed(Limits{Users: limit, UsersEnd: true})
			users := uint64(0)
			for trips.n.Load() == 0 && users < 2*limit {
				users++
				b.Purse().Expose(hashed(seed<<32 + users))
			}
			if off := math.Abs(float64(users)/float64(limit) - 1); off > allowed {
				t.Errorf("the limit of %d was met with %d users", limit, users)
			}
			if got := b.Losses().Users; math.Abs(float64(got)/float64(users)-1) > allowed {
				t.Errorf("%d users are counted as %d", users, got)
			}
		}
	}
}

// Every kind trips once however many requests reach it at the same time, and never after Disarm.
func TestEachKindTripsOnceUnderConcurrency(t *testing.T) {
	for name, charge := range map[string]func(*Purse, uint64){
		"failed": func(p *Purse, _ uint64) { p.Spend() },
		"excess": func(p *Purse, i uint64) {
			p.Compare(SideCanary, 0.5)
			if i%4 == 0 {
				p.Compare(SideStable, 0.2)
			}
		},
		"slow":  func(p *Purse, _ uint64) { p.Slow(2) },
		"users": func(p *Purse, i uint64) { p.Expose(hashed(i)) },
	} {
		b, trips, _ := armed(Limits{Failed: 50, Excess: 50, Slow: 50, SlowAfter: 1, Users: 50, UsersEnd: true})
		var wg sync.WaitGroup
		for g := range uint64(8) {
			wg.Go(func() {
				for i := range uint64(100) {
					charge(b.Purse(), g*1000+i)
				}
			})
		}
		wg.Wait()
		if trips.n.Load() != 1 {
			t.Errorf("%s: %d trips", name, trips.n.Load())
		}
		b.Disarm()
		before := b.Losses()
		for i := range uint64(100) {
			charge(b.Purse(), 1<<20+i)
		}
		if after := b.Losses(); trips.n.Load() != 1 || after.Slow != before.Slow || after.Excess != before.Excess {
			t.Errorf("%s: charged after the end: %+v", name, after)
		}
	}
}
