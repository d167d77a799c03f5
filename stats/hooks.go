package stats

// Hook is the numbers of one webhook that is asked about rollouts.
type Hook struct {
	// Service, Point and Hook say which one.
	Service, Point, Hook string
	// Answers counts questions and events by what became of them: "yes", "refused", "silent" and "dropped".
	Answers map[string]uint64
}

// describeHooks describes what is known of the webhooks of rollouts.
func describeHooks(all *[families]description) {
	all[familyHookAnswers] = description{
		"haldane_hook_answers_total", counter,
		[]string{"service", "point", "hook", "answer"},
		"Questions and events for the webhooks of rollouts, by what became of them.",
	}
}

// hooks emits what webhooks have answered.
func (s *scrape) hooks(list []Hook) {
	for _, h := range list {
		for _, answer := range sorted(h.Answers) {
			s.count(familyHookAnswers, h.Answers[answer], h.Service, h.Point, h.Hook, answer)
		}
	}
}
