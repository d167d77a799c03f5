package rawhttp

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// checkEndpoint are checks of what reached the endpoint. Those of a single request are of the first one.
func (o *observed) checkEndpoint(c check) string {
	switch c.what {
	case "requests":
		return differ(c.rest, strconv.Itoa(len(o.record.whole)))
	case "at-most":
		most, err := strconv.Atoi(c.rest)
		return why(err == nil && len(o.requests()) <= most, fmt.Sprintf("%d requests", len(o.requests())))
	case "never-gets":
		return why(!bytes.Contains(o.record.raw, []byte(c.rest)), "it did")
	case "gets":
		return why(bytes.Contains(o.record.raw, []byte(c.rest)), fmt.Sprintf("it got %q", shorten(o.record.raw)))
	case "counts": // COUNT TARGET
		number, target, _ := strings.Cut(c.rest, " ")
		n := 0
		for _, r := range o.requests() {
			if r.target == target {
				n++
			}
		}
		return differ(number, strconv.Itoa(n))
	case "abandoned": // within DURATION after the client left
		return o.abandonedWithin(c.rest)
	}
	all := o.requests()
	if len(all) == 0 {
		// Whether there must be one is for "expect" to say.
		return ""
	}
	return checkRequest(all[0], c)
}

func checkRequest(r *request, c check) string {
	name, value, _ := strings.Cut(c.rest, ": ")
	name = strings.ToLower(name)
	switch c.what {
	case "method":
		return differ(c.rest, r.method)
	case "target":
		return differ(c.rest, r.target)
	case "body":
		return differ(c.rest, string(r.body))
	case "field":
		return differ(value, strings.Join(r.fields.values(name), " | "))
	case "trailer":
		return differ(value, strings.Join(r.trailers.values(name), " | "))
	case "without":
		return differ("", strings.Join(r.fields.values(name), " | "))
	case "no-trailer":
		return differ("", strings.Join(r.trailers.values(name), " | "))
	}
	return "unknown check"
}

func (o *observed) abandonedWithin(limit string) string {
	d, err := time.ParseDuration(limit)
	if err != nil {
		return err.Error()
	}
	if o.record.closedAt.IsZero() {
		return "the connection was kept"
	}
	took := o.record.closedAt.Sub(o.client.left)
	return why(took <= d, fmt.Sprintf("only after %v", took.Round(time.Millisecond)))
}
