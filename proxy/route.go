package proxy

import (
	"bytes"
	"math/rand/v2"

	"haldane/router"
	"haldane/stats"
)

// match finds the service. Both sides of it are found by its number, so that neither has to be waited for to get at the other.
func (x *exchange) match() failure {
	i, ok := x.snapshot.table.Find(&x.view)
	if !ok {
		return noService
	}
	x.route = x.snapshot.table.Services()[i]
	x.service = &x.snapshot.services[i]
	return none
}

// assign finds the variant, and fixes before anything has happened whether the outcome will be judged: which of a user's
// requests counts must not depend on how it ends.
func (x *exchange) assign() {
	// What is known to be needed is read at once. It comes from memory together then, and while the request is assigned.
	x.purse = x.service.stats.Budget().Purse()
	x.service.variants[x.route.Split().Stable].counter.Foresee(x.conn.id)
	x.assignment = x.route.Assign(&x.view, rand.Uint64())
	a := &x.assignment
	x.variant = &x.service.variants[a.Variant]
	x.refused = a.Refused
	side := stats.SideStable
	if canary(a) {
		side = stats.SideCanary
	}
	if a.Split.Rollout != "" && a.Stratum != router.StratumNone &&
		x.service.stats.Voters().Vote(a.User, side) {
		x.lane = stats.Judged(int(a.Stratum), a.Split.Revision)
	}
}

// reassign gives a request whose canary was rolled back in the meantime to the stable variant. Nothing was written to the
// canary and nothing is booked on it. The request was not drawn for the stable, so it is not judged there.
func (x *exchange) reassign() {
	a := &x.assignment
	x.refused = a.Reason == router.ReasonPin
	a.Variant, a.Stratum = a.Split.Stable, router.StratumNone
	x.variant = &x.service.variants[a.Variant]
	x.lane = stats.Unjudged
}

// gate is asked by the transport right before the first byte goes to the endpoint.
type gate exchange

// Revoked says whether the variant was rolled back since the assignment. If not, the request begins there.
func (g *gate) Revoked() bool {
	x := (*exchange)(g)
	if x.assignment.Revoked() {
		return true
	}
	x.begun()
	return false
}

// pick finds the endpoint. There is none when no name of the variant has an address.
func (x *exchange) pick() {
	x.release()
	x.endpoint = x.variant.endpoints.Pick(rand.Uint64(), nil)
}

// pickOther finds another endpoint of the variant than the one that failed, where there is one.
func (x *exchange) pickOther() {
	other := x.variant.endpoints.Pick(rand.Uint64(), x.endpoint)
	x.release()
	x.endpoint = other
}

// release lets go of the picked endpoint.
func (x *exchange) release() {
	if x.endpoint != nil {
		x.endpoint.Release()
		x.endpoint = nil
	}
}

// rewrite is the target as the variant wants it: its prefix taken off, another one put on, every other byte as sent.
func (x *exchange) rewrite(v *variant) []byte {
	target := x.request.Target
	if len(v.stripPrefix) == 0 && len(v.addPrefix) == 0 || target[0] != '/' {
		return target
	}
	rest, found := bytes.CutPrefix(target, v.stripPrefix)
	if !found || len(rest) > 0 && rest[0] != '/' && rest[0] != '?' {
		rest = target // "/api" is no prefix of "/apix"
	}
	out := append(x.kept.rewritten[:0], v.addPrefix...)
	if len(rest) == 0 || rest[0] != '/' {
		out = append(out, '/')
	}
	x.kept.rewritten = append(out, rest...)
	return x.kept.rewritten
}

// canary says whether the request was assigned to the canary of a rollout.
func canary(a *router.Assignment) bool {
	return a.Variant == a.Split.Canary && a.Split.Canary != a.Split.Stable
}
