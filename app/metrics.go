package app

import (
	"math"

	"haldane/analysis"
	"haldane/config"
	"haldane/proxy"
	"haldane/rollout"
	"haldane/stats"
)

// statuses shows the rollouts as metrics.
type statuses struct{ rollouts *rollout.Manager }

// RolloutStatuses is asked at each scrape.
func (s statuses) RolloutStatuses() []stats.RolloutStatus {
	views, numbers := s.rollouts.Views(), s.rollouts.Numbers()
	all := make([]stats.RolloutStatus, 0, len(views))
	for i := range views {
		all = append(all, status(&views[i], numbers[views[i].Service]))
	}
	return all
}

// status is one rollout in numbers.
func status(v *rollout.View, n rollout.Numbers) stats.RolloutStatus {
	return stats.RolloutStatus{
		Service:       v.Service,
		Phase:         v.Phase.String(),
		Held:          v.Hold != "",
		Waits:         v.Waits,
		SplitRevision: v.SplitRevision,
		Weights: map[string]float64{
			v.Stable: (config.Whole - v.Weight).Ratio(),
			v.Canary: v.Weight.Ratio(),
		},
		Judged:      len(v.Verdict.Checks) > 0,
		Score:       v.Verdict.Score / 100,
		Evidence:    harm(v.Verdict.Checks),
		BudgetLeft:  budget(v.Budget.Kinds, func(k rollout.LossView) uint64 { return k.Left }),
		BudgetLimit: budget(v.Budget.Kinds, func(k rollout.LossView) uint64 { return k.Limit }),

		WeightChanges: n.WeightChanges,
		Runs:          words(n.Runs, analysis.Class.String),
		Metrics:       known(v.Verdict.Checks),
		Parts:         partsBack(v),
		Rollbacks:     words(n.Rollbacks, func(t rollout.Trigger) string { return string(t) }),
	}
}

// partsBack says of each part whether it has gone back to stable.
func partsBack(v *rollout.View) map[string]bool {
	all := make(map[string]bool, len(v.Parts))
	for i := range v.Parts {
		all[v.Parts[i].Name] = !v.Parts[i].RolledBack.IsZero() && v.Phase.Live()
	}
	return all
}

// budget is one number of each kind of a budget.
func budget(kinds []rollout.LossView, number func(rollout.LossView) uint64) map[string]uint64 {
	all := make(map[string]uint64, len(kinds))
	for _, k := range kinds {
		all[string(k.Kind)] = number(k)
	}
	return all
}

// harm is how far the evidence against the canary has come, from 0 to 1, on the scale on which evidence adds up.
func harm(checks []analysis.CheckVerdict) float64 {
	var most float64
	for _, check := range checks {
		if check.Critical && check.Needed > 1 {
			most = max(most, min(1, math.Log(check.Evidence)/math.Log(check.Needed)))
		}
	}
	return most
}

// known says of each business metric whether it has data.
func known(checks []analysis.CheckVerdict) map[string]bool {
	all := make(map[string]bool)
	for i := range checks {
		if checks[i].Metric {
			all[checks[i].Name] = checks[i].Class != analysis.NoData
		}
	}
	return all
}

// words counts by word what is counted by value.
func words[K comparable](counts map[K]uint64, word func(K) string) map[string]uint64 {
	all := make(map[string]uint64, len(counts))
	for key, n := range counts {
		all[word(key)] = n
	}
	return all
}

// front is the proxy's own numbers.
func (a *App) front() stats.Front {
	n := a.proxy.Numbers()
	front := stats.Front{
		Connections:    n.Connections,
		AcceptFailures: n.AcceptFailures,
		Unmatched:      n.Unmatched,
		Malformed:      n.Malformed,
		Panics:         n.Panics,
		Refused: stats.Refused{
			Limit:         n.RefusedConnections,
			Memory:        n.ShedConnections,
			PerClient:     n.CrowdedConnections,
			ProxyProtocol: n.UnproxiedConnections,
			TLS:           n.FailedHandshakes,
		},
		Endpoints:     endpoints(a.proxy.Endpoints()),
		Notifications: notifications(a.notices.Numbers()),
		Hooks:         asked(a.hooks.Numbers()),
		StoreFailures: a.manager.StoreFailures(),
		StateLost:     a.states.Damage() != nil,
	}
	if a.memory != nil {
		front.Shedding = a.memory.short.Load()
	}
	front.Questions, front.QuestionsFailed = a.asker.Numbers()
	front.Spans = stats.Spans(a.tracer.Numbers())
	if a.keychain != nil {
		for _, c := range a.keychain.Certificates() {
			front.Certificates = append(front.Certificates, stats.Certificate(c))
		}
		renewals := a.keychain.Renewals()
		front.CertificatesTaken, front.CertificatesRefused = renewals.Taken, renewals.Refused
	}
	return front
}

// endpoints shows the endpoints as metrics.
func endpoints(known []proxy.VariantEndpoints) []stats.Endpoints {
	all := make([]stats.Endpoints, 0, len(known))
	for _, v := range known {
		shown := stats.Endpoints{
			Service: v.Service, Variant: v.Variant, Panics: v.Panics,
			LookupFailures: make(map[string]uint64, len(v.Names)),
		}
		for _, n := range v.Names {
			shown.LookupFailures[n.Name] = n.Failures
		}
		for _, e := range v.Endpoints {
			shown.Each = append(shown.Each, stats.Endpoint{
				Name: e.Name, Address: e.Address, Up: e.Up, InFlight: e.InFlight,
				Open: e.Load.Open, Idle: e.Load.Idle,
				Waiting: e.Load.Waiting, Waits: e.Load.Waits, Overflows: e.Load.Overflows,
				Ejections: e.Ejections, HealthFailures: e.ChecksFailed,
			})
		}
		all = append(all, shown)
	}
	return all
}
