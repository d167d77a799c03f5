package stats

// RolloutSource is asked at each scrape for the rollouts of this process.
type RolloutSource interface {
	// RolloutStatuses returns one status per service that has a rollout, in any order, each service once. It is called
	// from any goroutine and must not block for long.
	RolloutStatuses() []RolloutStatus
}

// RolloutStatus is the numbers of one rollout, as metrics show them.
type RolloutStatus struct {
	// Service is the name of the service.
	Service string
	// Phase is the word of the phase: pending, progressing, paused, baking, promoted, rolled_back or superseded.
	Phase string
	// Held says that the clock of the step stands still.
	Held bool
	// Waits says that it may not begin, or not go on, before another service has.
	Waits bool
	// SplitRevision is the number of the split in force.
	SplitRevision uint64
	// Weights is the share of each variant that takes part, by name, from 0 to 1.
	Weights map[string]float64
	// Judged says that there has been a verdict; without one there is no Score and no Evidence to show.
	Judged bool
	// Score is the score of the last verdict, from 0 to 1 (a hundredth of what people are shown).
	Score float64
	// Evidence is how far the evidence against the canary has come, from 0 to 1, where 1 rolls back: the largest of all
	// critical checks of log(evidence)/log(needed).
	Evidence float64
	// BudgetLeft is what is left of each kind of the budget that has a limit, by its word: failed_requests, excess_failures,
	// slow_requests or exposed_users.
	BudgetLeft map[string]uint64
	// BudgetLimit is the whole of each of these kinds.
	BudgetLimit map[string]uint64
	// WeightChanges counts changes of the canary's weight. Like the other counters it counts for the life of the
	// process, over all rollouts of the service.
	WeightChanges uint64
	// Runs counts verdicts by the word of their class: pass, marginal, fail, no_data. Classes that are missing are shown as 0.
	Runs map[string]uint64
	// Rollbacks counts rollbacks by a word for what ordered them. The words must come from a small fixed set; those that are
	// named with 0 are there before the first rollback.
	Rollbacks map[string]uint64
	// Metrics says for each check of a business metric, by name, whether it has data.
	Metrics map[string]bool
	// Parts says for each part of the service that is judged apart, by name, whether it has gone back to stable alone.
	Parts map[string]bool
}

// phases are the values of the label "phase".
func phases() []string {
	return []string{"pending", "progressing", "paused", "baking", "promoted", "rolled_back", "superseded"}
}

// verdicts are the values of the label "verdict".
func verdicts() []string { return []string{"pass", "marginal", "fail", "no_data"} }

// rollout emits the numbers of a rollout.
func (s *scrape) rollout(status *RolloutStatus) {
	service := status.Service
	for _, variant := range sorted(status.Weights) {
		s.gauge(familyWeight, status.Weights[variant], service, variant)
	}
	for _, phase := range phases() {
		s.gauge(familyPhase, indicator(phase == status.Phase), service, phase)
	}
	s.gauge(familyHold, indicator(status.Held), service)
	s.gauge(familyWaits, indicator(status.Waits), service)
	s.gauge(familyRevision, float64(status.SplitRevision), service)
	if status.Judged {
		s.gauge(familyScore, status.Score, service)
		s.gauge(familyEvidence, status.Evidence, service)
	}
	for _, verdict := range verdicts() {
		s.count(familyRuns, status.Runs[verdict], service, verdict)
	}
	for _, kind := range sorted(status.BudgetLeft) {
		s.gauge(familyBudget, float64(status.BudgetLeft[kind]), service, kind)
	}
	for _, kind := range sorted(status.BudgetLimit) {
		s.gauge(familyBudgetLimit, float64(status.BudgetLimit[kind]), service, kind)
	}
	s.count(familyWeightChanges, status.WeightChanges, service)
	for _, reason := range sorted(status.Rollbacks) {
		s.count(familyRollbacks, status.Rollbacks[reason], service, reason)
	}
	for _, part := range sorted(status.Parts) {
		s.gauge(familyPartBack, indicator(status.Parts[part]), service, part)
	}
	for _, metric := range sorted(status.Metrics) {
		s.gauge(familyMetricKnown, indicator(status.Metrics[metric]), service, metric)
	}
}

// indicator is 1 for what is so.
func indicator(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
