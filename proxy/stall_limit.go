package proxy

import (
	"bytes"
	"strings"
	"time"

	"haldane/config"
)

const (
	// stallLeast is the least that "auto" lets a request wait, and stallFactor how many times stable's p99.9 it may wait.
	stallLeast  = 5 * time.Second
	stallFactor = 4
	// stallRenew is how long stable's p99.9 is good for.
	stallRenew = 5 * time.Second
)

// stallLimit is how long requests of a service may wait for an answer: config.Service.StallTimeout and LongPolls.
type stallLimit struct {
	off, auto bool
	least     time.Duration // no request is stalled before
	longPolls [][]byte      // prefixes of paths, without their last slash

	// What "auto" has come to, which only the sweep looks at. In between it is not renewed for each request.
	current time.Duration // zero: not known yet
	renewed int64
}

// newStallLimit reads the settings of a service.
func newStallLimit(settings config.Service) *stallLimit {
	l := &stallLimit{}
	switch settings.StallTimeout.Mode {
	case config.StallOff:
		l.off = true
	case config.StallAuto:
		l.auto, l.least = true, stallLeast
	case config.StallAfter:
		l.least = settings.StallTimeout.After
	}
	for _, prefix := range settings.LongPolls {
		l.longPolls = append(l.longPolls, []byte(strings.TrimSuffix(prefix, "/")))
	}
	return l
}

// exempts says whether requests for a path may wait as long as they like.
func (l *stallLimit) exempts(path []byte) bool {
	for _, prefix := range l.longPolls {
		if rest, found := bytes.CutPrefix(path, prefix); found && (len(rest) == 0 || rest[0] == '/') {
			return true
		}
	}
	return false
}

// end is when a request is stalled. As long as stable has answered nothing, nobody can say what is long, and the end is
// always a little ahead. Of fewer than a thousand answers the p99.9 is the slowest one: that is careful, because a limit that
// is too high only delays a verdict, and one that is too low makes slow requests failures.
func (l *stallLimit) end(t *stallTerms, now int64) int64 {
	if !l.auto {
		return t.since + int64(l.least)
	}
	if l.current == 0 || now-l.renewed >= int64(stallRenew) {
		l.renewed, l.current = now, 0
		if answered := t.stable.Histogram(); answered.Count() > 0 {
			l.current = max(l.least, stallFactor*answered.Quantile(0.999))
		}
	}
	if l.current == 0 {
		return now + 1
	}
	return t.since + int64(l.current)
}
