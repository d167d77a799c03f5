package http1

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
)

// FuzzTarget holds what is taken for a target: nothing in it can end a line or a word, the form that goes to an endpoint
// is origin-form or *, and of an absolute target net/url finds the same authority
// (it takes escapes out of one, which stay here).
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a?b", "*", "http://a.test/x", "http://a.test", "https://[::1]:80?x", "http://u@a/", "a:1", "//x", "http://a\\@b/"} {
		f.Add("GET", seed)
		f.Add("OPTIONS", seed)
		f.Add("CONNECT", seed)
	}
	f.Fuzz(func(t *testing.T, method, raw string) {
		target, err := ParseTarget([]byte(method), []byte(raw))
		if err != nil {
			return
		}
		if bytes.ContainsAny(target.Origin, " \t\r\n\x00#") || bytes.ContainsAny(target.Authority, " \t\r\n\x00#/?@") {
			t.Fatalf("%q: origin %q, authority %q", raw, target.Origin, target.Authority)
		}
		if target.Form == AuthorityForm {
			return
		}
		if star := string(target.Origin) == "*"; !star && !bytes.HasPrefix(target.Origin, []byte("/")) || star && method != "OPTIONS" {
			t.Fatalf("%s %q: origin %q", method, raw, target.Origin)
		}
		if target.Form != AbsoluteForm {
			return
		}
		if other, err := url.Parse(raw); err == nil && !strings.Contains(raw, "%") && (other.Host != string(target.Authority) || other.User != nil) {
			t.Fatalf("%q: authority %q, net/url has %q", raw, target.Authority, other.Host)
		}
		if !strings.HasSuffix(raw, strings.TrimPrefix(string(target.Origin), "/")) && string(target.Origin) != "*" {
			t.Fatalf("%q: origin %q", raw, target.Origin)
		}
	})
}
