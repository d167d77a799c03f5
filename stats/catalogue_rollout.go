package stats

// describeRollouts describes what a rollout says of itself.
func describeRollouts(all *[families]description) {
	service := []string{"service"}
	all[familyWeight] = description{
		"haldane_variant_weight_ratio", gauge,
		[]string{"service", "variant"},
		"Share of the randomised traffic that a variant of a rollout gets, from 0 to 1.",
	}
	all[familyPhase] = description{
		"haldane_rollout_phase", gauge,
		[]string{"service", "phase"},
		"1 for the phase the rollout is in, 0 for the others.",
	}
	all[familyHold] = description{
		"haldane_rollout_hold", gauge, service,
		"1 while the clock of the rollout's step stands still, otherwise 0.",
	}
	all[familyWaits] = description{
		"haldane_rollout_waits", gauge, service,
		"1 while the rollout may not begin, or not take its step, before another service has, otherwise 0.",
	}
	all[familyRevision] = description{
		"haldane_rollout_split_revision", gauge, service,
		"Number of the service's split, which grows by one with each change.",
	}
	all[familyScore] = description{
		"haldane_analysis_score_ratio", gauge, service,
		"Score of the last verdict, from 0 (regression proven) over 0.5 (unknown) to 1 (shown within tolerance).",
	}
	all[familyEvidence] = description{
		"haldane_analysis_evidence_ratio", gauge, service,
		"Evidence against the canary, from 0 (none) to 1 (enough to roll back), on a logarithmic scale.",
	}
	all[familyRuns] = description{
		"haldane_analysis_runs_total", counter,
		[]string{"service", "verdict"},
		"Verdicts that were given, by class.",
	}
	all[familyBudget] = description{
		"haldane_rollout_budget_remaining", gauge,
		[]string{"service", "kind"},
		"What is left of each kind of the budget: requests, or users.",
	}
	all[familyBudgetLimit] = description{
		"haldane_rollout_budget_limit", gauge,
		[]string{"service", "kind"},
		"The whole of each kind of the budget: requests, or users.",
	}
	all[familyWeightChanges] = description{
		"haldane_weight_changes_total", counter, service,
		"Changes of the canary's weight.",
	}
	all[familyRollbacks] = description{
		"haldane_rollbacks_total", counter,
		[]string{"service", "reason"},
		"Rollbacks, by what ordered them.",
	}
	describeMetrics(all)
}
