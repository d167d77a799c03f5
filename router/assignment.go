package router

import "sync/atomic"

// Reason says why a request was assigned to its variant.
type Reason uint8

// The reasons, in their order of precedence.
const (
	// ReasonOverride is an operator's order.
	ReasonOverride Reason = iota + 1
	// ReasonPin is a request that names its variant, or the default pin of its tenant.
	ReasonPin
	// ReasonSegment is a member of the segment of the current step.
	ReasonSegment
	// ReasonOptIn is a user who opted in to what the current step exposes.
	ReasonOptIn
	// ReasonSticky is a split drawn from the user key, which may be one that is only being issued.
	ReasonSticky
	// ReasonSplit is a split drawn at random.
	ReasonSplit
)

// String is the word for the reason in logs, metrics and answers.
func (r Reason) String() string {
	switch r {
	case ReasonOverride:
		return "override"
	case ReasonPin:
		return "pin"
	case ReasonSegment:
		return "segment"
	case ReasonOptIn:
		return "opt_in"
	case ReasonSticky:
		return "sticky"
	case ReasonSplit:
		return "split"
	}
	return "none"
}

// Stratum tells apart the draws that were made with different probabilities, because they must be judged apart.
type Stratum uint8

const (
	// StratumNone is a request that was not drawn at random (override, pin, any draw after the canary was
	// revoked): it is reported, not judged.
	StratumNone Stratum = iota
	// StratumSplit is a draw at the weight of the split.
	StratumSplit
	// StratumSegment is a draw at the strength of the step's segment and of those who opted in. A whole segment is drawn with
	// certainty: nothing can be compared, but what was promised in absolute terms can be judged.
	StratumSegment
)

// Assignment is the variant chosen for one request, and why.
type Assignment struct {
	// Variant is the index of the variant in Service.Variants.
	Variant int
	// Reason says why.
	Reason Reason
	// Stratum says with which probability it was drawn.
	Stratum Stratum
	// Refused is set when the request asked for a rolled-back variant and got the stable instead.
	Refused bool
	// Issue is set when the request was drawn without a user key and is to be given the cookie whose value is IssuedKey,
	// written by AppendIssuedKey.
	Issue bool
	// IssuedKey is the random key behind Issue: the draw was made with its text.
	IssuedKey uint64
	// User is a hash of the user key, for counting votes; zero without a key and for a request that was not drawn. It is
	// not the hash of the draw.
	User uint64
	// Split is the split that was in force.
	Split *Split
	// Part is the number of the part of the service that the request belongs to, from 1; 0 for none, and with an override.
	Part uint8
}

// Revoked says whether the assigned variant has been rolled back since the assignment was made. The proxy asks again
// before the first byte goes to an endpoint. An override that was ordered after the rollback is an explicit order for just
// this variant and is not revoked.
func (a *Assignment) Revoked() bool {
	s := a.Split
	if a.Reason == ReasonOverride && s.ordered {
		return false
	}
	return a.Variant == s.Canary && a.Variant != s.Stable && s.Revocation.revokedFor(a.Part)
}

// Revocation is the switch that takes the canary of one rollout out of service, or out of parts of it. It is shared by all tables
// that know the rollout, and only ever goes from off to on. The zero value is off.
type Revocation struct {
	gone atomic.Uint32 // the parts, and everything
}

// everything is the bit for all requests, whatever their part.
const everything = 1 << MaxParts

// Revoke switches it on. It says whether this call was the one that did.
func (r *Revocation) Revoke() bool { return r.gone.Or(everything)&everything == 0 }

// Revoked says whether it is on. A nil Revocation is off.
func (r *Revocation) Revoked() bool { return r != nil && r.gone.Load()&everything != 0 }

// RevokeParts takes the canary out of parts of the service.
func (r *Revocation) RevokeParts(p Parts) { r.gone.Or(uint32(p)) }

// revokedFor says whether requests of a part must not go to the canary.
func (r *Revocation) revokedFor(part uint8) bool {
	if r == nil {
		return false
	}
	gone := r.gone.Load()
	return gone != 0 && (gone&everything != 0 || Parts(gone).has(part))
}
