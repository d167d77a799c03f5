package admin

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"haldane/config"
	"haldane/rollout"
)

// linking is a server with links to its rollout, which is paused at a gate of its second step.
func linking(t *testing.T, f *fake) (*running, *Links) {
	t.Helper()
	f.views[0].Place = rollout.Place{Rollout: "r1", Stage: 2}
	f.views[0].Possible = []rollout.CommandKind{rollout.CommandPromote, rollout.CommandAbort}
	f.views[0].Canary, f.views[0].Reason = "v2", "5% is done <script>alert(1)</script>"
	section := config.Admin{PublicURL: "https://haldane.example.com", LinkLifetime: config.Duration(24 * time.Hour)}
	links, err := OpenLinks(section, filepath.Join(t.TempDir(), "link.key"))
	if err != nil {
		t.Fatal(err)
	}
	o := options(f)
	o.Links = links
	o.Config.ReadToken = "read-0123456789abcdef" // links need no token where even reading does
	return serve(t, o), links
}

// path is what the address of a link asks our listener for.
func path(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host != "haldane.example.com" || u.Path != linkPath {
		t.Fatalf("the link is %q (%v)", link, err)
	}
	return u.RequestURI()
}

const atPublic = "Host: haldane.example.com"

func TestALinkIsOneClick(t *testing.T) {
	f := newFake()
	r, links := linking(t, f)
	link := path(t, links.Link(&f.views[0], rollout.CommandPromote, "releases", time.Now()))
	shown := r.do(http.MethodGet, link, "", atPublic, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
	if shown.status != http.StatusOK || !strings.Contains(shown.body, "<form method=\"post\"><button") || !strings.Contains(shown.body, "Promote shop") {
		t.Fatalf("%d: %s", shown.status, shown.body)
	}
	if strings.Contains(shown.body, "<script") || !strings.Contains(shown.body, "&lt;script&gt;") {
		t.Errorf("the page holds what others wrote: %s", shown.body)
	}
	policy := shown.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %s", policy, want)
		}
	}
	if shown.header.Get("Cache-Control") != "no-store" || shown.header.Get("Referrer-Policy") != "same-origin" {
		t.Errorf("the fields are %v", shown.header)
	}
	if got := f.last(); got.Command.Kind != "" {
		t.Fatalf("looking at it did something: %+v", got)
	}
	if got := r.do(http.MethodHead, link, "", atPublic); got.status != http.StatusOK || f.last().Command.Kind != "" {
		t.Errorf("HEAD: %d, %+v", got.status, f.last())
	}
	// What a browser sends for the button, behind a proxy that ends TLS.
	done := r.do(http.MethodPost, link, "", atPublic, "Origin: https://haldane.example.com", "Sec-Fetch-Site: same-origin",
		"Content-Type: application/x-www-form-urlencoded")
	if done.status != http.StatusOK || !strings.Contains(done.body, "Done") {
		t.Errorf("%d: %s", done.status, done.body)
	}
	got := f.last()
	if got.Service != "shop" || got.Command.Kind != rollout.CommandPromote || got.Command.Actor != "link (releases)" ||
		got.Command.Expect == nil || *got.Command.Expect != f.views[0].Place || got.Command.Force || got.Command.Reason == "" {
		t.Errorf("the order is %+v", got)
	}
	// The rollout has moved on in between: the order says where it must be, and the page what became of it.
	f.failWith(rollout.ErrMoved)
	if again := r.do(http.MethodPost, link, "", atPublic); again.status != http.StatusGone || !strings.Contains(again.body, "not at this step any more") {
		t.Errorf("%d: %s", again.status, again.body)
	}
	f.failWith(&rollout.FrozenError{Service: "shop", Command: rollout.CommandPromote, Reason: "holidays"})
	if frozen := r.do(http.MethodPost, link, "", atPublic); frozen.status != http.StatusConflict || !strings.Contains(frozen.body, "holidays") {
		t.Errorf("%d: %s", frozen.status, frozen.body)
	}
}

