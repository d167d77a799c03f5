package stats

import (
	"sync"
	"sync/atomic"
	"testing"
)

// counted is a trip that counts its calls.
type counted struct{ n atomic.Int64 }

func (c *counted) trip() { c.n.Add(1) }

func TestBudgetTripsAtTheLimitOnce(t *testing.T) {
	var b Budget
	var trips counted
	b.Spend() // disarmed: nothing happens
	b.Arm(Arming{Limits: Limits{Failed: 10}, Trip: trips.trip})
	for i := 1; i <= 30; i++ {
		b.Spend()
		if want := int64(0); i >= 10 {
			want = 1
			if trips.n.Load() != want || !b.Tripped() {
				t.Fatalf("after %d failures: %d trips", i, trips.n.Load())
			}
		} else if trips.n.Load() != want || b.Tripped() {
			t.Fatalf("tripped after %d failures", i)
		}
	}
	if b.Spent() != 30 || b.Limits().Failed != 10 {
		t.Errorf("spent %d of %d", b.Spent(), b.Limits().Failed)
	}
}

func TestBudgetTripsOnceUnderConcurrency(t *testing.T) {
	for range 200 {
		var b Budget
		var trips counted
		b.Arm(Arming{Limits: Limits{Failed: 50}, Trip: trips.trip})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					b.Spend()
				}
			})
		}
		wg.Wait()
		if trips.n.Load() != 1 || b.Spent() != 160 {
			t.Fatalf("%d trips, spent %d", trips.n.Load(), b.Spent())
		}
	}
}

// After Disarm nothing trips, and a new budget owes nothing for the old one.
func TestBudgetArmAndDisarmUnderSpend(t *testing.T) {
	var b Budget
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.Spend()
				}
			}
		})
	}
	for range 2000 {
		var trips counted
		b.Arm(Arming{Limits: Limits{Failed: 3}, Trip: trips.trip})
		b.Disarm()
		// The call that had begun may still run; none begins any more. More than one never.
		if n := trips.n.Load(); n > 1 {
			t.Fatalf("%d trips", n)
		}
		if b.Limits().Failed != 0 || b.Tripped() {
			t.Fatal("it is still armed")
		}
	}
	close(stop)
	wg.Wait()
	var trips counted
	b.Arm(Arming{Limits: Limits{Failed: 1000}, Trip: trips.trip})
	if b.Spent() != 0 {
		t.Errorf("a new budget begins with %d spent", b.Spent())
	}
}

// What was spent before a restart counts.
func TestBudgetRestored(t *testing.T) {
	var b Budget
	var trips counted
	if b.Arm(Arming{Limits: Limits{Failed: 10}, Spent: 8, Trip: trips.trip}) {
		t.Error("8 of 10 is not exhausted")
	}
	b.Spend()
	b.Spend()
	if trips.n.Load() != 1 || b.Spent() != 10 {
		t.Errorf("%d trips, spent %d", trips.n.Load(), b.Spent())
	}
	if !b.Arm(Arming{Limits: Limits{Failed: 10}, Spent: 12, Trip: trips.trip}) || trips.n.Load() != 1 {
		t.Error("an exhausted budget says so and does not trip by itself")
	}
	b.Spend()
	if trips.n.Load() != 2 {
		t.Error("a failure of an exhausted budget trips")
	}
}

func TestBudgetWithoutLimit(t *testing.T) {
	var b Budget
	var trips counted
	b.Arm(Arming{Trip: trips.trip})
	for range 1000 {
		b.Spend()
	}
	if trips.n.Load() != 0 || b.Spent() != 1000 {
		t.Errorf("%d trips, spent %d", trips.n.Load(), b.Spent())
	}
	if b.SetLimits(Limits{Failed: 2000}) || !b.SetLimits(Limits{Failed: 500}) {
		t.Error("SetLimit says whether the limit has been reached")
	}
	b.Spend()
	if trips.n.Load() != 1 {
		t.Errorf("%d trips after the limit came below what was spent", trips.n.Load())
	}
}

// A request of an earlier rollout that fails now is no failure of the present one.
func TestPurseBelongsToItsRollout(t *testing.T) {
	var b Budget
	var first, second counted
	var none *Purse
	none.Spend()
	if b.Purse() != nil || b.SetLimits(Limits{Failed: 1}) {
		t.Error("there is no budget yet")
	}
	b.Arm(Arming{Limits: Limits{Failed: 2}, Trip: first.trip})
	inFlight := b.Purse()
	b.Arm(Arming{Limits: Limits{Failed: 2}, Trip: second.trip})
	for range 5 {
		inFlight.Spend()
	}
	if b.Spent() != 0 || first.n.Load() != 0 || second.n.Load() != 0 {
		t.Errorf("spent %d, trips %d and %d", b.Spent(), first.n.Load(), second.n.Load())
	}
}
