package admin

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"haldane/report"
	"haldane/rollout"
)

// Archive is what is remembered of rollouts that have ended, and of orders. *rollout.Manager is one.
type Archive interface {
	// History lists the ended rollouts of a service, or of all for an empty name; the latest first.
	History(service string) ([]report.Summary, error)
	// Report is the report of one of them; the error is rollout.ErrNoReport without one.
	Report(id string) (report.Report, error)
	// Audit lists the latest orders, at most so many, the latest first.
	Audit(most int) ([]rollout.AuditEntry, error)
}

// noArchive remembers nothing.
type noArchive struct{}

// History is empty.
func (noArchive) History(string) ([]report.Summary, error) { return nil, nil }

// Report finds none.
func (noArchive) Report(string) (report.Report, error) { return report.Report{}, rollout.ErrNoReport }

// Audit is empty.
func (noArchive) Audit(int) ([]rollout.AuditEntry, error) { return nil, nil }

const (
	// auditUsual is how many orders are listed unless the query asks for another number.
	auditUsual = 100
	// auditMost is how many can be asked for: no more are remembered.
	auditMost = 10_000
)

// archive is the paths of what is remembered.
func (s *Server) archive() []route {
	return []route{
		{"GET /api/v1/history", s.fallible(s.endedAll)},
		{"GET /api/v1/services/{service}/history", s.fallible(s.endedOf)},
		{"GET /api/v1/reports/{id}", s.fallible(s.report)},
		{"GET /api/v1/audit", s.fallible(s.orders)},
	}
}

// History is what has happened in the rollouts of a service.
type History struct {
	// Events is what happened in the rollout there is now, oldest first.
	Events []rollout.Event `json:"history"`
	// Ended are the rollouts that have ended, the latest first.
	Ended []report.Summary `json:"ended"`
}

// endedAll lists the rollouts of all services that have ended.
func (s *Server) endedAll(w http.ResponseWriter, _ *http.Request) error {
	ended, err := s.options.Archive.History("")
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	writeJSON(w, struct {
		Ended []report.Summary `json:"ended"`
	}{append([]report.Summary{}, ended...)})
	return nil
}

// endedOf is what has happened in the rollouts of one service, which need not be configured any more.
func (s *Server) endedOf(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("service")
	ended, err := s.options.Archive.History(name)
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	view, running := s.options.Rollouts.View(name)
	if !running && len(ended) == 0 {
		return s.unknown(name)
	}
	writeJSON(w, History{
		Events: append([]rollout.Event{}, view.History...),
		Ended:  append([]report.Summary{}, ended...),
	})
	return nil
}

// form is a form of a report.
type form struct {
	name, kind string
	write      func(*report.Report) ([]byte, error)
}

// forms are all of them. The first one is for those who do not say.
func forms() []form {
	return []form{
		{"json", "application/json", (*report.Report).JSON},
		{"html", "text/html; charset=utf-8", func(r *report.Report) ([]byte, error) { return r.HTML(), nil }},
		{"markdown", "text/markdown; charset=utf-8", func(r *report.Report) ([]byte, error) { return r.Markdown(), nil }},
	}
}

// report is the report of a rollout that has ended, in the form that is asked for.
func (s *Server) report(w http.ResponseWriter, r *http.Request) error {
	f, err := chooseForm(r)
	if err != nil {
		return err
	}
	found, err := s.options.Archive.Report(r.PathValue("id"))
	switch {
	case errors.Is(err, rollout.ErrNoReport):
		return refuse(http.StatusNotFound, "there is no report of a rollout %q: it has not ended, or was forgotten", r.PathValue("id"))
	case err != nil:
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	if r.URL.Query().Get("recording") != "true" {
		found.Recording = nil // large, and for programs alone
	}
	text, err := f.write(&found)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("Vary", "Accept")
	header.Set("X-Content-Type-Options", "nosniff")
	// Its text was written by others. Whatever gets through the escaping, the browser runs none of it.
	header.Set("Content-Security-Policy", report.ContentSecurityPolicy())
	_, _ = w.Write(text) // the client may have gone
	return nil
}

// chooseForm takes the form from the query or, without it, from the field Accept (RFC 9110 section 12.5.1), in the order in which
// it names them.
func chooseForm(r *http.Request) (form, error) {
	all := forms()
	if name := r.URL.Query().Get("format"); name != "" {
		for _, f := range all {
			if f.name == name {
				return f, nil
			}
		}
		return form{}, refuse(http.StatusBadRequest, "format: %q is none of json, markdown, html", name)
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return all[0], nil
	}
	for wanted := range strings.SplitSeq(accept, ",") {
		kind, parameters, err := mime.ParseMediaType(wanted)
		if err != nil || strings.Trim(parameters["q"], "0.") == "" && parameters["q"] != "" {
			continue
		}
		for _, f := range all {
			name, _, _ := strings.Cut(f.kind, ";")
			if group, _, _ := strings.Cut(name, "/"); kind == name || kind == group+"/*" || kind == "*/*" {
				return f, nil
			}
		}
	}
	return form{}, refuse(http.StatusNotAcceptable, "a report is application/json, text/markdown or text/html")
}

// orders lists what was ordered.
func (s *Server) orders(w http.ResponseWriter, r *http.Request) error {
	most := auditUsual
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > auditMost {
			return refuse(http.StatusBadRequest, "limit: %q is no number from 1 to %d", text, auditMost)
		}
		most = n
	}
	entries, err := s.options.Archive.Audit(most)
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "%v", err)
	}
	writeJSON(w, struct {
		Audit []rollout.AuditEntry `json:"audit"`
	}{append([]rollout.AuditEntry{}, entries...)})
	return nil
}
