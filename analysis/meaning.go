package analysis

// means says whether the check calls the same requests bad as the evidence does. Numbers of events are places, and only stand for
// a meaning where there is no other.
func (k *checkState) means(c *Check) bool {
	if k.Meaning == "" && c.Meaning == "" {
		return k.Event == c.Event
	}
	return k.Meaning == c.Meaning && (k.Event == 0) == (c.Event == 0) // a metric says in its meaning all that it is
}

// sameFailures says whether the checks of failed requests, where both lists have some, call the same requests failed.
func sameFailures(a, b []checkState) bool {
	x, y := failures(a), failures(b)
	return x == nil || y == nil || x.Meaning == y.Meaning
}

// failures is the first check of failed requests; they all mean the same.
func failures(checks []checkState) *checkState {
	for i := range checks {
		if k := &checks[i]; k.Quantile == 0 && k.Event == 0 {
			return k
		}
	}
	return nil
}

// forgetFailures forgets how often stable failed: what counts as failed is something else now.
func (j *Judge) forgetFailures() {
	for i := range j.memory.Strata {
		j.memory.Strata[i].Bad, j.memory.Strata[i].Total = 0, 0
	}
}
