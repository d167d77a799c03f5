package rollout

import "haldane/config"

// Split is what the proxy must do now, in names.
type Split struct {
	// Service is the service whose traffic is shared out.
	Service string `json:"service"`
	// Rollout salts the draw, so that each rollout and each attempt draws its users afresh.
	Rollout string `json:"rollout"`
	// Revision counts the splits of the service and only grows.
	Revision uint64 `json:"revision"`
	// Stable and Canary name the variants.
	Stable string `json:"stable"`
	Canary string `json:"canary"`
	// Weight is the canary's share of randomised traffic.
	Weight config.Percent `json:"weight"`
	// Segment names the segment that is exposed as well; empty for none.
	Segment string `json:"segment,omitempty"`
	// OptIn exposes those who opted in as well: config.LevelAlpha or config.LevelBeta; empty for nobody.
	OptIn string `json:"opt_in,omitempty"`
	// Strength is the share of both that is drawn for the canary; zero without either.
	Strength config.Percent `json:"strength,omitempty"`
	// Override names the variant that takes every request; empty for none.
	Override string `json:"override,omitempty"`
	// RolledBack says that the canary may be reached by an override alone.
	RolledBack bool `json:"rolled_back,omitempty"`
	// Partial says which parts of the service are told apart; nil for none. It must not be changed.
	Partial *config.Partial `json:"partial,omitempty"`
	// Back are the parts whose requests do not get the canary: the lowest bit is the first of Partial.Parts.
	Back uint8 `json:"back,omitempty"`
}

// Splitter shares out the traffic of services.
type Splitter interface {
	// SetSplit is called with each new split; the last one of a service holds. An error is logged, and the call repeated
	// until there is none.
	SetSplit(Split) error
	// Revoke takes the canary that a service has now out of service at once: from its return on no request may be written
	// to it but by an override. It may be called on a request's own goroutine, so it must not block or take a lock.
	// Revoking twice, or a service that is not known, changes nothing.
	Revoke(service string)
}

// split is the one that the state asks for.
func (s *State) split() Split {
	d := s.shares()
	d.Rollout = drawID(s.ID, s.Attempt)
	return d
}

// shares is the split without the id of the draw, which takes time to make.
func (s *State) shares() Split {
	d := Split{
		Service: s.Spec.Service, Revision: s.Revision,
		Stable: s.Spec.Stable, Canary: s.Spec.Canary, Override: s.Override,
	}
	switch {
	case s.Phase == PhaseRolledBack:
		d.RolledBack = true
	case s.Phase == PhasePromoted:
		d.Weight = config.Whole
	case s.Phase.exposing():
		stage := s.stage()
		d.Weight = stage.Weight
		d.Partial, d.Back = s.Policy.Partial, s.back()
		d.Segment, d.OptIn = stage.Segment, stage.OptIn
		if d.grouped() {
			d.Strength = stage.Strength
		}
		if s.Manual != nil {
			d.Weight = *s.Manual
		}
		if s.Manual != nil && *s.Manual == 0 { // a person who says nobody means the segment too
			d.Segment, d.OptIn, d.Strength = "", "", 0
		}
	}
	return d
}

// differs says whether the traffic is shared out in another way.
func (d Split) differs(before Split) bool {
	d.Revision = before.Revision
	return d != before
}

// reweighs says whether another share is drawn of some stratum.
func (d Split) reweighs(before Split) bool {
	return d.Weight != before.Weight || d.Strength != before.Strength
}

// grouped says whether some are exposed besides the weight: a segment, those who opted in, or both.
func (d Split) grouped() bool { return d.Segment != "" || d.OptIn != "" }

// user is what a split can know of somebody: the segments they belong to, and the level they opted in at.
type user struct {
	segments [2]string
	level    string
}

// raises says whether somebody may be on the canary who was not under the split before: by the draw, or by a pin.
func (d Split) raises(before Split) bool {
	// Everybody is a member of both splits' segments, of one of them or of none, and has opted in at some level.
	for _, level := range [...]string{config.LevelAlpha, config.LevelBeta, config.LevelGeneral} {
		for _, segments := range [...][2]string{{}, {before.Segment}, {d.Segment}, {before.Segment, d.Segment}} {
			if u := (user{segments, level}); d.exposure(&u) > before.exposure(&u) {
				return true
			}
		}
	}
	regained := before.Back&^d.Back != 0 && (d.Weight > 0 || d.grouped()) // by a part
	return d.reachable() && (!before.reachable() || regained)
}

// exposure is the share of such users that is drawn for the canary.
func (d Split) exposure(u *user) config.Percent {
	early := d.OptIn != "" && (u.level == config.LevelAlpha || u.level == d.OptIn)
	switch {
	case d.Override == d.Canary:
		return config.Whole
	case d.Override != "":
		return 0
	case early, d.Segment != "" && (u.segments[0] == d.Segment || u.segments[1] == d.Segment):
		return d.Strength
	}
	return d.Weight
}

// reachable says whether a request that names the canary gets it.
func (d Split) reachable() bool {
	return d.Override == d.Canary || d.Override == "" && !d.RolledBack
}

// comparableBelow is the share from which on too few stable requests are left to compare the canary with.
const comparableBelow = config.Whole / 100 * 95

// compared says whether a share of the traffic is drawn at random, so that both variants can be compared.
func (d Split) compared() bool {
	return d.Override == "" && (teaches(d.Weight) || d.grouped() && teaches(d.Strength))
}

// compares says whether the requests of a stratum are drawn at random.
func (d Split) compares(stratum int) bool {
	if stratum == stratumSegment {
		return teaches(d.Strength)
	}
	return teaches(d.Weight)
}

func teaches(share config.Percent) bool { return share > 0 && share < comparableBelow }
