package proxy

import "time"

// date is the value of a Date field during one second.
type date struct {
	second int64
	text   []byte
}

// dateFormat is the preferred format of RFC 9110 section 5.6.7, in GMT.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 GMT"

// date is the value of a Date field now. It is made once a second; two goroutines that both make it make the same.
func (s *Server) date(now time.Time) []byte {
	d := s.today.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{second: now.Unix(), text: now.UTC().AppendFormat(nil, dateFormat)}
		s.today.Store(d)
	}
	return d.text
}
