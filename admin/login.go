package admin

import (
	"net/http"
	"strings"
	"time"
)

// The paths of the dashboard. Its files hold nothing that is secret, and are shown to everybody who may connect.
const (
	uiPath      = "/ui/"
	loginPath   = "/ui/login"
	logoutPath  = "/ui/logout"
	sessionPath = "/ui/session"
)

// dashboard is its paths at a door.
func (s *Server) dashboard(d *door) []route {
	return []route{
		{"GET /{$}", http.RedirectHandler(uiPath, http.StatusFound)},
		{"GET " + uiPath, s.pages},
		{"POST " + loginPath, s.fallible(s.login(d))},
		{"POST " + logoutPath, s.fallible(s.logout(d))},
		{"GET " + sessionPath, s.fallible(s.whoami(d))},
	}
}

// isPage says whether a path is a file of the dashboard, or leads there.
func isPage(path string) bool {
	return path == "/" || path == strings.TrimSuffix(uiPath, "/") || strings.HasPrefix(path, uiPath)
}

// standingOf is what a page is told of its visitor.
type standingOf struct {
	// Role is what the visitor may do, Login whether there is a token to log in with.
	Role  string `json:"role"`
	Login bool   `json:"login"`
	// Reads and Changes say whether the visitor may read and, as far as this is known without the key, change.
	Reads   bool `json:"reads"`
	Changes bool `json:"changes"`
	// Version is the program's.
	Version string `json:"version"`
	// Key is the second half of a new session; only after a login.
	Key string `json:"key,omitempty"`
}

func (s *Server) tell(w http.ResponseWriter, d *door, who role, key string) {
	writeJSON(w, standingOf{
		Role: who.String(), Login: d.keys != nil, Reads: who != roleNone || d.exposure == exposeAll,
		Changes: who == roleOperate || who == rolePeer, Version: s.options.Version, Key: key,
	})
}

// login takes a token and begins a session.
func (s *Server) login(d *door) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Token string `json:"token"`
		}
		if err := decode(r, &body); err != nil {
			return err
		}
		if d.keys == nil {
			return refuse(http.StatusConflict, "there is no login here: whoever reaches this listener may do everything")
		}
		if body.Token == "" { // nobody's guess
			return refuse(http.StatusBadRequest, "token: missing")
		}
		granted, p := d.unlock(r, strings.TrimSpace(body.Token))
		if p != nil {
			return p
		}
		cookie, key := d.sessions.begin(granted, time.Now())
		http.SetCookie(w, cookie)
		s.tell(w, d, granted, key)
		return nil
	}
}

// logout ends the session.
func (s *Server) logout(d *door) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if d.keys == nil {
			return refuse(http.StatusConflict, "there is no login here")
		}
		if n := d.sessions.of(r, time.Now()); n.role != roleNone {
			d.sessions.revoke(&n)
		}
		http.SetCookie(w, d.sessions.cookie("", -1))
		s.tell(w, d, roleNone, "")
		return nil
	}
}

// whoami tells a page what its visitor may do.
func (s *Server) whoami(d *door) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		s.tell(w, d, callerOf(r).role, "")
		return nil
	}
}
