package rawhttp

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// observed is everything that was seen in one trial.
type observed struct {
	client    *client
	responses []*response
	breach    error // of the grammar, on the way to the client
	record    *record
}

// verdict says in words what was wrong; nothing for a trial that passed.
type verdict []string

func (v *verdict) addf(format string, args ...any) { *v = append(*v, fmt.Sprintf(format, args...)) }

// final are the responses that are not interim.
func (o *observed) final() []*response {
	return slices.DeleteFunc(slices.Clone(o.responses), func(r *response) bool { return r.interim() })
}

// first is the first final response; an empty one when there was none.
func (o *observed) first() *response {
	if all := o.final(); len(all) > 0 {
		return all[0]
	}
	return &response{}
}

// gatewayError is a whole answer that says that the endpoint failed.
func (o *observed) gatewayError() bool {
	r := o.first()
	return r.whole && r.status >= 500
}

// cut says whether the client can tell that its response is not whole.
func (o *observed) cut() bool {
	return !o.first().whole && o.client.ended() != stillOpen
}

// judge holds a trial against its checks and against what holds always.
func (o *observed) judge(checks []check) verdict {
	var v verdict
	if o.breach != nil {
		v.addf("malformed bytes reached the client: %v", o.breach)
	}
	for _, what := range o.record.breach {
		v.addf("malformed bytes reached the endpoint: %s", what)
	}
	for _, r := range o.requests() {
		if strings.Contains(r.target, "smuggled") {
			v.addf("smuggled: the endpoint got %s %s", r.method, r.target)
		}
	}
	for _, c := range checks {
		if wrong := o.check(c); wrong != "" {
			v.addf("%s: %s", c, wrong)
		}
	}
	return v
}

// requests are all requests that reached the endpoint, unfinished ones last.
func (o *observed) requests() []*request {
	all := slices.Clone(o.record.whole)
	for _, r := range o.record.partial {
		all = append(all, r)
	}
	return all
}

func (o *observed) check(c check) string {
	switch c.subject {
	case "expect":
		return o.checkOutcome(strings.TrimSpace(c.what + " " + c.rest))
	case "client":
		return o.checkClient(c)
	}
	return o.checkEndpoint(c)
}

// checkOutcome looks for one of several outcomes, written "OUTCOME STATUS... or OUTCOME STATUS...".
func (o *observed) checkOutcome(text string) string {
	var whys []string
	for _, one := range strings.Split(text, " or ") {
		words := strings.Fields(one)
		wrong := o.outcome(words[0])
		if wrong == "" && len(words) > 1 {
			wrong = o.statusIn(words[1:])
		}
		if wrong == "" {
			return ""
		}
		whys = append(whys, wrong)
	}
	return strings.Join(whys, "; ")
}

func (o *observed) outcome(name string) string {
	whole, partial := len(o.record.whole), len(o.record.partial)
	switch name {
	case "refused": // nothing reached the endpoint, and the connection is over
		if whole+partial > 0 {
			return fmt.Sprintf("%d requests reached the endpoint, and %d beginnings", whole, partial)
		}
		if o.client.ended() == stillOpen {
			return "the connection was left open"
		}
	case "unfinished": // no whole request reached the endpoint, and the connection is over
		if whole > 0 {
			return "a whole request reached the endpoint"
		}
		if o.client.ended() == stillOpen {
			return "the connection was left open"
		}
		if r := o.first(); r.whole && r.status < 400 {
			return fmt.Sprintf("the client got %d", r.status)
		}
	case "local": // Haldane answered, and the connection may go on
		if whole+partial > 0 {
			return "a request reached the endpoint"
		}
	case "forwarded":
		if whole != 1 {
			return fmt.Sprintf("%d requests reached the endpoint", whole)
		}
	case "begun": // the head of the request reached the endpoint
		if whole+partial != 1 {
			return fmt.Sprintf("%d requests reached the endpoint, and %d beginnings", whole, partial)
		}
	default:
		return "unknown outcome " + name
	}
	return ""
}

// statusIn says whether the first status is one of those; "none" stands for no answer at all.
func (o *observed) statusIn(wanted []string) string {
	have := "none"
	if all := o.final(); len(all) > 0 {
		have = strconv.Itoa(all[0].status)
	}
	if !slices.Contains(wanted, have) {
		return "status " + have
	}
	return ""
}

