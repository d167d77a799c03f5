package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"haldane/report"
	"haldane/rollout"
)

// shelf is an archive with one report and many orders.
type shelf struct {
	report report.Report
	err    error
}

func newShelf() *shelf {
	return &shelf{report: report.Report{
		Summary: report.Summary{
			ID: "ab12.2", Service: "shop", Stable: "v1", Canary: "v2", Result: report.Aborted, Rule: "ann ordered it: <script>alert(1)</script>",
			Ended: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
		},
		Version: report.Version,
	}}
}

func (s *shelf) History(service string) ([]report.Summary, error) {
	if s.err != nil || service != "" && service != s.report.Service && service != "gone" {
		return nil, s.err
	}
	return []report.Summary{s.report.Summary}, nil
}

func (s *shelf) Report(id string) (report.Report, error) {
	if s.err == nil && id != s.report.ID {
		return report.Report{}, rollout.ErrNoReport
	}
	return s.report, s.err
}

func (s *shelf) Audit(most int) ([]rollout.AuditEntry, error) {
	return make([]rollout.AuditEntry, min(most, 500)), s.err
}

// withShelf runs a server over an archive.
func withShelf(t *testing.T, s *shelf) *running {
	o := options(newFake())
	o.Archive = s
	return serve(t, o)
}

func TestReportForms(t *testing.T) {
	r := withShelf(t, newShelf())
	for _, c := range []struct{ query, accept, kind string }{
		{"", "", "application/json"},
		{"", "*/*", "application/json"},
		{"", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"},
		{"", "image/png, text/markdown", "text/markdown; charset=utf-8"},
		{"", "application/json;q=0, text/*", "text/html; charset=utf-8"},
		{"?format=markdown", "text/html", "text/markdown; charset=utf-8"},
		{"?format=html", "", "text/html; charset=utf-8"},
		{"?format=json", "text/html", "application/json"},
	} {
		fields := []string{}
		if c.accept != "" {
			fields = append(fields, "Accept: "+c.accept)
		}
		got := r.do(http.MethodGet, "/api/v1/reports/ab12.2"+c.query, "", fields...)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != c.kind || !strings.Contains(got.body, "ann ordered it") {
			t.Errorf("%+v: %d %s", c, got.status, got.header.Get("Content-Type"))
		}
		if strings.Contains(strings.ReplaceAll(got.body, `\<`, ""), "<script") { // Markdown escapes it so
			t.Errorf("%+v: a script got through", c)
		}
		if policy := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
			t.Errorf("%+v: policy %q", c, policy)
		}
		if got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%+v: browsers may guess", c)
		}
	}
	for path, status := range map[string]int{
		"/api/v1/reports/nobody": http.StatusNotFound, "/api/v1/reports/ab12.2?format=pdf": http.StatusBadRequest,
	} {
		if got := r.get(path); got.problem(t).Status != status {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := r.do(http.MethodGet, "/api/v1/reports/ab12.2", "", "Accept: image/png"); got.problem(t).Status != http.StatusNotAcceptable {
		t.Errorf("status %d for a picture", got.status)
	}
}

func TestHistoryOfServices(t *testing.T) {
	r := withShelf(t, newShelf())
	var all struct{ Ended []report.Summary }
	if err := json.Unmarshal([]byte(r.get("/api/v1/history").body), &all); err != nil || len(all.Ended) != 1 {
		t.Errorf("%+v, error %v", all, err)
	}
	for service, events := range map[string]int{"shop": 1, "gone": 0} {
		var got History
		if err := json.Unmarshal([]byte(r.get("/api/v1/services/"+service+"/history").body), &got); err != nil || len(got.Ended) != 1 || len(got.Events) != events {
			t.Errorf("%s: %+v, error %v", service, got, err)
		}
	}
	if got := r.get("/api/v1/services/nobody/history"); got.problem(t).Status != http.StatusNotFound {
		t.Errorf("status %d", got.status)
	}
}

func TestArchiveAudit(t *testing.T) {
	s := newShelf()
	r := withShelf(t, s)
	for query, want := range map[string]int{"": 100, "?limit=7": 7, "?limit=10000": 500} {
		// A standing of nowhere is no phase that can be read, so the entries are only counted.
		var raw struct{ Audit []json.RawMessage }
		if err := json.Unmarshal([]byte(r.get("/api/v1/audit"+query).body), &raw); err != nil || len(raw.Audit) != want {
			t.Errorf("%q: %d of %d, error %v", query, len(raw.Audit), want, err)
		}
	}
	for _, query := range []string{"?limit=0", "?limit=10001", "?limit=x"} {
		if got := r.get("/api/v1/audit" + query); got.problem(t).Status != http.StatusBadRequest {
			t.Errorf("%q: %d", query, got.status)
		}
	}
	s.err = errors.New("disk on fire")
	for _, path := range []string{"/api/v1/audit", "/api/v1/history", "/api/v1/services/shop/history", "/api/v1/reports/x"} {
		if got := r.get(path); got.problem(t).Status != http.StatusServiceUnavailable || !strings.Contains(got.body, "disk on fire") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// Without an archive there is nothing, and the lists are lists.
func TestNoArchive(t *testing.T) {
	r := serve(t, options(newFake()))
	for path, want := range map[string]string{"/api/v1/history": `{"ended":[]}`, "/api/v1/audit": `{"audit":[]}`} {
		if got := r.get(path); strings.TrimSpace(got.body) != want {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := r.get("/api/v1/reports/x"); got.problem(t).Status != http.StatusNotFound {
		t.Errorf("status %d", got.status)
	}
}
