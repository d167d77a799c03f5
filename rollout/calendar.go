package rollout

import (
	"slices"
	"time"

	"haldane/config"
)

// calendarLongest is how far ahead the end of a closed time is looked for.
const calendarLongest = 366 * 24 * time.Hour

// covers says whether a window is open.
func covers(w *config.Window, now time.Time) bool {
	zone := w.Zone.Location()
	if zone == nil { // not known on this machine: what is not known opens nothing
		return false
	}
	local := now.In(zone)
	day := local.Weekday()
	minute := config.ClockTime(60*local.Hour() + local.Minute())
	if w.From < w.To {
		return minute >= w.From && minute < w.To && begins(w, day)
	}
	return minute >= w.From && begins(w, day) || minute < w.To && begins(w, (day+6)%7)
}

// begins says whether the window opens on the day.
func begins(w *config.Window, day time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, config.Weekday(day))
}

// dstLongest is more than clocks are ever set forward or back.
const dstLongest = 3 * 60

// nextOpening is when a window that is closed opens; false when that is not known.
func nextOpening(w *config.Window, now time.Time) (time.Time, bool) {
	zone := w.Zone.Location()
	if zone == nil {
		return time.Time{}, false
	}
	local := now.In(zone)
	for ahead := -1; ahead <= 8; ahead++ { // -1: where clocks are set forward over midnight
		day := time.Date(local.Year(), local.Month(), local.Day()+ahead, int(w.From)/60, int(w.From)%60, 0, 0, zone)
		if opens := settle(w, day); opens.After(now) && covers(w, opens) {
			return opens, true
		}
	}
	return time.Time{}, false
}

// settle moves an opening to where it is when clocks are set forward over it.
func settle(w *config.Window, opens time.Time) time.Time {
	for range dstLongest {
		if covers(w, opens) {
			break
		}
		opens = opens.Add(time.Minute)
	}
	for range dstLongest {
		before := opens.Add(-time.Minute)
		if !covers(w, before) {
			break
		}
		opens = before
	}
	return opens
}

// inWindow says whether steps may be taken as far as the windows go.
func (s *State) inWindow(now time.Time) bool {
	list := s.Spec.Policy.Windows
	if len(list) == 0 {
		return true
	}
	for i := range list {
		if covers(&list[i], now) {
			return true
		}
	}
	return false
}

// frozen is the freeze in force that ends last; nil without one.
func (s *State) frozen(now time.Time) *config.Freeze {
	var last *config.Freeze
	for _, list := range [...][]config.Freeze{s.Spec.Freezes, s.Spec.Policy.Freezes} {
		for i := range list {
			f := &list[i]
			if at := now.Unix(); at >= int64(f.From) && at < int64(f.To) && (last == nil || f.To > last.To) {
				last = f
			}
		}
	}
	return last
}

// goesOn is when steps may be taken again; zero when that is not known, or too far away.
func (s *State) goesOn(now time.Time) time.Time {
	for at := now; at.Sub(now) < calendarLongest; {
		if f := s.frozen(at); f != nil {
			at = f.To.Time()
			continue
		}
		if s.inWindow(at) {
			return at
		}
		next, known := s.nextWindow(at)
		if !known {
			break
		}
		at = next
	}
	return time.Time{}
}

// nextWindow is when the first of the windows opens.
func (s *State) nextWindow(now time.Time) (first time.Time, known bool) {
	list := s.Spec.Policy.Windows
	for i := range list {
		if at, some := nextOpening(&list[i], now); some && (!known || at.Before(first)) {
			first, known = at, true
		}
	}
	return first, known
}

// moment is a time for people, in the zone of the first window.
func (s *State) moment(at time.Time) string {
	zone := time.UTC
	if list := s.Spec.Policy.Windows; len(list) > 0 && list[0].Zone.Location() != nil {
		zone = list[0].Zone.Location()
	}
	return at.In(zone).Format("Mon 2006-01-02 15:04 MST")
}
