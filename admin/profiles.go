package admin

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"time"
)

const (
	// profileTime is how long a profile over time lasts when nothing is said, profileLongest the most.
	profileTime    = 10 * time.Second
	profileLongest = 5 * time.Minute
	// blockRate samples a goroutine that waited this many nanoseconds on average (runtime.SetBlockProfileRate).
	blockRate = 10_000
	// mutexRate samples one of so many waits for a lock (runtime.SetMutexProfileFraction).
	mutexRate = 10
)

// profiles are Go's profiles, in the format of go tool pprof. net/http/pprof is not used: it puts itself on the default
// multiplexer and brings templates into the binary.
func (s *Server) profiles() []route {
	return []route{
		{"GET /debug/pprof/profile", s.fallible(s.recorded(pprof.StartCPUProfile, pprof.StopCPUProfile))},
		{"GET /debug/pprof/trace", s.fallible(s.recorded(trace.Start, trace.Stop))},
		{"GET /debug/pprof/block", s.fallible(s.sampled("block", func() func() {
			runtime.SetBlockProfileRate(blockRate)
			return func() { runtime.SetBlockProfileRate(0) }
		}))},
		{"GET /debug/pprof/mutex", s.fallible(s.sampled("mutex", func() func() {
			before := runtime.SetMutexProfileFraction(mutexRate)
			return func() { runtime.SetMutexProfileFraction(before) }
		}))},
		{"GET /debug/pprof/heap", s.fallible(snapshot("heap"))},
		{"GET /debug/pprof/allocs", s.fallible(snapshot("allocs"))},
		{"GET /debug/pprof/goroutine", s.fallible(snapshot("goroutine"))},
	}
}

// snapshot answers with a profile of this moment. debug=1 and debug=2 write it as text.
func snapshot(name string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		debug := 0
		if text := r.URL.Query().Get("debug"); text != "" {
			var err error
			if debug, err = strconv.Atoi(text); err != nil || debug < 0 || debug > 2 {
				return refuse(http.StatusBadRequest, "debug: write 0, 1 or 2")
			}
		}
		kind := "application/octet-stream"
		if debug > 0 {
			kind = "text/plain; charset=utf-8"
		}
		w.Header().Set("Content-Type", kind)
		_ = pprof.Lookup(name).WriteTo(w, debug) // the client may have gone
		return nil
	}
}

// recorded answers with what is recorded from now on.
func (s *Server) recorded(start func(io.Writer) error, stop func()) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.overTime(w, r, func(wait func()) error {
			if err := start(w); err != nil {
				return refuse(http.StatusConflict, "%v", err)
			}
			defer stop()
			wait()
			return nil
		})
	}
}

// sampled answers with a profile that costs something as long as it is switched on: only while somebody waits for it.
func (s *Server) sampled(name string, enable func() (disable func())) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.overTime(w, r, func(wait func()) error {
			disable := enable()
			wait()
			disable()
			_ = pprof.Lookup(name).WriteTo(w, 0) // the client may have gone
			return nil
		})
	}
}

// overTime runs one profile at a time, for as long as the request says (seconds=), or until the client or the process goes.
func (s *Server) overTime(w http.ResponseWriter, r *http.Request, profile func(wait func()) error) error {
	length, err := profileLength(r)
	if err != nil {
		return err
	}
	if !s.profiling.TryLock() {
		return refuse(http.StatusConflict, "another profile is being taken; there is one at a time")
	}
	defer s.profiling.Unlock()
	control := http.NewResponseController(w)
	err = errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Now().Add(length+writeTimeout)))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	return profile(func() {
		timer := time.NewTimer(length)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		case <-s.hub.done:
		}
	})
}

// profileLength reads seconds=.
func profileLength(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("seconds")
	if text == "" {
		return profileTime, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 || seconds > int(profileLongest/time.Second) {
		return 0, refuse(http.StatusBadRequest, "seconds: write a whole number from 1 to %d", int(profileLongest/time.Second))
	}
	return time.Duration(seconds) * time.Second, nil
}
