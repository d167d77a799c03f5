package config

// Budget is the hard stop-loss of a rollout. It is looked at on every request, not from time to time. Zero sets no bound, for
// each of its kinds.
type Budget struct {
	// FailedRequests is the number of failed canary requests, judged or not, that ends the rollout. Default 0.
	FailedRequests int `yaml:"failed_requests"`
	// ExcessFailures is how many more of the compared canary requests may fail than would have at stable's rate, since the two
	// were last even; that many end the rollout. Steps that leave nothing to compare do not count. Default 0.
	ExcessFailures int `yaml:"excess_failures"`
	// SlowRequests is the number of canary requests, judged or not, without an answer within slow_after, that ends the
	// rollout. The service's long polls do not count. Default 0.
	SlowRequests int `yaml:"slow_requests"`
	// SlowAfter is the time to the first byte of an answer from which a request is slow. Required with slow_requests.
	SlowAfter Duration `yaml:"slow_after"`
	// ExposedUsers is how many users may have been on the canary, of those that were drawn for it, counted to about 1%. When
	// it is reached a person is asked (see on_exposed). It needs the service's sticky key. At most 200000. Default 0.
	ExposedUsers int `yaml:"exposed_users"`
	// OnExposed is what happens then: "pause" keeps the users who are there, and the weight as it is, until a person resumes;
	// "roll_back" ends the rollout. Default "pause".
	OnExposed string `yaml:"on_exposed,omitempty"`
}
