package router

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"haldane/config"
)

// expect compares an assignment without its split and its user.
func expect(t *testing.T, got, want Assignment) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Assignment{}, "Split", "User")); diff != "" {
		t.Errorf("assignment (-want +got):\n%s", diff)
	}
}

func pinned(s *config.Service, _ *SplitSpec) {
	s.Pins = []config.Pin{{Header: "X-Variant"}, {Query: "beta", Exact: "1", Variant: "v2"}}
	s.Tenants = &config.Tenants{Header: "X-Tenant", Pins: map[string]string{"acme": "v2", "old": "v1"}}
}

func TestOverrideBeatsEverything(t *testing.T) {
	s := released(t, func(settings *config.Service, spec *SplitSpec) {
		pinned(settings, spec)
		spec.Override, spec.Segment, spec.Strength = "v2", "staff", config.Whole
		spec.Revocation.Revoke()
	})
	a := s.Assign(user("alice").field("X-Variant", "v1"), 0)
	expect(t, a, Assignment{Variant: 1, Reason: ReasonOverride})
	if a.Revoked() {
		t.Error("an override is revoked")
	}
}

func TestPinsInOrder(t *testing.T) {
	s := released(t, pinned)
	pin := func(variant int) Assignment { return Assignment{Variant: variant, Reason: ReasonPin} }
	drawn := Assignment{Variant: 0, Reason: ReasonSticky, Stratum: StratumSplit}
	bare := func() *request { return user("alice") }
	expect(t, s.Assign(bare().field("x-variant", "v2"), 0), pin(1))
	expect(t, s.Assign(bare().field("X-Variant", "v1").param("beta", "1"), 0), pin(0))
	expect(t, s.Assign(bare().field("X-Variant", "none").param("beta", "1"), 0), pin(1))
	expect(t, s.Assign(bare().field("X-Variant", "v1").field("X-Tenant", "acme"), 0), pin(0))
	expect(t, s.Assign(bare().field("X-Tenant", "acme"), 0), pin(1))
	expect(t, s.Assign(bare().field("X-Tenant", "old"), 0), pin(0))
	expect(t, s.Assign(bare().field("X-Tenant", "new"), 0), drawn)
	expect(t, s.Assign(bare().field("X-Variant", "").param("beta", "11"), 0), drawn)
	expect(t, s.Assign(bare().field("X-Variant", "V2"), 0), drawn)
}

func TestPinToRolledBackVariantIsRefused(t *testing.T) {
	s := released(t, pinned)
	asked := user("alice").field("X-Tenant", "acme")
	before := s.Assign(asked, 0)
	s.Split().Revocation.Revoke()
	if !before.Revoked() {
		t.Error("an assignment from before the rollback still stands")
	}
	expect(t, s.Assign(asked, 0), Assignment{Variant: 0, Reason: ReasonPin, Refused: true})
	expect(t, s.Assign(user("alice").field("X-Variant", "v1"), 0), Assignment{Variant: 0, Reason: ReasonPin})
}

func TestVariantOutsideTheRolloutCanBePinned(t *testing.T) {
	s := released(t, func(settings *config.Service, spec *SplitSpec) {
		pinned(settings, spec)
		settings.Variants = variants("v1", "v2", "v3")
		spec.Weight = config.Whole
		spec.Revocation.Revoke()
	})
	expect(t, s.Assign(user("alice").field("X-Variant", "v3"), 0), Assignment{Variant: 2, Reason: ReasonPin})
}

func TestSegment(t *testing.T) {
	whole := released(t, func(_ *config.Service, spec *SplitSpec) { spec.Segment, spec.Strength = "staff", config.Whole })
	member := func(key string) *request { return user(key).field("X-Staff", "yes") }
	expect(t, whole.Assign(member("alice"), 0), Assignment{Variant: 1, Reason: ReasonSegment, Stratum: StratumSegment})
	expect(t, whole.Assign(user("alice"), 0), Assignment{Variant: 0, Reason: ReasonSticky, Stratum: StratumSplit})
	half := released(t, func(_ *config.Service, spec *SplitSpec) { spec.Segment, spec.Strength = "staff", 50*percentUnit })
	hits := 0
	for i := range 20_000 {
		a := half.Assign(member(strconv.Itoa(i)), 0)
		hits += a.Variant
		a.Variant = 0
		expect(t, a, Assignment{Reason: ReasonSegment, Stratum: StratumSegment})
	}
	within(t, "half of the staff", hits, 20_000, 0.5)
	noKey := get("shop.example.com", "/").field("X-Staff", "yes")
	expect(t, half.Assign(noKey, 1<<62), Assignment{Variant: 1, Reason: ReasonSegment, Stratum: StratumSegment})
	expect(t, half.Assign(noKey, 3<<62), Assignment{Variant: 0, Reason: ReasonSegment, Stratum: StratumSegment})
	half.Split().Revocation.Revoke()
	expect(t, half.Assign(noKey, 1<<62), Assignment{Variant: 0, Reason: ReasonSegment})
	whole.Split().Revocation.Revoke()
	expect(t, whole.Assign(member("alice"), 0), Assignment{Variant: 0, Reason: ReasonSegment})
}

