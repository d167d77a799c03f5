package app

import (
	"net/url"
	"os"

	"haldane/config"
	"haldane/hooks"
	"haldane/notify"
	"haldane/stats"
)

// speaker is this machine as the source of CloudEvents.
func speaker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return "/haldane/" + url.PathEscape(host)
}

// asked shows the hooks of rollouts as metrics.
func asked(all []hooks.Numbers) []stats.Hook {
	list := make([]stats.Hook, 0, len(all))
	for _, h := range all {
		shown := stats.Hook{Service: h.Service, Point: h.Point, Hook: h.Hook, Answers: make(map[string]uint64, len(h.Answers)+1)}
		for answer, n := range h.Answers {
			shown.Answers[string(answer)] = n
		}
		if h.Point == config.HookEvent {
			shown.Answers["dropped"] = h.Dropped
		}
		list = append(list, shown)
	}
	return list
}

// notifications shows the targets of notifications as metrics.
func notifications(targets []notify.Numbers) []stats.Notifications {
	all := make([]stats.Notifications, 0, len(targets))
	for _, t := range targets {
		all = append(all, stats.Notifications{
			Target: t.Target, Queued: t.Queued, LastSuccess: t.LastSuccess,
			Results: map[string]uint64{
				"success": t.Sent, "failure": t.Failed, "refused": t.Refused, "expired": t.Expired, "dropped": t.Dropped,
			},
		})
	}
	return all
}
