package router

// Assign chooses the variant of one request of this service. random is 64 uniformly random bits of the request's own; they
// decide where no user key does. A key that is issued is made of them, so they should not be foreseeable either.
func (s *Service) Assign(r Request, random uint64) Assignment {
	split := &s.split
	if split.Override >= 0 {
		a := Assignment{Variant: split.Override, Reason: ReasonOverride, Split: split}
		if a.Revoked() {
			a.Variant = split.Stable
		}
		return a
	}
	a := ask{Request: r, sticky: &s.sticky, random: random}
	part := split.part(a)
	// Read once: one request sees the canary either in service or not. The proxy asks again before it forwards.
	revoked := split.revoked(part)
	if variant, ok := s.pins.find(r); ok {
		if revoked && variant == split.Canary {
			return Assignment{Variant: split.Stable, Reason: ReasonPin, Refused: true, Split: split, Part: part}
		}
		return Assignment{Variant: variant, Reason: ReasonPin, Split: split, Part: part}
	}
	why, member := s.member(a)
	if !member {
		return s.drawn(a, lot{&split.draw, StratumSplit, revoked, part})
	}
	drawn := s.drawn(a, lot{&split.strength, StratumSegment, revoked, part})
	drawn.Reason = why
	return drawn
}

// lot is what a request is drawn with.
type lot struct {
	draw    *draw
	stratum Stratum
	revoked bool
	part    uint8
}

// drawn assigns by the user key, or by the request's random bits without one. When the canary is revoked nothing is drawn
// any more, everybody else gets what they had, and nothing is judged: the probability that the judge would count with is
// not the one in force.
func (s *Service) drawn(a ask, l lot) Assignment {
	var buf [addressSize]byte
	out := Assignment{Reason: ReasonSplit, Stratum: l.stratum, Split: &s.split, Part: l.part}
	bits := a.random
	if key, issued := a.key(s.sticky.source, &buf); len(key) > 0 {
		bits = l.draw.salt.sum(key)
		out.Reason, out.User = ReasonSticky, voteHash(s.voteSalt, key)
		if issued {
			out.Issue, out.IssuedKey = true, a.random
		}
	}
	out.Variant = l.draw.at(bits)
	if l.revoked {
		out.Stratum = StratumNone
		if out.Variant == s.split.Canary {
			out.Variant = s.split.Stable
		}
	}
	return out
}