// TestRollbackMovesEverybodyAtOnce draws while another goroutine revokes: from then on nobody gets the canary, by whatever
// way, and every assignment made before says that it no longer stands.
func TestRollbackMovesEverybodyAtOnce(t *testing.T) {
	s := released(t, func(settings *config.Service, spec *SplitSpec) {
		pinned(settings, spec)
		spec.Weight, spec.Segment, spec.Strength = 50*percentUnit, "staff", config.Whole
	})
	requests := []*request{user("alice"), user("bob"), user("x").field("X-Staff", "yes"), user("y").field("X-Variant", "v2")}
	var revokers sync.WaitGroup
	winners := make(chan bool, 4)
	for range cap(winners) {
		revokers.Go(func() { winners <- s.Split().Revocation.Revoke() })
	}
	for range 1000 {
		for _, r := range requests {
			before := s.Split().Revocation.Revoked()
			if a := s.Assign(r, 0); before && a.Variant != 0 {
				t.Fatal("a request got the canary after the rollback")
			}
		}
	}
	revokers.Wait()
	won := 0
	for range cap(winners) {
		if <-winners {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d calls say that they revoked", won)
	}
	for i := range 10_000 {
		if a := s.Assign(user(strconv.Itoa(i)), rand.Uint64()); a.Variant != 0 || a.Stratum != StratumNone {
			t.Fatalf("after the rollback user %d got %+v", i, a)
		}
	}
}

// TestIssuedCookieComesBack makes the second request of users whose first one was given a cookie: they must be where they
// were, and be the same user, also when the segment of the step is a share of that cookie.
func TestIssuedCookieComesBack(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 1))
	for _, segment := range []string{"", "testers"} {
		s := released(t, func(settings *config.Service, spec *SplitSpec) {
			settings.Sticky.Issue = true
			spec.Weight, spec.Segment, spec.Strength = 30*percentUnit, segment, 60*percentUnit
		})
		for range 5000 {
			first := s.Assign(get("shop.example.com", "/"), random.Uint64())
			if !first.Issue || first.User == 0 {
				t.Fatalf("no key is issued: %+v", first)
			}
			second := s.Assign(user(string(AppendIssuedKey(nil, first.IssuedKey))), random.Uint64())
			first.Issue, first.IssuedKey = false, 0
			if diff := cmp.Diff(first, second, cmpopts.IgnoreFields(Assignment{}, "Split")); diff != "" {
				t.Fatalf("the second request differs (-first +second):\n%s", diff)
			}
		}
	}
}

func TestIssuedKeyText(t *testing.T) {
	for key, want := range map[uint64]string{0: "0000000000000000", 0xabc: "0000000000000abc", ^uint64(0): "ffffffffffffffff"} {
		if got := string(AppendIssuedKey([]byte("uid="), key)); got != "uid="+want {
			t.Errorf("key %x is written %q", key, got)
		}
	}
}

func TestEmptyKeyIsNone(t *testing.T) {
	half := func(_ *config.Service, spec *SplitSpec) { spec.Weight = 50 * percentUnit }
	expect(t, released(t, half).Assign(user(""), 1), Assignment{Variant: 1, Reason: ReasonSplit, Stratum: StratumSplit})
	issue := released(t, func(s *config.Service, spec *SplitSpec) {
		half(s, spec)
		s.Sticky.Issue = true
	})
	if a := issue.Assign(user(""), 1); !a.Issue || a.IssuedKey != 1 {
		t.Errorf("an empty cookie is not replaced: %+v", a)
	}
}

