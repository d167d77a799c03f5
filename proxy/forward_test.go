package proxy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// What an endpoint gets.

func TestRequestPassesInItsOwnSpellingAndOrder(t *testing.T) {
	o := newOrigin(t, nil)
	c := start(t, plain(o.address)).dial()
	c.send("GET /a//b/../%2F%41?q=%20;x|y HTTP/1.1\r\nhost: A.test:80\r\nx-lower: 1\r\nX-UPPER:two\r\nx-Dup:   a\r\nX-Dup: b\t\r\n" +
		"Empty:\r\nX-Request-Id: mine\r\nLatin: caf\xe9\r\n\r\n")
	if got := c.receive(); got.status() != 200 || got.body != "ok" {
		t.Fatalf("got %q %q", got.line, got.body)
	}
	got := o.last()
	if got.line != "GET /a//b/../%2F%41?q=%20;x|y HTTP/1.1" {
		t.Errorf("request line %q", got.line)
	}
	want := []string{
		"Host: A.test:80", "x-lower: 1", "X-UPPER: two", "x-Dup: a", "X-Dup: b", "Empty: ", "X-Request-Id: mine", "Latin: caf\xe9",
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: A.test:80", "Via: 1.1 haldane",
	}
	if diff := cmp.Diff(want, got.fields); diff != "" {
		t.Error(diff)
	}
}

func TestHopByHopFieldsStopHere(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=77\r\nX-Stays: 2\r\n" +
			"Proxy-Connection: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok")
		v.hangUp()
	})
	c := start(t, plain(o.address)).dial()
	c.send(get("/", "Connection: x-one", "Connection:, X-Two ,host, content-length", "X-One: 1", "x-two: 2", "X-Three: 3", "Keep-Alive: 5",
		"Proxy-Connection: keep-alive", "TE: gzip, trailers", "Upgrade: websocket", "Expect: 100-continue", "Trailer: X",
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6", "X-Request-Id: i"))
	if interim := c.receive(); interim.status() != 200 {
		t.Errorf("a request without a body needs no 100, got %q", interim.line)
	} else if diff := cmp.Diff([]string{"X-Stays: 2", "Via: 1.1 haldane"}, without(interim.fields, "Date", "Content-Length", "X-Request-Id")); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"Host: a.test", "X-Three: 3", "TE: trailers", "X-Request-Id: i", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http",
		"X-Forwarded-Host: a.test", "Via: 1.1 haldane",
	}
	if diff := cmp.Diff(want, o.last().fields); diff != "" {
		t.Error(diff)
	}
	c.send(get("/again"))
	if c.receive().status() != 200 {
		t.Error("the endpoint's close must not close the client's connection")
	}
}

// without leaves out fields that a test does not look at.
func without(lines []string, names ...string) []string {
	var kept []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		if !strings.Contains(strings.Join(names, " ")+" ", name+" ") {
			kept = append(kept, line)
		}
	}
	return kept
}

func TestViaIsAppended(t *testing.T) {
	o := newOrigin(t, func(v *visit) { v.answer("HTTP/1.1 200 OK\r\nVia: 1.1 inner\r\nContent-Length: 2\r\n\r\nok") })
	c := start(t, plain(o.address)).dial()
	c.send("GET / HTTP/1.0\r\nVia: 1.1 outer\r\n\r\n")
	if got := strings.Join(c.receive().values("Via"), ", "); got != "1.1 inner, 1.1 haldane" {
		t.Errorf("client got Via %q", got)
	}
	if got := strings.Join(o.last().values("Via"), ", "); got != "1.1 outer, 1.0 haldane" {
		t.Errorf("endpoint got Via %q", got)
	}
	if got := o.last().value("Host"); got != o.address {
		t.Errorf("without a Host the endpoint gets %q, want its own address", got)
	}
}

func TestTargets(t *testing.T) {
	o := newOrigin(t, nil)
	r := start(t, plain(o.address))
	for _, test := range []struct{ line, want, host string }{
		{"GET http://b.test/x?y HTTP/1.1", "/x?y", "b.test"},
		{"GET HTTP://b.test:8080 HTTP/1.1", "/", "b.test:8080"},
		{"GET http://b.test?q=/ HTTP/1.1", "/?q=/", "b.test"},
		{"GET http://[::1]:80/ HTTP/1.1", "/", "[::1]:80"},
		{"OPTIONS * HTTP/1.1", "*", "a.test"},
		{"OPTIONS http://b.test HTTP/1.1", "*", "b.test"},
		{"GET //evil.test/x HTTP/1.1", "//evil.test/x", "a.test"},
		{"GET /?u=http://x/ HTTP/1.1", "/?u=http://x/", "a.test"},
		{"BREW /pot HTTP/1.1", "/pot", "a.test"},
		{"GET /a/%2e%2e/b%00;x=\"{}\" HTTP/1.1", "/a/%2e%2e/b%00;x=\"{}\"", "a.test"},
	} {
		c := r.dial().send(test.line, "\r\nHost: a.test\r\n\r\n")
		if got := c.receive(); got.status() != 200 {
			t.Errorf("%s: %q", test.line, got.line)
			continue
		}
		got := o.last()
		if got.target() != test.want || got.value("Host") != test.host || got.value("X-Forwarded-Host") != test.host {
			t.Errorf("%s: became %q to host %q", test.line, got.target(), got.value("Host"))
		}
	}
}

