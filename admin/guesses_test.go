package admin

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func wrong() bool { return false }
func right() bool { return true }

func TestGuessesAreSlowedDown(t *testing.T) {
	g, now := newGuesses(), time.Unix(1e9, 0)
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for n := range guessBurst {
		if wait := g.try(here, now, wrong); wait != 0 {
			t.Fatalf("guess %d waits %v", n, wait)
		}
	}
	compared := false
	if wait := g.try(here, now, func() bool { compared = true; return true }); wait != guessEvery || compared {
		t.Errorf("one too many waits %v, compared %v", wait, compared)
	}
	if wait := g.try(there, now, wrong); wait != 0 {
		t.Errorf("another address pays: %v", wait)
	}
	if wait := g.try(here, now.Add(guessEvery), right); wait != 0 {
		t.Errorf("a right one after the wait: %v", wait)
	}
	if wait := g.try(here, now.Add(guessEvery), wrong); wait != 0 {
		t.Errorf("one guess is forgotten after %v: %v", guessEvery, wait)
	}
	if wait := g.try(here, now.Add(guessEvery), wrong); wait == 0 {
		t.Error("two guesses are forgotten at once")
	}
}

// Right tokens are never slowed down, however many.
func TestRightTokensAreFree(t *testing.T) {
	g, now := newGuesses(), time.Unix(1e9, 0)
	for range 10 * guessBurst {
		if wait := g.try(netip.Addr{}, now, right); wait != 0 {
			t.Fatal(wait)
		}
	}
	if len(g.forgiven) != 0 {
		t.Errorf("%d addresses are remembered", len(g.forgiven))
	}
}

// However many addresses there are, the account stays small, and whoever is slowed down stays so.
func TestGuessersAreBounded(t *testing.T) {
	g, now := newGuesses(), time.Unix(1e9, 0)
	worst := netip.MustParseAddr("192.0.2.1")
	for range guessBurst {
		g.try(worst, now, wrong)
	}
	for n := range 10 * guessersMost {
		g.try(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), now, wrong)
	}
	if len(g.forgiven) > guessersMost {
		t.Errorf("%d addresses", len(g.forgiven))
	}
	if g.try(worst, now, right) == 0 {
		t.Error("others have made the address be forgotten")
	}
	late := netip.MustParseAddr("192.0.2.9")
	g.try(late, now.Add(time.Hour), wrong)
	if _, known := g.forgiven[late]; !known || len(g.forgiven) > guessersMost {
		t.Errorf("after an hour: %v, %d addresses", known, len(g.forgiven))
	}
}

// All of one IPv6 network, and both spellings of an IPv4 address, are one.
func TestGuessersOfOneNetwork(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8::1", "2001:db8::ffff:1:2", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		if same := network(netip.MustParseAddr(c.a)) == network(netip.MustParseAddr(c.b)); same != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, same)
		}
	}
}

// Of many guesses at the same moment, not one more is compared than one after the other.
func TestGuessesAtTheSameMoment(t *testing.T) {
	g, now := newGuesses(), time.Unix(1e9, 0)
	var compared atomic.Int64
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			g.try(netip.Addr{}, now, func() bool { compared.Add(1); return false })
		})
	}
	group.Wait()
	if got := compared.Load(); got != guessBurst {
		t.Errorf("%d were compared, want %d", got, guessBurst)
	}
}

// The account against a plain token bucket.
func TestGuessesAgainstBucket(t *testing.T) {
	g, now, start := newGuesses(), time.Unix(1e9, 0), time.Unix(1e9, 0)
	level, last := 0.0, start
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 5000 {
		now = now.Add(time.Duration(random.IntN(40)) * time.Second / 4)
		level = max(0, level-float64(now.Sub(last))/float64(guessEvery))
		last = now
		allowed := level <= guessBurst-1+1e-9
		if wait := g.try(netip.Addr{}, now, wrong); (wait == 0) != allowed {
			t.Fatalf("guess %d with %.3f in the bucket waits %v", n, level, wait)
		}
		if allowed {
			level++
		}
	}
}

// Over the wire: after ten wrong tokens the right one is refused as well, with the time to wait; later it is taken. Requests
// that show nothing do not count.
func TestGuessingOverHTTP(t *testing.T) {
	s := serve(t, options(newFake()))
	const path = "/api/v1/rollouts/shop/pause"
	for range 3 * guessBurst {
		if got := s.do("POST", path, `{}`); got.status != 401 {
			t.Fatalf("without a token: %d", got.status)
		}
	}
	for n := range guessBurst {
		if got := s.do("POST", path, `{}`, fmt.Sprintf("Authorization: Bearer wrong-%d", n)); got.status != 401 {
			t.Fatalf("guess %d: %d", n, got.status)
		}
	}
	got := s.post(path, `{}`)
	if p := got.problem(t); got.status != 429 || p.Detail == "" || got.header.Get("Retry-After") != "6" && got.header.Get("Retry-After") != "5" {
		t.Errorf("%d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	if got := s.get("/api/v1/rollouts"); got.status != 200 {
		t.Errorf("what needs no token is refused: %d", got.status)
	}
}

func TestGuessesAreForgottenOnTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, err := loadKeys(options(newFake()).Config)
		if err != nil {
			t.Fatal(err)
		}
		for range guessBurst {
			k.unlock(netip.Addr{}, "wrong")
		}
		granted, wait := k.unlock(netip.Addr{}, secret)
		if granted != roleNone || wait != guessEvery {
			t.Fatalf("%v, %v", granted, wait)
		}
		time.Sleep(wait)
		if granted, wait := k.unlock(netip.Addr{}, secret); granted != roleOperate || wait != 0 {
			t.Errorf("%v, %v", granted, wait)
		}
	})
}