// TestStickyKeys reads the key wherever it may stand. All requests of a user get one side, and differ by user.
func TestStickyKeys(t *testing.T) {
	ways := map[string]struct {
		key  config.Key
		give func(i int) *request
	}{
		"header": {config.Key{Header: "X-User"}, func(i int) *request { return get("x", "/").field("x-user", strconv.Itoa(i)) }},
		"cookie": {config.Key{Cookie: "u"}, func(i int) *request { return get("x", "/").cookie("u", strconv.Itoa(i)) }},
		"query":  {config.Key{Query: "u"}, func(i int) *request { return get("x", "/").param("u", strconv.Itoa(i)) }},
		"client": {config.Key{ClientAddress: true}, func(i int) *request { return get("x", "/").from("10.0.0." + strconv.Itoa(i)) }},
		"client with a zone": {config.Key{ClientAddress: true}, func(i int) *request {
			return get("x", "/").from("fe80::" + strconv.Itoa(i) + "%" + string(make([]byte, 50)) + "eth0")
		}},
	}
	for name, way := range ways {
		s := released(t, func(settings *config.Service, spec *SplitSpec) {
			settings.Sticky.Key, spec.Weight = way.key, 50*percentUnit
		})
		sides := [2]int{}
		for i := range 100 {
			one, two := s.Assign(way.give(i), 0), s.Assign(way.give(i), ^uint64(0))
			if one != two || one.Reason != ReasonSticky {
				t.Errorf("%s: user %d: %+v, then %+v", name, i, one, two)
			}
			sides[one.Variant]++
		}
		if sides[0] == 0 || sides[1] == 0 {
			t.Errorf("%s: everybody is on one side: %v", name, sides)
		}
	}
	byAddress := released(t, func(s *config.Service, _ *SplitSpec) { s.Sticky.Key = config.Key{ClientAddress: true} })
	if one, two := byAddress.Assign(get("x", "/").from("fe80::1%eth0"), 0), byAddress.Assign(get("x", "/").from("fe80::1%eth1"), 0); one != two {
		t.Errorf("the zone of an address tells users apart: %+v, %+v", one, two)
	}
	noAddress := released(t, func(s *config.Service, _ *SplitSpec) { s.Sticky.Key = config.Key{ClientAddress: true} })
	expect(t, noAddress.Assign(&request{}, 0), Assignment{Reason: ReasonSplit, Stratum: StratumSplit})
}

// TestOnlyCookiesAreIssued asks for what cannot be done.
func TestOnlyCookiesAreIssued(t *testing.T) {
	s := released(t, func(settings *config.Service, _ *SplitSpec) {
		settings.Sticky = &config.Sticky{Key: config.Key{Header: "X-User"}, Issue: true}
	})
	expect(t, s.Assign(get("x", "/"), 0), Assignment{Reason: ReasonSplit, Stratum: StratumSplit})
}

// TestRevokedAssignments holds that a revocation is about the canary alone.
func TestRevokedAssignments(t *testing.T) {
	off, on := &Revocation{}, &Revocation{}
	on.Revoke()
	cases := []struct {
		a    Assignment
		want bool
	}{
		{Assignment{Variant: 1, Reason: ReasonSticky, Split: &Split{Canary: 1, Revocation: on}}, true},
		{Assignment{Variant: 1, Reason: ReasonPin, Split: &Split{Canary: 1, Revocation: on}}, true},
		{Assignment{Variant: 1, Reason: ReasonOverride, Split: &Split{Canary: 1, Revocation: on}}, true},
		{Assignment{Variant: 1, Reason: ReasonOverride, Split: &Split{Canary: 1, Revocation: on, ordered: true}}, false},
		{Assignment{Variant: 0, Reason: ReasonSticky, Split: &Split{Canary: 1, Revocation: on}}, false},
		{Assignment{Variant: 2, Reason: ReasonPin, Split: &Split{Canary: 1, Revocation: on}}, false},
		{Assignment{Variant: 1, Reason: ReasonSticky, Split: &Split{Canary: 1, Stable: 1, Revocation: on}}, false},
		{Assignment{Variant: 1, Reason: ReasonSticky, Split: &Split{Canary: 1, Revocation: off}}, false},
		{Assignment{Variant: 1, Reason: ReasonSticky, Split: &Split{Canary: 1}}, false},
	}
	for _, c := range cases {
		if got := c.a.Revoked(); got != c.want {
			t.Errorf("variant %d for reason %s, split %+v: revoked is %v", c.a.Variant, c.a.Reason, c.a.Split, got)
		}
	}
}

func TestReasonWords(t *testing.T) {
	var got []string
	for r := Reason(0); r <= ReasonSplit; r++ {
		got = append(got, r.String())
	}
	if diff := cmp.Diff([]string{"none", "override", "pin", "segment", "opt_in", "sticky", "split"}, got); diff != "" {
		t.Error(diff)
	}
}
