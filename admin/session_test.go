package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// entrance is what a browser has after a login.
type entrance struct {
	cookie string // as a field
	key    string // as a field
	raw    *http.Cookie
}

// loginWith begins a session.
func (r *running) loginWith(token string) entrance {
	r.t.Helper()
	got := r.do("POST", loginPath, `{"token":"`+token+`"}`, "Origin: "+r.base)
	if got.status != 200 {
		r.t.Fatalf("%d %s", got.status, got.body)
	}
	var told standingOf
	if err := json.Unmarshal([]byte(got.body), &told); err != nil {
		r.t.Fatal(err)
	}
	cookies := (&http.Response{Header: got.header}).Cookies()
	if len(cookies) != 1 || told.Key == "" {
		r.t.Fatalf("%v, %+v", cookies, told)
	}
	return entrance{"Cookie: " + cookies[0].Name + "=" + cookies[0].Value, sessionField + ": " + told.Key, cookies[0]}
}

// A session reads with its cookie, and changes something with its key as well, from our own origin alone.
func TestSession(t *testing.T) {
	s, f := withReadToken(t)
	operator, reader := s.loginWith(secret), s.loginWith(readSecret)
	if c := operator.raw; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge <= 0 {
		t.Errorf("%+v", c)
	}
	ours := "Origin: " + s.base
	for _, c := range []struct {
		name   string
		method string
		fields []string
		want   int
	}{
		{"nobody reads", "GET", nil, 401},
		{"a reader reads", "GET", []string{reader.cookie}, 200},
		{"an operator reads", "GET", []string{operator.cookie}, 200},
		{"an operator changes", "POST", []string{operator.cookie, operator.key, ours}, 200},
		{"a cookie alone changes nothing", "POST", []string{operator.cookie, ours}, 403},
		{"a key alone is nobody", "POST", []string{operator.key, ours}, 401},
		{"the key of another session", "POST", []string{operator.cookie, reader.key, ours}, 403},
		{"no origin", "POST", []string{operator.cookie, operator.key}, 403},
		{"another origin", "POST", []string{operator.cookie, operator.key, "Origin: http://evil.example"}, 403},
		{"another port", "POST", []string{operator.cookie, operator.key, "Origin: http://127.0.0.1:1"}, 403},
		{"a reader changes nothing", "POST", []string{reader.cookie, reader.key, ours}, 403},
		{"a session and a token: the token counts", "POST", []string{reader.cookie, reader.key, ours, bearer}, 200},
		{"a form", "POST", []string{operator.cookie, operator.key, ours, "Content-Type: text/plain"}, 415},
		{"two cookies", "GET", []string{operator.cookie + "; " + strings.TrimPrefix(reader.cookie, "Cookie: ")}, 401},
		{"a cookie that was changed", "GET", []string{operator.cookie[:len(operator.cookie)-2] + "AA"}, 401},
		{"an empty cookie", "GET", []string{"Cookie: " + operator.raw.Name + "="}, 401},
	} {
		before := len(f.commands)
		path, body := "/api/v1/rollouts", ""
		if c.method == "POST" {
			path, body = "/api/v1/rollouts/shop/pause", "{}"
		}
		got := s.do(c.method, path, body, c.fields...)
		if got.status != c.want || (len(f.commands) > before) != (c.method == "POST" && c.want == 200) {
			t.Errorf("%s: %d, want %d: %s", c.name, got.status, c.want, got.body)
		}
	}
}

// Who is who, and a logout ends it also for whoever has copied both halves.
func TestLogout(t *testing.T) {
	s, _ := withReadToken(t)
	in := s.loginWith(secret)
	if got := s.do("GET", sessionPath, "", in.cookie).body; !strings.Contains(got, `"role":"operate"`) || !strings.Contains(got, `"changes":true`) || strings.Contains(got, `"key"`) {
		t.Error(got)
	}
	if got := s.get(sessionPath).body; !strings.Contains(got, `"role":"none"`) || !strings.Contains(got, `"reads":false`) {
		t.Error(got)
	}
	got := s.do("POST", logoutPath, "{}", in.cookie, "Origin: "+s.base)
	if field := got.header.Get("Set-Cookie"); got.status != 200 || !strings.Contains(field, "Max-Age=0") {
		t.Errorf("%d %s", got.status, field)
	}
	if got := s.do("GET", "/api/v1/rollouts", "", in.cookie); got.status != 401 {
		t.Errorf("after the logout: %d", got.status)
	}
}

