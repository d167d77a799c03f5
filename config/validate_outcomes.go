package config

// outcomesOf checks what the outcomes of a check do. What is not written is not asked for.
func (v *validator) outcomesOf(o *Outcomes, at place) {
	if in := at.key("pass"); o.Pass != OnAdvance && (o.Pass != "" || in.written()) {
		v.problems.wrong(in, "expected %s, got %q", OnAdvance, o.Pass)
	}
	v.outcome(at.key("marginal"), o.Marginal, OnAdvance, OnHold)
	v.outcome(at.key("fail"), o.Fail, OnRollBack, OnHold, OnAdvance)
	v.outcome(at.key("no_data"), o.NoData, OnAdvance, OnHold, OnRollBack)
	v.outcome(at.key("error"), o.Error, OnAdvance, OnHold, OnRollBack)
}

// outcome checks one word, where there is one.
func (v *validator) outcome(at place, word string, words ...string) {
	if word != "" || at.written() {
		v.oneOf(at, word, words...)
	}
}
