package proxy

import (
	"bytes"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"haldane/proxy/http1"
)

func TestCookieValue(t *testing.T) {
	for _, test := range []struct {
		line, name, want string
		found            bool
	}{
		{"a=1", "a", "1", true},
		{"a=1; b=2", "b", "2", true},
		{"a=1;b=2", "b", "2", true},
		{"a=1; a=2", "a", "1", true},
		{" a = 1 ", "a", "1", true},
		{"a=\"quoted\"", "a", "quoted", true},
		{"a=\"", "a", "\"", true},
		{"a=", "a", "", true},
		{"a=x=y", "a", "x=y", true},
		{"A=1", "a", "", false},
		{"aa=1; b=a=1", "a", "", false},
		{"a", "a", "", false},
		{";;=;", "a", "", false},
		{"", "a", "", false},
	} {
		got, found := cookieValue([]byte(test.line), test.name)
		if string(got) != test.want || found != test.found {
			t.Errorf("%q in %q: %q, %v", test.name, test.line, got, found)
		}
	}
}

func TestQueryValue(t *testing.T) {
	for _, test := range []struct {
		query, name, want string
		found             bool
	}{
		{"a=1&b=2", "b", "2", true},
		{"a=1&a=2", "a", "1", true},
		{"a", "a", "", true},
		{"a=x=y", "a", "x=y", true},
		{"a=%20+", "a", "%20+", true},
		{"&&a=1", "a", "1", true},
		{"aa=1&b=a", "a", "", false},
		{"", "", "", false},
	} {
		got, found := queryValue([]byte(test.query), test.name)
		if string(got) != test.want || found != test.found {
			t.Errorf("%q in %q: %q, %v", test.name, test.query, got, found)
		}
	}
}

func TestHostIsCompared(t *testing.T) {
	for authority, want := range map[string]string{
		"a.test": "a.test", "A.Test:80": "a.test", "a.test.": "a.test", "a.test.:80": "a.test", "a.test:": "a.test",
		"[::1]": "[::1]", "[::1]:80": "[::1]", "[FE80::A]": "[fe80::a]", ".": ".", "": "",
	} {
		if got := string(appendHost(nil, []byte(authority))); got != want {
			t.Errorf("%q is compared as %q, want %q", authority, got, want)
		}
	}
}

func TestView(t *testing.T) {
	v := view{
		method: []byte("GET"), host: []byte("a.test"), client: netip.MustParseAddr("10.0.0.1"),
	}
	v.setFields(http1.Fields{
		{Name: []byte("x-USER"), Value: []byte("u")},
		{Name: []byte("cookie"), Value: []byte("a=1")},
		{Name: []byte("Cookie"), Value: []byte("b=2; a=3")},
	})
	v.setTarget([]byte("/p/x?q=1?2"))
	if string(v.Path()) != "/p/x" || string(v.Method()) != "GET" || string(v.Host()) != "a.test" || v.ClientAddr() != v.client {
		t.Errorf("%+v", v)
	}
	for _, test := range []struct {
		find       func(string) ([]byte, bool)
		name, want string
	}{{v.Field, "X-User", "u"}, {v.Cookie, "a", "1"}, {v.Cookie, "b", "2"}, {v.Query, "q", "1?2"}} {
		if got, ok := test.find(test.name); !ok || string(got) != test.want {
			t.Errorf("%s: %q, %v", test.name, got, ok)
		}
	}
	if _, ok := v.Cookie("c"); ok {
		t.Error("found a cookie that is not there")
	}
}

// Whatever a client sends as cookies, reading them does no harm and gives back a part of the line.
func FuzzCookieValue(f *testing.F) {
	for _, seed := range []string{"a= 0", "a=1; b=2", "a=\"x\"", ";=;a", "a=1;a=2", "\x00=\xff"} {
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		value, ok := cookieValue([]byte(line), name)
		if ok && !bytes.Contains([]byte(line), value) || !ok && value != nil {
			t.Errorf("%q in %q: %q, %v", name, line, value, ok)
		}
		cookies, err := http.ParseCookie(line)
		if err != nil || !ok || !http1.ValidValue([]byte(line)) {
			return
		}
		// What Go's strict parser finds, ours finds too.
		for _, c := range cookies {
			if c.Name == name {
				// Except that ours takes the white space off.
				if strings.Trim(c.Value, " \t") != strings.Trim(string(value), " \t") {
					t.Errorf("%q in %q: %q, net/http has %q", name, line, value, c.Value)
				}
				return
			}
		}
	})
}

func TestSetCookie(t *testing.T) {
	session := newCookieWriter("user", 0)
	if got := string(session.append(nil, 0xabc)); got != "user=0000000000000abc; Path=/; HttpOnly; SameSite=Lax" {
		t.Error(got)
	}
	lasting := newCookieWriter("user", 30*24*time.Hour)
	if got := string(lasting.append(nil, ^uint64(0))); got != "user=ffffffffffffffff; Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000" {
		t.Error(got)
	}
}
