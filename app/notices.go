package app

import (
	"net/url"
	"os"

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
