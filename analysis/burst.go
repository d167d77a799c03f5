package analysis

import "math"

// guardParts is how many slots a burst window is cut into, and guardSlots how many slots the guard looks at: one more, because
// what happened within one window may have been counted, tick by tick, in the slots of one window and a bit.
const (
	guardParts = 4
	guardSlots = guardParts + 1
)

// guardLeast is the part of a full window's evidence that the last of the K windows must bring. The reference has a half, and
// fixed windows. This guard's windows slide and are a quarter longer, which costs time of its own, and a tenth gives that back: errors
// of 5 % instead of 1 %, at 1,000 requests a second, take 1.1 to 1.2 times the reference's requests and not 1.4 times. It is still more
// than K-1 windows, and with 25 % of the traffic on the canary, or less, one more failure makes up the difference anyway.
const guardLeast = 0.1

// unguarded is a guard that caps nothing.
const unguarded = math.MaxFloat64

// burst is the guard against failures that come in clusters. The requests of a cluster are not independent, so what they
// say together is worth less than the product of what each says: within one window the wealth may grow by so much only,
// and at least K windows must speak against the canary.
//
// The window slides. A burst that straddles two fixed windows would be counted twice, and would then need but one failure
// by chance to be taken for three: with fixed windows a burst of 100 failures within one second, on an otherwise healthy
// canary of 20 requests a second that fails 1 in 1,000, is a false rollback in 3 of 100 cases.
type burst struct {
	slot  int64   // length of a slot, nanoseconds
	slots int64   // how many slots make a window
	clump int64   // length of the windows in which clusters are looked for, nanoseconds; 0 for not at all
	most  float64 // most log wealth that one window may add
	floor float64 // lowest log wealth a window is taken to begin with
}

// newBurst is the guard that makes K windows necessary: K-1 of them stay below the threshold, K of
// them are well above it. The floor is what a gambler who lost while the canary was healthy is lifted to in the first window: just
// so much that K full windows reach the threshold then, too, and a canary that dies late is found as fast as one that
// was dead from the start.
func newBurst(window int64, threshold float64, windows int) burst {
	k := float64(windows)
	most := threshold / (k - 1 + guardLeast)
	return burst{
		slot:  max(1, window/guardParts),
		slots: guardSlots,
		clump: max(1, 2*window),
		most:  most,
		floor: threshold - k*most + 1e-9, // not to miss the threshold by a rounding error
	}
}

// threshold is the log wealth at which a check with this share of alpha has failed (Ville's inequality).
func threshold(alpha, share float64) float64 { return -math.Log(alpha * share) }
