package config

// The words for what an outcome of a check does.
const (
	// OnAdvance lets the rollout go on as if the check were not there.
	OnAdvance = "advance"
	// OnHold keeps it on its step.
	OnHold = "hold"
	// OnRollBack ends it.
	OnRollBack = "roll_back"
)

// Outcomes are what the outcomes of a check do, where that is not what the policy and the step say of all checks: "advance"
// does not stand in the way, "hold" does not leave the step, "roll_back" ends the rollout. A muted check does nothing.
type Outcomes struct {
	// Pass is shown within tolerance. It can only be "advance".
	Pass string `yaml:"pass,omitempty"`
	// Marginal is undecided: "advance", also from the last step, or "hold", until the step's max_duration is over and a person
	// is asked. Default: as the step's advance_when says.
	Marginal string `yaml:"marginal,omitempty"`
	// Fail is a proven regression: "roll_back" (also where on_failure says something else), "hold", which stops the clock of the
	// step until a person decides, or "advance". Default: what on_failure says of a critical check; another one keeps the
	// rollout on its step.
	Fail string `yaml:"fail,omitempty"`
	// NoData is too little to say anything, or nothing to compare with: "advance", "hold" as above, or "roll_back", once the
	// step's max_duration is over; until then it holds. Default: as the step's advance_when says.
	NoData string `yaml:"no_data,omitempty"`
	// Error is no data because its source failed, with the words of no_data. Requests have no such source; metrics do. Default:
	// what no_data does.
	Error string `yaml:"error,omitempty"`
}