func TestRequestID(t *testing.T) {
	o := newOrigin(t, nil)
	c := start(t, plain(o.address)).dial()
	version7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, test := range []struct {
		fields []string
		kept   string
	}{
		{nil, ""},
		{[]string{"x-request-ID: abc"}, "abc"},
		{[]string{"X-Request-Id: has space"}, ""},
		{[]string{"X-Request-Id: " + strings.Repeat("x", 129)}, ""},
		{[]string{"X-Request-Id: " + strings.Repeat("x", 128)}, strings.Repeat("x", 128)},
		{[]string{"X-Request-Id: one", "X-Request-Id: two"}, "one"},
	} {
		c.send(get("/", test.fields...))
		echoed, sent := c.receive().value("X-Request-Id"), o.last().value("X-Request-Id")
		if echoed != sent {
			t.Errorf("%q: the client got id %q, the endpoint %q", test.fields, echoed, sent)
		}
		if test.kept != "" && sent != test.kept || test.kept == "" && !version7.MatchString(sent) {
			t.Errorf("%q: became %q", test.fields, sent)
		}
	}
}

func TestVariantChangesTheRequest(t *testing.T) {
	o := newOrigin(t, func(v *visit) {
		v.answer("HTTP/1.1 200 OK\r\nServer: apache\r\nX-Keep: 1\r\nX-Over: old\r\nContent-Length: 2\r\n\r\nok")
	})
	v := variantAt(o.address)
	v.Host, v.StripPrefix, v.AddPrefix = "inner.test", "/api", "/v2"
	v.RequestFields = config.FieldChanges{
		Remove: []string{"cookie"}, Set: map[string]string{"X-Over": "new"}, Add: map[string]string{"X-More": "b"},
	}
	v.ResponseFields = config.FieldChanges{
		Remove: []string{"server"}, Set: map[string]string{"X-Over": "new"}, Add: map[string]string{"X-Keep": "2"},
	}
	s := sections(map[string]config.Variant{"v1": v})
	web := s.Services["web"]
	web.VariantField, web.RequestIDField = "X-Variant", "off"
	s.Services["web"] = web
	c := start(t, s).dial()
	c.send(get("/api/x?y=/api", "Cookie: a=b", "x-over: 1", "X-Over: 2", "X-More: a"))
	response := c.receive()
	got := o.last()
	if got.target() != "/v2/x?y=/api" || got.value("Host") != "inner.test" || got.value("X-Forwarded-Host") != "a.test" {
		t.Errorf("got %q %q", got.line, got.fields)
	}
	if diff := cmp.Diff([]string{"X-More: a", "X-Over: new", "X-More: b"}, without(got.fields, "Host", "Via", "X-Forwarded-For",
		"X-Forwarded-Proto", "X-Forwarded-Host")); diff != "" {
		t.Error(diff)
	}
	want := []string{"X-Keep: 1", "Via: 1.1 haldane", "X-Variant: v1", "X-Over: new", "X-Keep: 2"}
	if diff := cmp.Diff(want, without(response.fields, "Date", "Content-Length")); diff != "" {
		t.Error(diff)
	}
}

func TestPrefixesAreTakenAtSegments(t *testing.T) {
	for _, test := range []struct{ strip, add, target, want string }{
		{"/api", "", "/api/x", "/x"},
		{"/api", "", "/api", "/"},
		{"/api", "", "/api?q", "/?q"},
		{"/api", "", "/apix", "/apix"},
		{"/api/", "", "/api/x", "/x"},
		{"", "/v2", "/x", "/v2/x"},
		{"", "/v2/", "/x", "/v2/x"},
		{"/api", "/v2", "/api", "/v2/"},
		{"/api", "/v2", "*", "*"},
	} {
		x := &exchange{}
		x.request.Target = []byte(test.target)
		v, err := newVariant("v1", config.Variant{Endpoints: []string{"x:1"}, StripPrefix: test.strip, AddPrefix: test.add})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(x.rewrite(v)); got != test.want {
			t.Errorf("strip %q add %q: %q became %q, want %q", test.strip, test.add, test.target, got, test.want)
		}
	}
}

func TestFieldsThatFrameCannotBeConfigured(t *testing.T) {
	for _, name := range []string{"Content-Length", "transfer-encoding", "Connection", "bad name", "Host"} {
		if _, err := newFieldProgram(config.FieldChanges{Set: map[string]string{name: "1"}}); err == nil {
			t.Errorf("field %q was accepted", name)
		}
	}
	if _, err := newFieldProgram(config.FieldChanges{Add: map[string]string{"X-A": "a\r\nb: c"}}); err == nil {
		t.Error("a value with a line break was accepted")
	}
}