func (o *observed) checkClient(c check) string {
	first := o.first()
	switch c.what {
	case "status":
		return o.statusIn(strings.Fields(c.rest))
	case "answers":
		return differ(c.rest, statuses(o.final()))
	case "interim":
		return differ(c.rest, statuses(slices.DeleteFunc(slices.Clone(o.responses), func(r *response) bool { return !r.interim() })))
	case "body":
		return differ(c.rest, string(first.body))
	case "whole":
		return why(len(o.final()) > 0 && !slices.ContainsFunc(o.final(), func(r *response) bool { return !r.whole }), "a response is not whole")
	case "cut": // visibly, or replaced by an error
		return why(o.cut() || o.gatewayError(), fmt.Sprintf("status %d, whole %v: the client cannot tell", first.status, first.whole))
	case "gateway-error":
		return why(o.gatewayError(), fmt.Sprintf("status %d, whole %v", first.status, first.whole))
	case "field":
		name, value, _ := strings.Cut(c.rest, ": ")
		return differ(value, strings.Join(first.fields.values(strings.ToLower(name)), " | "))
	case "trailer":
		name, value, _ := strings.Cut(c.rest, ": ")
		return differ(value, strings.Join(first.trailers.values(strings.ToLower(name)), " | "))
	case "no-trailer":
		name, _, _ := strings.Cut(c.rest, ": ")
		return differ("", strings.Join(first.trailers.values(strings.ToLower(name)), " | "))
	case "without":
		return differ("", strings.Join(first.fields.values(strings.ToLower(c.rest)), " | "))
	}
	return o.checkTranscript(c)
}

// checkTranscript are checks of what a client saw as bytes in time.
func (o *observed) checkTranscript(c check) string {
	got := o.client.bytes()
	switch c.what {
	case "sees":
		return why(bytes.Contains(got, []byte(c.rest)), fmt.Sprintf("it saw %q", shorten(got)))
	case "never-sees":
		return why(!bytes.Contains(got, []byte(c.rest)), "it did")
	case "ends": // the body of the last answer
		all := o.final()
		return why(len(all) > 0 && bytes.HasSuffix(all[len(all)-1].body, []byte(c.rest)), fmt.Sprintf("it saw %d bytes", len(got)))
	case "awaited":
		return why(len(o.client.missed) == 0, fmt.Sprintf("never came: %q", o.client.missed))
	case "closed":
		return o.closedWithin(c.rest)
	case "open":
		return why(o.client.ended() == stillOpen, "the connection was closed")
	case "reads": // TEXT within DURATION
		text, limit, _ := strings.Cut(c.rest, " within ")
		d, err := time.ParseDuration(limit)
		if err != nil {
			return err.Error()
		}
		return o.readWithin(text, d)
	}
	return "unknown check"
}

// closedWithin says whether the proxy closed the connection, in so long after its start if that is given.
func (o *observed) closedWithin(limit string) string {
	if o.client.ended() == stillOpen {
		return "the connection was left open"
	}
	if limit == "" {
		return ""
	}
	d, err := time.ParseDuration(limit)
	if err != nil {
		return err.Error()
	}
	took := o.client.endedAt.Sub(o.client.started)
	return why(took <= d, fmt.Sprintf("only after %v", took.Round(time.Millisecond)))
}

func (o *observed) readWithin(text string, d time.Duration) string {
	at := bytes.Index(o.client.bytes(), []byte(text))
	if at < 0 {
		return "it never came"
	}
	o.client.mu.Lock()
	defer o.client.mu.Unlock()
	for _, m := range o.client.marks {
		if m.bytes >= at+len(text) {
			return why(m.at.Sub(o.client.started) <= d, fmt.Sprintf("only after %v", m.at.Sub(o.client.started).Round(time.Millisecond)))
		}
	}
	return "it never came"
}

func statuses(all []*response) string {
	var words []string
	for _, r := range all {
		words = append(words, strconv.Itoa(r.status))
	}
	return strings.Join(words, " ")
}

// differ says how two texts differ.
func differ(want, have string) string {
	return why(want == have, fmt.Sprintf("have %q", shorten([]byte(have))))
}

// why is nothing when something holds, and what is wrong otherwise.
func why(holds bool, wrong string) string {
	if holds {
		return ""
	}
	return wrong
}
