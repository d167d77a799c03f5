package rollout

import (
	"math/rand/v2"
	"testing"
	"time"

	"haldane/config"
)

func window(t *testing.T, from, to, zone string, days ...string) config.Window {
	t.Helper()
	var w config.Window
	for _, err := range []error{w.From.UnmarshalText([]byte(from)), w.To.UnmarshalText([]byte(to)), w.Zone.UnmarshalText([]byte(zone))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, day := range days {
		var d config.Weekday
		if err := d.UnmarshalText([]byte(day)); err != nil {
			t.Fatal(err)
		}
		w.Days = append(w.Days, d)
	}
	return w
}

func TestWindowsOpenAndClose(t *testing.T) {
	office := window(t, "09:00", "16:00", "Europe/Berlin", "mon", "fri")
	night := window(t, "22:30", "02:00", "Europe/Berlin", "fri")
	forward := window(t, "02:15", "02:45", "Europe/Berlin") // does not exist on 2026-03-29
	whole := window(t, "00:00", "24:00", "UTC", "sat")
	for _, c := range []struct {
		w    config.Window
		at   string
		open bool
	}{
		{office, "2026-01-02T08:00:00Z", true},
		{office, "2026-01-02T07:59:59Z", false},
		{office, "2026-07-03T07:00:00Z", true},
		{office, "2026-07-03T14:00:00Z", false},
		{office, "2026-01-02T14:59:59Z", true},
		{office, "2026-01-02T15:00:00Z", false},
		{office, "2026-01-03T10:00:00Z", false},
		{night, "2026-01-02T21:30:00Z", true},
		{night, "2026-01-03T00:59:59Z", true},
		{night, "2026-01-03T01:00:00Z", false},
		{night, "2026-01-02T00:30:00Z", false},
		{night, "2026-01-03T21:30:00Z", false},
		{forward, "2026-03-29T00:30:00Z", false},
		{forward, "2026-03-29T01:15:00Z", false},
		{forward, "2026-03-30T00:30:00Z", true},
		{whole, "2026-01-03T00:00:00Z", true},
		{whole, "2026-01-03T23:59:59Z", true},
		{whole, "2026-01-04T00:00:00Z", false},
	} {
		now, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := covers(&c.w, now); got != c.open {
			t.Errorf("%s-%s %v %v at %s: open is %t", c.w.From, c.w.To, c.w.Zone, c.w.Days, c.at, got)
		}
	}
}

// TestNextOpeningIsThatOfAPlainSearch compares with a look at every minute, also where clocks are set.
func TestNextOpeningIsThatOfAPlainSearch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"}
	names := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	clock := func() string { return config.ClockTime(random.IntN(24 * 60)).String() }
	starts := []time.Time{
		time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), time.Date(2018, 11, 2, 0, 0, 0, 0, time.UTC),
	}
	for range 400 {
		from, to := clock(), clock()
		if random.IntN(3) == 0 {
			from, to = "00:15", "03:10" // where clocks are set
		}
		if from == to {
			continue
		}
		w := window(t, from, to, zones[random.IntN(len(zones))], names[random.IntN(7)], names[random.IntN(7)])
		now := starts[random.IntN(len(starts))].Add(time.Duration(random.IntN(3*24*60)) * time.Minute)
		if covers(&w, now) {
			continue
		}
		want := now
		for !covers(&w, want) {
			want = want.Add(time.Minute)
		}
		got, known := nextOpening(&w, now)
		if !known || !got.Equal(want) {
			t.Fatalf("%s-%s %v %v from %s: opens %s (%t), a plain search says %s", from, to, w.Zone, w.Days, now, got.UTC(), known, want)
		}
	}
}

func TestTheEndOfAHoldCountsFreezesAndWindows(t *testing.T) {
	moment := func(text string) config.Moment {
		var m config.Moment
		if err := m.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	s := State{Spec: Spec{Freezes: []config.Freeze{
		{From: moment("2026-12-20T00:00:00Z"), To: moment("2026-12-27T00:00:00Z"), Reason: "holidays"},
		{From: moment("2026-12-26T12:00:00Z"), To: moment("2026-12-28T12:00:00Z"), Reason: "audit"},
	}}}
	s.Spec.Policy.Windows = []config.Window{window(t, "09:00", "16:00", "UTC", "tue"), window(t, "09:00", "11:00", "UTC", "mon")}
	now := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	if got, want := s.goesOn(now), time.Date(2026, 12, 29, 9, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it goes on %s, want %s", got, want)
	}
	if s.closed(now) != HoldFreeze || s.closed(now.Add(-7*24*time.Hour)) != HoldWindow || s.closed(time.Date(2026, 12, 29, 9, 0, 0, 0, time.UTC)) != "" {
		t.Error("closed for another reason")
	}
	s.Spec.Freezes = []config.Freeze{{From: 1, To: moment("2100-01-01T00:00:00Z"), Reason: "for ever"}}
	if got := s.goesOn(now); !got.IsZero() {
		t.Errorf("it goes on %s", got)
	}
}

// A zone that this machine does not know opens nothing.
func TestAnUnknownZoneOpensNothing(t *testing.T) {
	var zone config.Zone
	if err := zone.UnmarshalJSON([]byte(`"Mars/Olympus"`)); err != nil {
		t.Fatal(err)
	}
	s := State{}
	s.Spec.Policy.Windows = []config.Window{{To: 24 * 60, Zone: zone}}
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if s.closed(now) != HoldWindow || !s.goesOn(now).IsZero() || s.gateText(HoldWindow, now) == "" {
		t.Error("a window in an unknown zone is open")
	}
}
