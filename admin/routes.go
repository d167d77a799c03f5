package admin

import (
	"io"
	"net/http"
	"runtime"
	"slices"

	"go.uber.org/zap"
)

// metricsPath is where a scraper looks.
const metricsPath = "/metrics"

// route is one path and what answers there.
type route struct {
	pattern string // as of http.ServeMux
	handler http.Handler
}

// newRoutes is what can be asked for at a door.
func (s *Server) newRoutes(d *door) http.Handler {
	mux := http.NewServeMux()
	for _, one := range s.table(d) {
		mux.Handle(one.pattern, one.handler)
	}
	return withProblems(mux)
}

// table is every path there is. GET serves HEAD as well; whatever changes something is POST.
func (s *Server) table(d *door) []route {
	table := []route{
		{"GET " + metricsPath, http.HandlerFunc(s.metrics)},
		{"POST /-/reload", s.fallible(s.reload)},
		{"GET /api/v1/openapi.json", http.HandlerFunc(document)},
		{"GET /api/v1/version", s.fallible(s.version)},
		{"GET /api/v1/config", s.fallible(s.configuration)},
		{"GET " + eventsPath, s.fallible(s.events)},
		{"GET " + livePath, s.fallible(s.live)},
		{"GET /api/v1/services", s.fallible(s.services)},
		{"GET /api/v1/services/{service}", s.fallible(s.service)},
		{"POST /api/v1/services/{service}/metrics/{metric}", s.fallible(s.postMetric)},
		{"GET /api/v1/rollouts", s.fallible(s.rollouts)},
		{"POST /api/v1/rollouts/abort", s.fallible(s.once.wrap(s.abortAll))},
		{"GET /api/v1/rollouts/{service}", s.fallible(s.rollout)},
		{"GET /api/v1/rollouts/{service}/history", s.fallible(s.history)},
	}
	table = append(table, s.archive()...)
	table = append(table, s.dashboard(d)...)
	table = append(table, route{"POST /api/v1/drill", s.fallible(s.once.wrap(s.drill))})
	for _, path := range []string{"/-/healthy", "/healthz", "/livez"} {
		table = append(table, route{"GET " + path, http.HandlerFunc(healthy)})
	}
	for _, path := range []string{"/-/ready", "/readyz"} {
		table = append(table, route{"GET " + path, http.HandlerFunc(s.ready)})
	}
	for name, read := range commands() {
		table = append(table, route{"POST /api/v1/rollouts/{service}/" + name, s.fallible(s.once.wrap(s.command(name, read)))})
	}
	if path := s.options.TakeOverPath; path != "" {
		table = append(table, route{"POST " + path, s.fallible(s.takeOver)})
	}
	if d.links != nil {
		table = append(table, route{"GET " + linkPath, s.linkPageGet(d)}, route{"POST " + linkPath, s.linkPagePost(d)})
	}
	if d.keys == nil && s.options.Config.Profiles {
		table = append(table, s.profiles()...)
	}
	return append(table, route{"GET /api/v1", index(table)})
}

// index lists what can be asked for at a door, for people who look around.
func index(table []route) http.Handler {
	routes := make([]string, 0, len(table))
	for _, one := range table {
		routes = append(routes, one.pattern)
	}
	slices.Sort(routes)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, struct {
			Routes []string `json:"routes"`
		}{routes})
	})
}

// withProblems gives the refusals of the multiplexer (no such path, method not allowed) the shape of all others.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		verdict := &refusal{header: http.Header{}}
		handler.ServeHTTP(verdict, r)
		if allow := verdict.header.Get("Allow"); verdict.status == http.StatusMethodNotAllowed && allow != "" {
			w.Header().Set("Allow", allow)
			writeProblem(w, r, refuse(http.StatusMethodNotAllowed, "%s is not possible here; use %s", r.Method, allow))
			return
		}
		writeProblem(w, r, refuse(http.StatusNotFound, "there is nothing at this path"))
	})
}

// refusal catches what the multiplexer would answer.
type refusal struct {
	header http.Header
	status int
}

// Header is where the multiplexer names the methods that are possible.
func (f *refusal) Header() http.Header { return f.header }

// Write takes the text of the answer, which nobody reads.
func (f *refusal) Write(data []byte) (int, error) { return len(data), nil }

// WriteHeader keeps the status.
func (f *refusal) WriteHeader(status int) { f.status = status }

// fallible writes the error of a handler, which has then written nothing.
func (s *Server) fallible(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError {
			s.options.Logger.Error("admin request failed", zap.String("path", r.URL.Path), zap.Error(err))
		}
		writeProblem(w, r, p)
	})
}

// healthy says that the process answers. It depends on nothing else, so that nothing else gets the process restarted.
func healthy(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "healthy\n") }

// ready says whether the process should get traffic.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.options.Ready(); err != nil {
		writeText(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "ready\n")
}

// writeText answers people and probes.
func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// reload reads the configuration again. The old one serves on when the new one is bad.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) error {
	if s.options.Reload == nil {
		return refuse(http.StatusNotImplemented, "this process cannot reload its configuration")
	}
	before := s.options.Configuration().Loaded
	err := s.options.Reload()
	s.audit(r, "reload", err, zap.Time("before", before), zap.Time("after", s.options.Configuration().Loaded))
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	writeJSON(w, s.options.Configuration())
	return nil
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		System  string `json:"system"`
	}{s.options.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
	return nil
}

func (s *Server) configuration(w http.ResponseWriter, _ *http.Request) (err error) {
	state := s.options.Configuration()
	if s.options.Effective != nil {
		if state.Effective, err = s.options.Effective(); err != nil {
			return err
		}
	}
	writeJSON(w, state)
	return nil
}

func (s *Server) services(w http.ResponseWriter, _ *http.Request) error {
	list := []Service{} // a list in JSON also when it is empty
	for _, service := range s.options.Services() {
		list = append(list, service.filled())
	}
	writeJSON(w, struct {
		Services []Service `json:"services"`
	}{list})
	return nil
}

func (s *Server) service(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("service")
	service, known := s.options.Service(name)
	if !known {
		return s.nobody(name)
	}
	writeJSON(w, service.filled())
	return nil
}
