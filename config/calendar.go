package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ClockTime is a time of day in minutes since its beginning, written "09:00". 24:00 is its end.
type ClockTime int

// dayMinutes is the end of a day.
const dayMinutes ClockTime = 24 * 60

// String writes the time as "09:00".
func (t ClockTime) String() string { return fmt.Sprintf("%02d:%02d", t/60, t%60) }

// MarshalText writes what String writes.
func (t ClockTime) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads hours and minutes of two digits each, from 00:00 to 24:00.
func (t *ClockTime) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "24:00" {
		*t = dayMinutes
		return nil
	}
	moment, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return fmt.Errorf("expected a time of day from 00:00 to 24:00, got %q", s)
	}
	*t = ClockTime(moment.Hour()*60 + moment.Minute())
	return nil
}

// Weekday is a day of the week, written "mon".
type Weekday time.Weekday

// String writes the first three letters.
func (d Weekday) String() string { return strings.ToLower(time.Weekday(d).String()[:3]) }

// MarshalText writes what String writes.
func (d Weekday) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the first three letters.
func (d *Weekday) UnmarshalText(text []byte) error {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if Weekday(day).String() == string(text) {
			*d = Weekday(day)
			return nil
		}
	}
	return fmt.Errorf("expected mon, tue, wed, thu, fri, sat or sun, got %q", text)
}

func (*Weekday) lone() {}

// Moment is a moment in Unix seconds, written as in RFC 3339: "2026-12-20T00:00:00Z". Zero is none.
type Moment int64

// Time is the moment as Go has it.
func (m Moment) Time() time.Time { return time.Unix(int64(m), 0).UTC() }

// String writes the moment in UTC.
func (m Moment) String() string { return m.Time().Format(time.RFC3339) }

// MarshalText writes what String writes.
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads RFC 3339.
func (m *Moment) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil || t.Unix() == 0 {
		return fmt.Errorf("expected a moment such as 2026-12-20T00:00:00Z or 2026-12-20T00:00:00+01:00, got %q", text)
	}
	*m = Moment(t.Unix())
	return nil
}

// Zone is a time zone of the IANA database. The zero value is UTC.
type Zone struct {
	name     string
	location *time.Location
}

// String is the name.
func (z Zone) String() string {
	if z.name == "" {
		return "UTC"
	}
	return z.name
}

// Location is the zone as Go has it; nil for one that was stored by a process that knew it and is read by one that does not.
func (z Zone) Location() *time.Location {
	if z.name == "" {
		return time.UTC
	}
	return z.location
}

// Equal compares the names.
func (z Zone) Equal(other Zone) bool { return z.String() == other.String() }

// MarshalText writes the name.
func (z Zone) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

// UnmarshalText looks the name up.
func (z *Zone) UnmarshalText(text []byte) error {
	name := string(text)
	location, err := time.LoadLocation(name)
	switch {
	case name == "UTC" || name == "":
		*z = Zone{}
		return nil
	case name == "Local":
		return fmt.Errorf(`expected a time zone such as Europe/Berlin; "Local" is another one on each machine`)
	case err != nil:
		return fmt.Errorf("expected a time zone such as Europe/Berlin, got %q, which the time zone database of this machine "+
			"does not have (package tzdata)", shorten(name))
	}
	*z = Zone{name: name, location: location}
	return nil
}

// UnmarshalJSON takes any name: what was stored must be readable on a machine without the database.
func (z *Zone) UnmarshalJSON(text []byte) error {
	var name string
	if err := json.Unmarshal(text, &name); err != nil {
		return err
	}
	if z.UnmarshalText([]byte(name)) != nil {
		*z = Zone{name: name}
	}
	return nil
}
