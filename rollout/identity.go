package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"haldane/config"
)

// Spec is a rollout as the configuration asks for it.
type Spec struct {
	// Service is the service that is released.
	Service string `json:"service"`
	// Stable and Canary name its variants.
	Stable string `json:"stable"`
	Canary string `json:"canary"`
	// CanaryIdentity tells two builds of the canary apart: its revision or, without one, its endpoints.
	CanaryIdentity string `json:"canary_identity"`
	// PolicyName is the name of Policy, for people.
	PolicyName string `json:"policy_name"`
	// Policy says how the release proceeds. It has at least one step.
	Policy config.Policy `json:"policy"`
	// Start is config.StartManual to wait for the start command; anything else starts by itself.
	Start string `json:"start"`
	// Variants are all variants of the service: what an override may name. Empty: stable and canary.
	Variants []string `json:"variants"`
	// After names services whose rollouts come before this one.
	After []string `json:"after,omitempty"`
	// Release is the name of what is released as one; empty for a rollout that is released alone.
	Release string `json:"release,omitempty"`
	// Freezes are those of all services; the policy may have more.
	Freezes []config.Freeze `json:"freezes,omitempty"`
}

// ID returns the identity of the spec's rollout.
func (s *Spec) ID() string { return ID(s.Service, s.Stable, s.Canary, s.CanaryIdentity) }

// idLength is the length of an id in bytes. It only has to be unique among the rollouts of one service.
const idLength = 6

// ID is the identity of a rollout: a short hash of what is released to whom. The policy is no part of it.
func ID(service, stable, canary, identity string) string {
	h := sha256.New()
	for _, part := range [...]string{service, stable, canary, identity} {
		h.Write([]byte(part))
		h.Write([]byte{0}) // names hold no NUL, so that no two lists of parts are the same bytes
	}
	return hex.EncodeToString(h.Sum(nil)[:idLength])
}

// drawID is the id that the draw is salted with. Another attempt draws its users afresh.
func drawID(id string, attempt int) string {
	if attempt <= 1 {
		return id
	}
	return id + "." + strconv.Itoa(attempt)
}