func TestALinkToRollBack(t *testing.T) {
	f := newFake()
	r, links := linking(t, f)
	link := path(t, links.Link(&f.views[0], rollout.CommandAbort, "slack", time.Now()))
	if got := r.do(http.MethodPost, link, "", atPublic); got.status != http.StatusOK || f.last().Command.Kind != rollout.CommandAbort {
		t.Errorf("%d: %+v", got.status, f.last())
	}
	for _, order := range []rollout.CommandKind{rollout.CommandOverride, rollout.CommandPromoteFull, rollout.CommandRetry} {
		if got := links.Link(&f.views[0], order, "slack", time.Now()); got != "" {
			t.Errorf("there is a link to %s", order)
		}
	}
}

func TestLinksThatDoNothing(t *testing.T) {
	f := newFake()
	r, links := linking(t, f)
	now := time.Now()
	good := path(t, links.Link(&f.views[0], rollout.CommandPromote, "slack", now))
	old := path(t, links.Link(&f.views[0], rollout.CommandPromote, "slack", now.Add(-25*time.Hour)))
	elsewhere := f.views[0]
	elsewhere.Place.Stage = 1
	used := path(t, links.Link(&elsewhere, rollout.CommandPromote, "slack", now))
	elsewhere.Place = rollout.Place{Rollout: "r1.2", Stage: 2}
	other := path(t, links.Link(&elsewhere, rollout.CommandPromote, "slack", now))
	elsewhere.Service = "gone"
	gone := path(t, links.Link(&elsewhere, rollout.CommandPromote, "slack", now))
	foreign, err := OpenLinks(config.Admin{PublicURL: "https://haldane.example.com", LinkLifetime: config.Duration(time.Hour)},
		filepath.Join(t.TempDir(), "link.key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		link   string
		status int
		text   string
	}{
		"expired":          {old, http.StatusGone, "has expired"},
		"of a former step": {used, http.StatusGone, "not at this step any more"},
		"of an attempt":    {other, http.StatusGone, "not at this step any more"},
		"of no service":    {gone, http.StatusNotFound, "has no rollout"},
		"another key":      {path(t, foreign.Link(&f.views[0], rollout.CommandPromote, "slack", now)), http.StatusForbidden, "not genuine"},
		"changed":          {strings.Replace(good, "t=ey", "t=eY", 1), http.StatusForbidden, "not genuine"},
		"cut":              {good[:len(good)-3], http.StatusForbidden, "not genuine"},
		"none":             {linkPath, http.StatusForbidden, "not genuine"},
	} {
		if got := r.do(http.MethodGet, c.link, "", atPublic); got.status != c.status || !strings.Contains(got.body, c.text) || strings.Contains(got.body, "<form") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, fields := range map[string][]string{
		"from another site":     {atPublic, "Origin: https://evil.example"},
		"from nowhere":          {atPublic, "Origin: null"},
		"as JSON":               {atPublic, "Content-Type: application/json"},
		"under another name":    {"Host: evil.example"},
		"by a script on a page": {atPublic, "Sec-Fetch-Site: cross-site"},
	} {
		if got := r.do(http.MethodPost, good, "", fields...); got.status/100 == 2 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := r.do(http.MethodPut, good, "", atPublic); got.status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", got.status)
	}
	// The page is the only thing that a link opens.
	if got := r.do(http.MethodGet, "/api/v1/rollouts?"+strings.SplitN(good, "?", 2)[1], "", atPublic); got.status != http.StatusUnauthorized {
		t.Errorf("the API: %d", got.status)
	}
	if got := f.last(); got.Command.Kind != "" {
		t.Errorf("something was done: %+v", got)
	}
	f.views[0].Possible = []rollout.CommandKind{rollout.CommandRetry}
	if got := r.do(http.MethodGet, good, "", atPublic); got.status != http.StatusConflict {
		t.Errorf("not possible: %d", got.status)
	}
}

func TestForgedLinksAreSlowedDown(t *testing.T) {
	f := newFake()
	r, links := linking(t, f)
	good := path(t, links.Link(&f.views[0], rollout.CommandPromote, "slack", time.Now()))
	var last answer
	for range guessBurst + 1 {
		last = r.do(http.MethodPost, linkPath+"?t=forged", "", atPublic)
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("%d %v", last.status, last.header)
	}
	if got := r.do(http.MethodPost, good, "", atPublic); got.status != http.StatusTooManyRequests {
		t.Errorf("a genuine link among forged ones: %d", got.status)
	}
	// Tokens have an account of their own.
	if got := r.get("/healthz"); got.status != http.StatusOK {
		t.Errorf("health: %d", got.status)
	}
	if got := r.post("/api/v1/rollouts/shop/pause", "{}"); got.status != http.StatusOK {
		t.Errorf("the token: %d", got.status)
	}
}

func TestTheKeyOfLinks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "link.key")
	section := config.Admin{PublicURL: "https://haldane.example.com/below", LinkLifetime: config.Duration(time.Hour)}
	first, err := OpenLinks(section, file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	second, err := OpenLinks(section, file)
	if err != nil {
		t.Fatal(err)
	}
	v := rollout.View{Service: "shop", Place: rollout.Place{Rollout: "r1", Stage: 1}}
	now := time.Now()
	link := first.Link(&v, rollout.CommandAbort, "slack", now)
	_, token, _ := strings.Cut(link, "?t=")
	if c, err := second.read(token, now); err != nil || c.Place != v.Place || c.Order != rollout.CommandAbort || c.Via != "slack" {
		t.Errorf("after a restart: %+v, %v", c, err)
	}
	if !strings.HasPrefix(link, "https://haldane.example.com/below/link?t=") {
		t.Errorf("the link is %s", link)
	}
	if _, err := second.read(token, now.Add(time.Hour)); err == nil {
		t.Error("it does not expire")
	}
	if err := os.WriteFile(file, []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLinks(section, file); err == nil || strings.Contains(err.Error(), "too short") {
		t.Errorf("a short key: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLinks(section, file); err == nil {
		t.Error("a key that others can read")
	}
}

func TestWithoutLinksThereIsNoPage(t *testing.T) {
	r := serve(t, options(newFake()))
	if got := r.get(linkPath); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	if got := r.do(http.MethodPost, linkPath, ""); got.status != http.StatusUnauthorized {
		t.Errorf("%d", got.status)
	}
}

func TestTicksAndForce(t *testing.T) {
	f := newFake()
	r := serve(t, options(f))
	if got := r.post("/api/v1/rollouts/shop/tick", `{"item": "2", "actor": "ann"}`); got.status != http.StatusOK {
		t.Fatal(got)
	}
	if c := f.last().Command; c.Kind != rollout.CommandTick || c.Item != "2" || c.Actor != "ann" {
		t.Errorf("%+v", c)
	}
	if got := r.post("/api/v1/rollouts/shop/tick", `{"item": "2", "untick": true}`); got.status != http.StatusOK || f.last().Command.Kind != rollout.CommandUntick {
		t.Errorf("%d %+v", got.status, f.last())
	}
	if got := r.post("/api/v1/rollouts/shop/tick", `{}`); got.status != http.StatusBadRequest {
		t.Errorf("%d", got.status)
	}
	if got := r.post("/api/v1/rollouts/shop/promote", `{"force": true, "reason": "why"}`); got.status != http.StatusOK || !f.last().Command.Force {
		t.Errorf("%d %+v", got.status, f.last())
	}
	f.failWith(&rollout.FrozenError{Service: "shop", Command: rollout.CommandPromote, Reason: "holidays", Until: time.Unix(1, 0)})
	if p := r.post("/api/v1/rollouts/shop/promote", `{}`).problem(t); p.Status != http.StatusConflict || p.Type != "urn:haldane:problem:frozen" {
		t.Errorf("%+v", p)
	}
	f.failWith(&rollout.ChecklistError{Service: "shop", Command: rollout.CommandPromote, Open: []string{"dashboards"}})
	if p := r.post("/api/v1/rollouts/shop/promote", `{}`).problem(t); p.Status != http.StatusConflict || !strings.Contains(p.Detail, "dashboards") {
		t.Errorf("%+v", p)
	}
}
