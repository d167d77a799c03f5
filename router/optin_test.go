package router

import (
	"testing"

	"haldane/config"
)

// optIn lets half of the services know how users opt in.
func (d dice) optIn(s *config.Service) {
	if d.yes(2) {
		return
	}
	s.OptIn = &config.OptIn{Query: pick(d, "", "early"), Field: pick(d, "", "X-Early"), Cookie: pick(d, "", "early")}
	if s.Tenants != nil && d.yes(2) {
		s.OptIn.Tenants = map[string]string{"tenant-7": "beta", "x": "alpha", "v1": "ga"}
	}
}

// wish adds what a user may say about it.
func (d dice) wish(r *request) {
	word := func() string { return pick(d, "alpha", "beta", "ga", "Alpha", "gamma", "") }
	if d.yes(3) {
		r.param("early", word())
	}
	if d.yes(3) {
		r.field("x-early", word())
	}
	if d.yes(3) {
		r.cookie("early", word())
	}
}

// early is a service in a rollout that exposes those who opted in at a level.
func early(t testing.TB, level string) *Service {
	return released(t, func(s *config.Service, spec *SplitSpec) {
		s.Tenants = &config.Tenants{Header: "X-Tenant", Pins: map[string]string{"pinned": "v2"}}
		s.OptIn = &config.OptIn{
			Query: "early", Field: "X-Early", Cookie: "early", Tenants: map[string]string{"acme": "beta", "lab": "alpha"},
		}
		spec.OptIn, spec.Strength = level, config.Whole
	})
}

func TestWhoeverOptedInIsExposed(t *testing.T) {
	ask := func() *request { return user("alice") }
	for _, c := range []struct {
		name        string
		request     *request
		alpha, beta bool
	}{
		{"nobody", ask(), false, false},
		{"alpha", ask().cookie("early", "alpha"), true, true},
		{"beta", ask().cookie("early", "beta"), false, true},
		{"ga", ask().cookie("early", "ga"), false, false},
		{"another word", ask().cookie("early", "ALPHA"), false, false},
		{"the query goes before the cookie", ask().cookie("early", "alpha").param("early", "ga"), false, false},
		{"the field goes before the cookie", ask().cookie("early", "ga").field("x-early", "beta"), false, true},
		{"an unknown word gives way", ask().cookie("early", "beta").field("x-early", "?"), false, true},
		{"a tenant's default", ask().field("X-Tenant", "acme"), false, true},
		{"an early tenant", ask().field("X-Tenant", "lab"), true, true},
		{"a user goes before the tenant", ask().field("X-Tenant", "lab").cookie("early", "ga"), false, false},
		{"a user goes further than the tenant", ask().field("X-Tenant", "acme").cookie("early", "alpha"), true, true},
	} {
		for level, exposed := range map[string]bool{"alpha": c.alpha, "beta": c.beta} {
			want := Assignment{Variant: 0, Reason: ReasonSticky, Stratum: StratumSplit}
			if exposed {
				want = Assignment{Variant: 1, Reason: ReasonOptIn, Stratum: StratumSegment}
			}
			t.Run(c.name+" on "+level, func(t *testing.T) { expect(t, early(t, level).Assign(c.request, 0), want) })
		}
	}
}

// A pin goes before an opt-in, a segment gives its own reason, and a rolled-back canary is not assigned by either.
func TestOptInBetweenPinAndSplit(t *testing.T) {
	s := early(t, "beta")
	expect(t, s.Assign(user("a").field("X-Tenant", "pinned").cookie("early", "ga"), 0), Assignment{Variant: 1, Reason: ReasonPin})
	both := released(t, func(s *config.Service, spec *SplitSpec) {
		s.OptIn = &config.OptIn{Cookie: "early"}
		spec.OptIn, spec.Segment, spec.Strength = "beta", "staff", config.Whole
	})
	expect(t, both.Assign(user("a").field("X-Staff", "yes").cookie("early", "ga"), 0),
		Assignment{Variant: 1, Reason: ReasonSegment, Stratum: StratumSegment})
	expect(t, both.Assign(user("a").cookie("early", "beta"), 0), Assignment{Variant: 1, Reason: ReasonOptIn, Stratum: StratumSegment})
	before := s.Assign(user("a").cookie("early", "beta"), 0)
	s.Split().Revocation.Revoke()
	if !before.Revoked() {
		t.Error("an assignment from before the rollback still stands")
	}
	expect(t, s.Assign(user("a").cookie("early", "beta"), 0), Assignment{Variant: 0, Reason: ReasonOptIn})
	expect(t, s.Assign(user("a").field("X-Tenant", "lab"), 0), Assignment{Variant: 0, Reason: ReasonOptIn})
}

func TestOptInIsCompiledStrictly(t *testing.T) {
	s := shop()
	s.Tenants, s.OptIn = &config.Tenants{Header: "X-Tenant"}, &config.OptIn{Tenants: map[string]string{"acme": "early"}}
	if _, err := Build(Options{Services: map[string]config.Service{"shop": s}}); err == nil {
		t.Error("an unknown level of a tenant is taken")
	}
	table := build(t, Options{Services: map[string]config.Service{"shop": shop()}})
	for _, word := range []string{"ga", "gamma"} {
		if _, err := table.With(map[string]SplitSpec{"shop": {Stable: "v1", Canary: "v2", OptIn: word}}); err == nil {
			t.Errorf("a split that exposes %s is taken", word)
		}
	}
}
