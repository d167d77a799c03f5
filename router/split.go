package router

import (
	"cmp"
	"errors"
	"fmt"

	"haldane/config"
)

// Split says how the traffic of one service is shared out right now. A Split is immutable. What most requests read stands
// together, for few cache lines.
type Split struct {
	// Override is the index of the variant that takes every request by an operator's order, or -1.
	Override int
	// Stable is the index of the stable variant.
	Stable int
	// Canary is the index of the canary, or that of the stable when there is none.
	Canary int
	// Rollout is the id of the rollout, and the salt of the draw; empty without one.
	Rollout string
	// Revision counts the splits of the service; it travels with each request so that late answers are not counted
	// under a split they were not drawn with.
	Revision uint64
	// Revocation takes the canary out; nil without a rollout.
	Revocation *Revocation
	// Segment is exposed to the canary as well; nil for none.
	Segment *Segment
	// Back are the parts of the service whose requests do not get the canary.
	Back Parts

	ordered bool  // the override was given when the canary had been rolled back already
	early   level // from which on those who opted in are exposed; levelGeneral for none
	parts   []part
	draw    draw // Shares as thresholds

	// What follows is read by few requests, or none.

	strength draw // Strength as a threshold, with a salt of its own
	// Shares is the share of each variant, by index; they add up to config.Whole. With a rollout only stable and canary
	// have one.
	Shares []config.Percent
	// Strength is the share of the segment, and of those who opted in, that is drawn for the canary; config.Whole sends all.
	Strength config.Percent
}

// revoked says whether the canary of this split must not be assigned to requests of a part.
func (s *Split) revoked(part uint8) bool {
	return s.Canary != s.Stable && (s.Back.has(part) || s.Revocation.revokedFor(part))
}

// seal makes the draws from the shares. It is the last step of making a Split.
func (s *Split) seal(service string) {
	salt := saltOf(purposeDraw, service, s.Rollout)
	if s.Canary == s.Stable {
		s.draw = newDraw(salt, s.Shares)
	} else {
		s.draw = newCanaryDraw(salt, canaryDraw{share: s.Shares[s.Canary], canary: s.Canary, stable: s.Stable})
	}
	s.strength = newCanaryDraw(saltOf(purposeStrength, service, s.Rollout),
		canaryDraw{share: s.Strength, canary: s.Canary, stable: s.Stable})
}

var errNoStable = errors.New("with several variants, stable must be named")

// newSplit resolves the names of a spec.
func (s *Service) newSplit(spec SplitSpec, segments map[string]*Segment) (*Split, error) {
	if spec.Weight > config.Whole || spec.Strength > config.Whole {
		return nil, fmt.Errorf("weight %s or strength %s is more than the whole", spec.Weight, spec.Strength)
	}
	stable, errStable := s.resolve(spec.Stable, absent)
	canary, errCanary := s.resolve(spec.Canary, stable)
	override, errOverride := s.resolve(spec.Override, absent)
	early, errEarly := exposed(spec.OptIn)
	if err := cmp.Or(errStable, errCanary, errOverride, errEarly); err != nil {
		return nil, err
	}
	if stable == absent {
		return nil, errNoStable
	}
	split := &Split{
		Rollout: spec.Rollout, Revision: spec.Revision,
		Stable: stable, Canary: canary, Shares: make([]config.Percent, len(s.Variants)),
		Strength: spec.Strength, Override: override, Revocation: spec.Revocation, early: early,
		Back: spec.Back, parts: newParts(spec.Partial.Parts(), segments),
	}
	split.ordered = split.Override >= 0 && spec.Revocation.Revoked()
	if spec.Segment != "" {
		segment, ok := segments[spec.Segment]
		if !ok {
			return nil, unknown("segment", spec.Segment)
		}
		split.Segment = segment
	}
	split.Shares[stable] = config.Whole - spec.Weight
	split.Shares[canary] += spec.Weight // without a canary the stable has both
	split.seal(s.Name)
	return split, nil
}

// resolve is the index of a variant; no name means otherwise.
func (s *Service) resolve(name string, otherwise int) (int, error) {
	if name == "" {
		return otherwise, nil
	}
	index, ok := s.byName[name]
	if !ok {
		return absent, unknown("variant", name)
	}
	return index, nil
}
