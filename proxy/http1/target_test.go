package http1

import "testing"

func TestParseTarget(t *testing.T) {
	for _, c := range []struct {
		method, target string
		form           TargetForm // 0: refused
		authority      string
		origin         string
	}{
		{"GET", "/", OriginForm, "", "/"},
		{"GET", "/a/../b//c%2Fd%00%zz;x=1?q=/?", OriginForm, "", "/a/../b//c%2Fd%00%zz;x=1?q=/?"},
		{"GET", "//evil.test/x", OriginForm, "", "//evil.test/x"},
		{"GET", "/\x80\xff\"<>[]{}|\\^`", OriginForm, "", "/\x80\xff\"<>[]{}|\\^`"},
		{"OPTIONS", "*", AsteriskForm, "", "*"},
		{"GET", "*", 0, "", ""},
		{"OPTIONS", "**", 0, "", ""},
		{"GET", "http://b.test/x?y", AbsoluteForm, "b.test", "/x?y"},
		{"GET", "HTTPS://b.test:8443", AbsoluteForm, "b.test:8443", "/"},
		{"GET", "http://b.test?y", AbsoluteForm, "b.test", "/?y"},
		{"GET", "http://[::1]:80/x", AbsoluteForm, "[::1]:80", "/x"},
		{"OPTIONS", "http://b.test", AbsoluteForm, "b.test", "*"},
		{"OPTIONS", "http://b.test/", AbsoluteForm, "b.test", "/"},
		{"CONNECT", "a.test:443", AuthorityForm, "a.test:443", ""},
		{"CONNECT", "a.test", 0, "", ""},
		{"CONNECT", "/", 0, "", ""},
		{"GET", "a.test:443", 0, "", ""},
		{"GET", "http://u:p@a.test/x", 0, "", ""},
		{"GET", "http://u@a.test", 0, "", ""},
		{"GET", "http:///x", 0, "", ""},
		{"GET", "http://", 0, "", ""},
		{"GET", "http:/a", 0, "", ""},
		{"GET", "ftp://a.test/x", 0, "", ""},
		{"GET", "g", 0, "", ""},
		{"GET", "", 0, "", ""},
		{"GET", "?x", 0, "", ""},
		{"GET", "/a b", 0, "", ""},
		{"GET", "/a\x00b", 0, "", ""},
		{"GET", "/a\tb", 0, "", ""},
		{"GET", "/a\rb", 0, "", ""},
		{"GET", "/a\x7f", 0, "", ""},
		{"GET", "/a#frag", 0, "", ""},
	} {
		got, err := ParseTarget([]byte(c.method), []byte(c.target))
		if got.Form != c.form || string(got.Authority) != c.authority || string(got.Origin) != c.origin || (c.form == 0) != (err != nil) {
			t.Errorf("%s %q: %d %q %q, %v", c.method, c.target, got.Form, got.Authority, got.Origin, err)
		}
	}
}

func TestValidHost(t *testing.T) {
	for _, host := range []string{
		"", "a.test", "A_b.test", "a.test:", "a.test:80", "a.test:65535", "127.0.0.1:8080", "[::1]", "[::1]:80", "[2001:db8::1]:", "[::ffff:1.2.3.4]",
		"a%20b", "xn--nxasmq6b", "!$&'()*+,;=~", "a.test.",
	} {
		if !ValidHost([]byte(host)) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{
		"a.test/evil", "u:p@b.test", "u@b.test", "a\x00b", "a\x01b", "a.test:80x", "a.test:65536", "a.test:-1", "a b", "a\tb", "a,b:1:2", ":80", "[::1", "::1",
		"[::1]x", "[::1%25eth0]", "[v1.a]", "[1.2.3.4]", "[]", "a%2", "a%zz", "a\x80", "a#b", "a?b", `a\b`, "a\"b", "http://a", "a.test:99999999999999999999",
	} {
		if ValidHost([]byte(host)) {
			t.Errorf("%q is accepted", host)
		}
	}
	if ValidHost(make([]byte, 300)) {
		t.Error("an endless host is accepted")
	}
}

func TestRequestHost(t *testing.T) {
	for _, c := range []struct {
		fields Fields
		minor  int
		want   string
		status int
	}{
		{fields("host: a.test"), 1, "a.test", 0},
		{fields("Host: "), 1, "", 0},
		{fields("X: y"), 1, "", 400},
		{fields("X: y"), 0, "", 0},
		{fields("Host: a.test", "host: a.test"), 1, "", 400},
		{fields("Host: a.test", "Host: b.test"), 0, "", 400},
		{fields("Host: u@a.test"), 1, "", 400},
	} {
		got, err := RequestHost(c.fields, c.minor)
		if string(got) != c.want || statusOf(t, err) != c.status {
			t.Errorf("%q: %q, %v", lines(c.fields), got, err)
		}
	}
}