// A wrong token is a guess like any other, and so are too many.
func TestLoginIsGuarded(t *testing.T) {
	s, _ := withReadToken(t)
	for _, c := range []struct {
		fields []string
		body   string
		want   int
	}{
		{nil, `{"token":"wrong-0123456789abcdef"}`, 401},
		{nil, `{}`, 400},
		{nil, `{"tok":"x"}`, 400},
		{[]string{"Origin: http://evil.example"}, `{"token":"` + secret + `"}`, 403},
		{[]string{"Content-Type: text/plain"}, `{"token":"` + secret + `"}`, 415},
	} {
		if got := s.do("POST", loginPath, c.body, c.fields...); got.status != c.want || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d", c.body, got.status)
		}
	}
	last := 0
	for range 12 {
		last = s.do("POST", loginPath, `{"token":"wrong-0123456789abcdef"}`).status
	}
	if last != 429 {
		t.Errorf("after many guesses: %d", last)
	}
}

// A session outlives a restart, and no change of either token; it ends by itself.
func TestSessionsOfAnotherProcess(t *testing.T) {
	open := func(operate, read string) *sessions {
		section := options(newFake()).Config
		section.Token, section.ReadToken = "", ""
		unlock := &keys{guesses: newGuesses()}
		var err error
		if unlock.operate, err = newToken(operate); err != nil {
			t.Fatal(err)
		}
		second, err := newToken(read)
		if err != nil {
			t.Fatal(err)
		}
		unlock.read = &second
		return newSessions(section, unlock, "9901")
	}
	now := time.Now()
	cookie, _ := open(secret, readSecret).begin(roleOperate, now)
	request, err := http.NewRequest(http.MethodGet, "http://localhost/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.AddCookie(cookie)
	for _, c := range []struct {
		name string
		s    *sessions
		at   time.Time
		want role
	}{
		{"the next process", open(secret, readSecret), now.Add(time.Hour), roleOperate},
		{"too late", open(secret, readSecret), now.Add(sessionLasts + time.Second), roleNone},
		{"another token", open("another-"+secret, readSecret), now, roleNone},
		{"another read token", open(secret, "another-"+readSecret), now, roleNone},
	} {
		if got := c.s.of(request, c.at).role; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Over TLS the cookie never travels without.
func TestSecureCookie(t *testing.T) {
	section := options(newFake()).Config
	unlock, err := loadKeys(section)
	if err != nil {
		t.Fatal(err)
	}
	section.TLS, _ = certificate(t)
	cookie, _ := newSessions(section, unlock, "9901").begin(roleRead, time.Now())
	if !cookie.Secure || cookie.Name != "__Host-haldane-9901" || cookie.Domain != "" {
		t.Errorf("%+v", cookie)
	}
}

// What was logged out is remembered within bounds.
func TestRevokedSessionsAreBounded(t *testing.T) {
	unlock, err := loadKeys(options(newFake()).Config)
	if err != nil {
		t.Fatal(err)
	}
	s := newSessions(options(newFake()).Config, unlock, "1")
	for n := range 2 * revokedMost {
		s.revoke(&session{nonce: [sessionNonce]byte{byte(n), byte(n >> 8)}, expires: time.Now().Add(time.Hour)})
	}
	if len(s.revoked) != revokedMost {
		t.Errorf("%d are remembered", len(s.revoked))
	}
}

// The files of the dashboard are for everybody who may connect, also where nothing else is, and lead to nothing else.
func TestPagesAreOpen(t *testing.T) {
	s, _ := withReadToken(t)
	if got := s.get(uiPath); got.status != 200 || !strings.Contains(got.header.Get("Content-Security-Policy"), "script-src 'self'") {
		t.Errorf("%d %v", got.status, got.header)
	}
	if got := s.get("/"); got.status != 200 || !strings.Contains(got.body, "<title>Haldane") { // redirected
		t.Errorf("%d %s", got.status, got.body)
	}
	for path, want := range map[string]int{
		"/ui/../api/v1/config": 401, "/ui/%2e%2e/api/v1/config": 404, "/ui//../../api/v1/config": 401, "/ui/nothing": 404, "/uix": 401, "/ui": 200,
	} {
		if got := s.get(path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := s.do("POST", uiPath, "{}", bearer); got.status != 405 {
		t.Errorf("%d", got.status)
	}
}
