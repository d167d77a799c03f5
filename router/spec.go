package router

import "haldane/config"

// SplitSpec is a split in names, as the rollout orders it. The table turns it into a Split.
type SplitSpec struct {
	// Rollout is the id of the rollout, empty without one.
	Rollout string
	// Revision counts the splits of the service.
	Revision uint64
	// Stable and Canary name variants; Canary is empty without a rollout.
	Stable string
	// Canary is the variant being released.
	Canary string
	// Weight is the canary's share of randomised traffic. Without a canary it counts for nothing.
	Weight config.Percent
	// Segment names the segment that is exposed as well; empty for none.
	Segment string
	// Strength is the share of the segment, and of those who opted in, that is drawn for the canary; config.Whole is all of it, zero is none of it.
	Strength config.Percent
	// OptIn exposes those who opted in, with Strength as well: config.LevelAlpha or config.LevelBeta; empty for nobody.
	OptIn string
	// Override names the variant that takes every request; empty for none.
	Override string
	// Revocation takes the canary out; nil without a rollout.
	Revocation *Revocation
	// Partial says which parts of the service are told apart; nil for none. It must not be changed.
	Partial *config.Partial
	// Back are the parts whose requests do not get the canary.
	Back Parts
}
