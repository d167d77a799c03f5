package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// barWidth is the width of a bar that stands for all traffic.
const barWidth = 24

// say prints a line or several.
func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.options.Out, format, args...)
}

// introduce says what is going to happen, and where to look meanwhile.
func (s *stage) introduce() {
	s.say("Haldane demo: a real proxy, three versions of a service, %d requests a second.\n", s.options.Rate)
	s.say("  v1 is what users have. v2 is good. v3 fails %v of its requests", s.options.Errors)
	if s.options.Latency > 0 {
		s.say(" and takes %v longer", s.options.Latency)
	}
	s.say(".\n\n")
	s.say("  look     http://%s/ui/   (in a browser; to give orders there, log in with what is in\n", s.app.AdminAddress())
	s.say("           %s)\n", s.path+".state/admin.token")
	s.say("  proxy    http://%s/\n", s.app.Address())
	s.say("  metrics  http://%s/metrics\n", s.app.AdminAddress())
	s.say("  API      http://%s/api/v1/rollouts/%s\n", s.app.AdminAddress(), service)
	s.say("  try      haldane --socket %s watch\n\n", s.path+".state/haldane.sock")
}

// release follows the rollout of one version to its end.
func (s *stage) release(ctx context.Context, canary string) (rollout.Phase, error) {
	s.say("Releasing %s:\n", canary)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	events, unsubscribe := s.app.Rollouts().Subscribe(64)
	defer unsubscribe()
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	last := s.tally()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the release of %s did not end within %v", canary, patience)
		case event := <-events:
			s.clearLine()
			s.event(event)
			continue
		case <-ticker.C:
		}
		view, ok := s.app.Rollouts().View(service)
		if !ok || view.Canary != canary {
			continue // the file has just been written
		}
		if !view.Phase.Live() {
			s.clearLine()
			s.drain(events)
			s.summarise(&view)
			return view.Phase, nil
		}
		if s.options.Terminal || n%8 == 7 {
			now := s.tally()
			s.progress(&view, last, now)
			last = now
		}
	}
}

// drain prints the events that are waiting.
func (s *stage) drain(events <-chan rollout.Event) {
	for {
		select {
		case event := <-events:
			s.event(event)
		default:
			return
		}
	}
}

// event prints one event of the rollout.
func (s *stage) event(e rollout.Event) {
	s.say("  %s  %-12s %s\n", e.Time.Local().Format("15:04:05"), e.Kind, e.Reason)
}

// clearLine takes the progress line away, where it can be.
func (s *stage) clearLine() {
	if s.options.Terminal {
		s.say("\r\033[2K")
	}
}

// moment is what clients have seen so far.
type moment struct {
	at     time.Time
	counts map[string]seen
}

type seen struct{ answers, failures uint64 }

// tally reads the load's counters.
func (s *stage) tally() moment {
	m := moment{at: time.Now(), counts: make(map[string]seen)}
	for name, c := range s.load.counts {
		m.counts[name] = seen{c.answers.Load(), c.failures.Load()}
	}
	return m
}

// progress draws the split, and what clients saw since the last time.
func (s *stage) progress(view *rollout.View, last, now moment) {
	line := fmt.Sprintf("  %-11s %s", view.Phase, bar(view.Weight))
	for _, name := range []string{view.Stable, view.Canary} {
		answers := now.counts[name].answers - last.counts[name].answers
		failures := now.counts[name].failures - last.counts[name].failures
		perSecond := float64(answers) / now.at.Sub(last.at).Seconds()
		line += fmt.Sprintf("  %s %3.0f/s %s", name, perSecond, rate(failures, answers))
	}
	line += fmt.Sprintf("  score %.0f", view.Verdict.Score)
	if s.options.Terminal {
		s.say("\r\033[2K%s", line)
		return
	}
	s.say("%s\n", line)
}

// rate is a share of failures for people.
func rate(failures, answers uint64) string {
	if answers == 0 {
		return "     -    "
	}
	return fmt.Sprintf("%5.1f%% bad", 100*float64(failures)/float64(answers))
}

// bar draws the canary's weight.
func bar(weight config.Percent) string {
	filled := int(weight.Ratio()*barWidth + 0.5)
	if filled == 0 && weight > 0 {
		filled = 1
	}
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", barWidth-filled) + fmt.Sprintf("] %4s", weight)
}

// summarise says how it ended, in numbers.
func (s *stage) summarise(view *rollout.View) {
	counts := s.tally().counts[view.Canary]
	took := view.Ended.Sub(view.Started).Round(100 * time.Millisecond)
	if view.Phase == rollout.PhaseRolledBack {
		s.say("  => %s rolled back by itself after %v: %d of its %d requests had failed.\n", view.Canary, took, counts.failures, counts.answers)
	} else {
		s.say("  => %s %s after %v: %d of its %d requests failed.\n", view.Canary, view.Phase, took, counts.failures, counts.answers)
	}
	s.say("     %s\n", view.Verdict.Sentence())
}
