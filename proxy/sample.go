package proxy

import (
	"bytes"
	"net/url"
	"strings"
	"time"

	"haldane/proxy/http1"
	"haldane/stats"
)

// The bounds of what is kept of a failed request, in bytes. Together with stats.MaxSamples they bound what a service keeps.
const (
	sampleTarget = 1024
	sampleValue  = 256
	sampleFields = 2048 // of all fields together
)

// hidden takes the place of what may be a secret.
const hidden = "***"

// remember counts a failed request on its endpoint and, when it failed on the canary, keeps it as an example. It is called before
// the failure is charged to the budget, so that the one that ends a rollout is in its report.
func (x *exchange) remember(o stats.Outcome) {
	if x.endpoint != nil {
		x.endpoint.Fail()
	}
	if !canary(&x.assignment) {
		return
	}
	if samples := x.service.stats.Samples(); samples.Wants(o, x.status) {
		samples.Add(x.sample(o))
	}
}

// sample is a copy of the request without what may be secret.
func (x *exchange) sample(o stats.Outcome) stats.Sample {
	target := withoutSecrets(string(x.target))
	s := stats.Sample{
		Rollout: x.assignment.Split.Rollout, Time: x.started, Took: time.Since(x.started), Secured: x.conn.secured,
		Method: cut(string(x.in.method), sampleValue), Authority: cut(string(x.authority), sampleValue),
		Target: cut(target, sampleTarget), Cut: len(target) > sampleTarget, Fields: sampledFields(x.view.fields),
		Body: x.body.count.Load(), Outcome: o, Status: x.status, Stalled: x.stalled, RequestID: string(x.requestID),
	}
	if x.endpoint != nil {
		s.Endpoint = x.endpoint.Address()
	}
	return s
}

// sampledFields are the fields that are kept: not those that frame the message, that say who the client is, or that may be
// secret.
func sampledFields(fields http1.Fields) []stats.SampleField {
	var kept []stats.SampleField
	room := sampleFields
	for _, f := range fields {
		name := string(f.Name)
		if reserved(f.Name) || secretName(name) || personal(name) || secretValue(f.Value) {
			continue
		}
		value := cut(withoutSecrets(string(f.Value)), sampleValue)
		if room -= len(name) + len(value); room < 0 {
			break
		}
		kept = append(kept, stats.SampleField{Name: name, Value: value})
	}
	return kept
}

// secretName says whether what has this name may be a secret.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{
		"auth", "cookie", "token", "secret", "key", "passw", "pwd", "passphrase", "session", "signature", "credential", "jwt", "assertion",
	} {
		if strings.Contains(name, word) {
			return true
		}
	}
	switch name {
	case "sid", "sig", "code", "otp", "pin", "pass":
		return true
	}
	return false
}

// personal says whether a field tells who or where the client is.
func personal(name string) bool {
	switch strings.ToLower(name) {
	case "from", "forwarded", "x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip":
		return true
	}
	return false
}

// secretValue knows the looks of credentials whose name says nothing: schemes of authentication (RFC 9110 section 11.4), and
// the beginning of every JSON Web Token (RFC 7519).
func secretValue(value []byte) bool {
	for _, start := range []string{"bearer ", "basic ", "digest ", "eyj"} {
		if len(value) >= len(start) && http1.EqualFold(value[:len(start)], start) {
			return true
		}
	}
	return bytes.Contains(value, []byte("PRIVATE KEY"))
}

// longParameter is from which length on a query parameter without a value is taken for a secret of its own.
const longParameter = 32

// withoutSecrets hides the values of query parameters whose names say that they are secret, and the name and password before a
// host (RFC 3986 section 3.2.1). It is for targets, and for fields with addresses in them.
func withoutSecrets(text string) string {
	text = withoutUser(text)
	address, query, found := strings.Cut(text, "?")
	if !found {
		return text
	}
	var b strings.Builder
	b.WriteString(address + "?")
	for query != "" {
		end := strings.IndexAny(query, "&;#?")
		parameter, separator := query, ""
		if end >= 0 {
			parameter, separator = query[:end], query[end:end+1]
		}
		query = query[len(parameter)+len(separator):]
		b.WriteString(withoutSecret(parameter) + separator)
	}
	return b.String()
}

// withoutSecret is a parameter whose value is hidden if it may be secret.
func withoutSecret(parameter string) string {
	name, value, found := strings.Cut(parameter, "=")
	if !found {
		if len(parameter) > longParameter {
			return hidden
		}
		return parameter
	}
	plain, err := url.QueryUnescape(name)
	if err != nil || secretName(plain) || secretValue([]byte(value)) || strings.Contains(value, "%3A%2F%2F") || strings.Contains(value, "://") {
		return name + "=" + hidden // an address inside may have a query of its own
	}
	return parameter
}

// withoutUser is an address without the name and the password before its host.
func withoutUser(text string) string {
	start := strings.Index(text, "://")
	if start < 0 {
		return text
	}
	start += len("://")
	end := strings.IndexAny(text[start:], "/?#")
	if end < 0 {
		end = len(text) - start
	}
	if at := strings.LastIndexByte(text[start:start+end], '@'); at >= 0 {
		return text[:start] + hidden + text[start+at:]
	}
	return text
}

// cut is text of at most so many bytes, as text that can be shown everywhere.
func cut(text string, most int) string {
	const ellipsis = "…"
	if len(text) > most {
		text = text[:most-len(ellipsis)] + ellipsis
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
