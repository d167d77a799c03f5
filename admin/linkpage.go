package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"haldane/rollout"
)

// linkStyle is all that the page of a link looks like.
const linkStyle = "body{font:1.1em/1.5 sans-serif;max-width:36em;margin:3em auto;padding:0 1em}button{font:inherit;padding:.5em 1.5em}"

// linkPageGet shows what a link would do. It changes nothing: mail scanners and chats look at links before people do.
func (s *Server) linkPageGet(d *door) http.Handler {
	return s.withLink(d, func(w http.ResponseWriter, _ *http.Request, c claim) {
		view, known := s.options.Rollouts.View(c.Service)
		if p := c.stale(&view, known); p != nil {
			writePage(w, p.Status, page{title: "Nothing to do", text: []string{p.Detail}})
			return
		}
		writePage(w, http.StatusOK, page{title: c.words() + "?", text: describeFor(&view), button: c.words()})
	})
}

// linkPagePost does what a link says, if the rollout is still where the link was made for.
func (s *Server) linkPagePost(d *door) http.Handler {
	return s.withLink(d, func(w http.ResponseWriter, r *http.Request, c claim) {
		order := rollout.Command{Kind: c.Order, Actor: "link (" + c.Via + ")", Reason: c.words() + " by link", Expect: &c.Place, Caller: callerOf(r).String()}
		before, known := s.options.Rollouts.View(c.Service)
		view, err := s.options.Rollouts.Do(c.Service, order)
		fields := append(orderFields(order), zap.String("service", c.Service))
		if known {
			fields = append(fields, zap.Object("before", standing(before)), zap.Object("after", standing(view)))
		}
		s.audit(r, "link", err, fields...)
		if err != nil {
			p := s.linkFailed(c.Service, err)
			writePage(w, p.Status, page{title: "This was not done", text: []string{p.Detail}})
			return
		}
		writePage(w, http.StatusOK, page{title: "Done", text: describeFor(&view)})
	})
}

// withLink is for requests whose link is good; others are refused.
func (s *Server) withLink(d *door, serve func(http.ResponseWriter, *http.Request, claim)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, p := d.readLink(r)
		if p != nil {
			s.linkRefused(w, r, p)
			return
		}
		serve(w, r, c)
	})
}

// readLink is what the link of a request says. Forged ones are counted against the address, as wrong tokens are, but in an account
// of their own: behind a proxy all people have one address, and a stranger there must not keep tokens out.
func (d *door) readLink(r *http.Request) (c claim, p *problem) {
	token, now := r.URL.Query().Get("t"), time.Now()
	var err error
	wait := d.forged.try(addressOf(r.RemoteAddr), now, func() bool {
		c, err = d.links.read(token, now)
		return !errors.Is(err, errForged)
	})
	switch {
	case wait > 0:
		p = refuse(http.StatusTooManyRequests, "too many wrong links came from your address; wait a minute")
		p.retry = wait
	case errors.Is(err, errExpired):
		p = refuse(http.StatusGone, "%v", err)
	case err != nil:
		p = refuse(http.StatusForbidden, "%v", err)
	}
	return c, p
}

// linkRefused says that a link is worth nothing.
func (s *Server) linkRefused(w http.ResponseWriter, r *http.Request, p *problem) {
	s.refusals.Warn("admin request refused", zap.Inline(callerOf(r)), zap.String("method", r.Method), zap.String("path", r.URL.Path),
		zap.Int("status", p.Status), zap.String("reason", p.Detail))
	p.setRetry(w.Header())
	writePage(w, p.Status, page{title: "This link does nothing", text: []string{p.Detail}})
}

// linkFailed is why an order was not carried out.
func (s *Server) linkFailed(service string, err error) *problem {
	if errors.Is(err, rollout.ErrMoved) {
		return movedOn()
	}
	var p *problem
	if !errors.As(s.explain(service, err), &p) { // it is always one
		p = refuse(http.StatusInternalServerError, "%v", err)
	}
	return p
}

func movedOn() *problem {
	return refuse(http.StatusGone, "the rollout is not at this step any more: the link was used, or somebody or something else was first")
}

// stale says why there is nothing to do for a link; nil when there is.
func (c *claim) stale(v *rollout.View, known bool) *problem {
	switch {
	case !known:
		return refuse(http.StatusNotFound, "the service %s has no rollout", c.Service)
	case v.Place != c.Place:
		return movedOn()
	case !slices.Contains(v.Possible, c.Order):
		return refuse(http.StatusConflict, "this is not possible: the rollout is %s", v.Phase)
	}
	return nil
}

// words say what a link does.
func (c *claim) words() string {
	if c.Order == rollout.CommandAbort {
		return "Roll back " + c.Service
	}
	return "Promote " + c.Service
}

// describeFor says how a rollout stands, to whoever is about to decide.
func describeFor(v *rollout.View) []string {
	text := []string{
		fmt.Sprintf("%s: %s to %s, step %d of %d (%s), the canary has %s.", v.Service, v.Stable, v.Canary, min(v.Step+1, v.Steps), v.Steps,
			v.Stage.Name, v.Weight),
		fmt.Sprintf("It is %s: %s", v.Phase, v.Reason),
	}
	if len(v.Verdict.Checks) > 0 {
		text = append(text, v.Verdict.Sentence())
	}
	if v.Gates.Frozen != "" {
		text = append(text, "Changes are frozen: "+v.Gates.Frozen)
	}
	if v.Next != "" {
		text = append(text, "Next: "+v.Next)
	}
	return text
}

// page is a small page for people: no script, nothing that is loaded.
type page struct {
	title  string
	text   []string
	button string // empty for none
}

// writePage answers with a page. Its form leads to where the page is; same-origin makes browsers say where they come from, to us alone.
func writePage(w http.ResponseWriter, status int, p page) {
	sum := sha256.Sum256([]byte(linkStyle))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Referrer-Policy", "same-origin")
	w.Header().Set("X-Robots-Tag", "noindex")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	var b strings.Builder
	title := html.EscapeString(p.title)
	b.WriteString("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">" +
		"<title>" + title + "</title><style>" + linkStyle + "</style></head><body><h1>" + title + "</h1>")
	for _, line := range p.text {
		b.WriteString("<p>" + html.EscapeString(line) + "</p>")
	}
	if p.button != "" {
		b.WriteString("<form method=\"post\"><button type=\"submit\">" + html.EscapeString(p.button) + "</button></form>")
	}
	b.WriteString("</body></html>\n")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

// checkLink is the rule for the page of links: no token, because the signature is the credential; a form, because there is no script.
func (d *door) checkLink(r *http.Request) *problem {
	if p := checkBrowser(r, d.links.origin()); p != nil {
		return p
	}
	switch kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(strings.ToLower(kind)) {
	case "", "application/x-www-form-urlencoded":
		return nil
	}
	return refuse(http.StatusUnsupportedMediaType, "the page of a link takes a form without fields")
}

// admit lets links in at a door: their page, and the name under which people reach it.
func (d *door) admit(links *Links) {
	if links == nil {
		return
	}
	d.links, d.forged = links, newGuesses()
	d.hosts.extra[strings.ToLower(hostname(links.base))] = struct{}{}
}

func hostname(base *url.URL) string { return strings.TrimSuffix(base.Hostname(), ".") }
