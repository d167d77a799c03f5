package config

// maxExposedUsers is how many users can be counted closely enough.
const maxExposedUsers = 200_000

// budget checks the stop-loss.
func (v *validator) budget(b *Budget, at place) {
	v.atLeast(at.key("failed_requests"), b.FailedRequests, 0)
	v.atLeast(at.key("excess_failures"), b.ExcessFailures, 0)
	v.atLeast(at.key("slow_requests"), b.SlowRequests, 0)
	v.notNegative(at.key("slow_after"), b.SlowAfter)
	if b.SlowRequests > 0 && b.SlowAfter == 0 {
		v.problems.wrong(at.key("slow_requests"), "slow_after is missing: it says what is slow")
	}
	v.atLeast(at.key("exposed_users"), b.ExposedUsers, 0)
	if b.ExposedUsers > maxExposedUsers {
		v.problems.wrong(at.key("exposed_users"), "expected at most %d, got %d", maxExposedUsers, b.ExposedUsers)
	}
	if in := at.key("on_exposed"); b.OnExposed != "" || in.written() {
		v.oneOf(in, b.OnExposed, FailurePause, FailureRollBack)
	}
}

// failure checks what follows a failure.
func (v *validator) failure(p *Policy, at place) {
	v.oneOf(at.key("on_failure"), p.OnFailure, FailureRollBack, FailurePause, FailureStepBack)
	v.notNegative(at.key("cool_down"), p.CoolDown)
	v.atLeast(at.key("retries"), p.Retries, 0)
	if p.Retries > 0 && p.CoolDown == 0 {
		v.problems.wrong(at.key("retries"), "cool_down is missing: a retry at once would meet the same failure")
	}
}

// countable checks that a budget can be counted where it is used. The users of a service without a sticky key have no name.
func (v *validator) countable(s *Service, p *Policy, at place) {
	if p.Budget.ExposedUsers > 0 && s.Canary != "" && s.Sticky == nil {
		v.problems.wrong(at, "the policy bounds exposed_users, which cannot be counted without sticky")
	}
}
