package stats

import (
	"math"
	"sync/atomic"
)

// Side is the side of a rollout that a user is on.
type Side uint8

const (
	// SideStable is the stable variant.
	SideStable Side = iota + 1
	// SideCanary is the canary.
	SideCanary
)

// voterBits is the size of a bitmap: 2^16 bits, 8 KiB.
const voterBits = 1 << 16

// Voters lets each sticky user vote once per vote window. The draw was made per user, so a user is what is counted: were it
// requests, a few busy or broken users would decide a rollout.
//
// It is an approximation in fixed memory (bitmaps of 8 KiB, made when they are needed): a user is one bit, found by a
// hash that changes from window to window. What this does:
//   - Two users that meet at one bit have one vote between them in that window. Both sides share the bitmap, so the chance
//     to lose a vote is the same on both, and the odds of canary against stable among the votes that count stay those of
//     the draw. (With a bitmap per side the fuller one, that of the stable, would lose more.)
//   - A window ends early when half of its bits are set, at about 45,000 users; by then 28 % of the votes of new users have
//     been lost. A user who returns after that may vote again.
//   - A user who votes while a window ends may vote twice.
//   - A user who changes sides within a window has voted.
//
// Ask for the vote when the request is assigned, before its outcome is known: which of a user's requests counts must not
// depend on how it ends.
//
// A user whose vote was a failure has no other vote in this step. The draw put that user on one side once, so that a client
// which fails all the time says once what it says every minute; counted each time, three such clients among 3,000 users
// are a false rollback in 12 of 100 releases. All that comes later of that user is left out, the successes too, on both sides
// alike: what is compared is how many users meet a failure for the first time. It takes a third bitmap.
type Voters struct {
	window atomic.Pointer[bitmap] // who has voted in this vote window
	failed atomic.Pointer[bitmap] // whose vote was a failure in this step
	step   atomic.Pointer[bitmap] // canary users of this step
	seed   atomic.Uint64          // of the window to come
}

// bitmap is a set of bits that only ever grows; a new one takes its place instead of clearing it under those who use it.
type bitmap struct {
	seed  uint64
	words [voterBits / 64]atomic.Uint64
	_     cacheLine // the count is written with the words, but at other places
	ones  atomic.Uint64
}

// place is where the user's bit is.
func (b *bitmap) place(user uint64) (word *atomic.Uint64, mask uint64) {
	// Fibonacci hashing (Knuth, volume 3, section 6.4): the seed goes in before the multiplication, so users who share a
	// bit in one window are apart in the next.
	bit := (user ^ b.seed) * 0x9E3779B97F4A7C15 >> 48
	return &b.words[bit/64], uint64(1) << (bit % 64)
}

// has says whether the user's bit is set; there is none in a bitmap that was never made.
func (b *bitmap) has(user uint64) bool {
	if b == nil {
		return false
	}
	word, mask := b.place(user)
	return word.Load()&mask != 0
}

// set sets the user's bit. It says whether it was clear, and how many are set now.
func (b *bitmap) set(user uint64) (first bool, ones uint64) {
	word, mask := b.place(user)
	if word.Load()&mask != 0 || word.Or(mask)&mask != 0 {
		return false, 0
	}
	return true, b.ones.Add(1)
}

// Vote says whether this request may vote for its user, and if so uses the vote up. user is a hash of the user key,
// other than the hash of the draw. A zero user is a request without a key: it was drawn by itself and always votes.
func (v *Voters) Vote(user uint64, side Side) bool {
	if user == 0 {
		return true
	}
	if side == SideCanary {
		v.bitmap(&v.step).set(user)
	}
	if v.failed.Load().has(user) {
		return false
	}
	window := v.bitmap(&v.window)
	first, ones := window.set(user)
	if ones == voterBits/2 {
		v.replace(&v.window, window) // exactly one vote per window sees this number
	}
	return first
}

// Fail says that the request which voted for a user has failed. A zero user is nobody.
func (v *Voters) Fail(user uint64) {
	if user == 0 {
		return
	}
	failed := v.bitmap(&v.failed)
	if _, ones := failed.set(user); ones == voterBits/2 {
		v.replace(&v.failed, failed)
	}
}

// bitmap finds a bitmap, and makes it when the first vote comes.
func (v *Voters) bitmap(at *atomic.Pointer[bitmap]) *bitmap {
	for {
		if b := at.Load(); b != nil {
			return b
		}
		// Look again afterwards: NewStep may already have taken it away.
		at.CompareAndSwap(nil, &bitmap{seed: v.nextSeed()})
	}
}

// nextSeed is another seed at each call; the constant spreads a counter over all bits (SplitMix64, Steele et al. 2014).
func (v *Voters) nextSeed() uint64 { return v.seed.Add(1) * 0xBF58476D1CE4E5B9 }

// Rotate begins a new vote window: everybody may vote again who has not failed. It costs nothing when nobody has voted.
func (v *Voters) Rotate() {
	v.renew(&v.window)
}

// Pardon lets those vote again, from the next window on, who have failed.
func (v *Voters) Pardon() { v.renew(&v.failed) }

// renew puts a fresh bitmap in the place of one that has something set.
func (v *Voters) renew(at *atomic.Pointer[bitmap]) {
	if b := at.Load(); b != nil && b.ones.Load() > 0 {
		v.replace(at, b)
	}
}

// replace puts a fresh bitmap in the place of another one, unless another goroutine already did.
func (v *Voters) replace(at *atomic.Pointer[bitmap], b *bitmap) {
	at.CompareAndSwap(b, &bitmap{seed: v.nextSeed()})
}

// NewStep begins a new step: a new vote window, and the count of users starts from nobody.
func (v *Voters) NewStep() {
	v.window.Store(nil)
	v.failed.Store(nil)
	v.step.Store(nil)
}

// Users is the number of distinct users seen on the canary in this step, by linear counting (Whang, Vander-Zanden and
// Taylor, 1990): exact but for collisions when there are few, within 1 % up to 200,000, and an underestimate from 700,000 on.
func (v *Voters) Users() int {
	step := v.step.Load()
	if step == nil {
		return 0
	}
	unset := voterBits - step.ones.Load()
	if unset == 0 {
		unset = 1 // the most it can tell
	}
	return int(math.Round(-voterBits * math.Log(float64(unset)/voterBits)))
}

// Fill is the share of the vote window's bits that are set, from 0 to 0.5: the chance that a new user's vote is lost.
func (v *Voters) Fill() float64 {
	if window := v.window.Load(); window != nil {
		return float64(window.ones.Load()) / voterBits
	}
	return 0
}
