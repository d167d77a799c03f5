package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"haldane/config"
)

// faultPath is where a sample says how it treats its requests, and is told.
const faultPath = "/-/fault"

// Sample is one version of a service to try Haldane with, in a process of its own.
type Sample struct {
	// Name is what it answers: "hello from <name>".
	Name string
	// Listen is the TCP address it answers at, such as ":9001".
	Listen string
	// Errors is the share of requests that it fails at first. Default (zero) none.
	Errors config.Percent
	// Latency is added to every answer at first. Default (zero) none.
	Latency time.Duration
}

// Run answers until the context ends. It returns an error when the address cannot be used.
func (s Sample) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("open the address of the sample %s: %w", s.Name, err)
	}
	b := &backend{name: s.Name, listener: listener}
	b.server = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second}
	return b.serve(ctx)
}

// handler answers requests, and those to faultPath by doing as they say from then on.
func (s Sample) handler() http.Handler {
	var how atomic.Pointer[behaviour]
	how.Store(&behaviour{errors: s.Errors.Ratio(), latency: s.Latency})
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+faultPath, func(w http.ResponseWriter, _ *http.Request) { say(w, *how.Load()) })
	mux.HandleFunc("POST "+faultPath, func(w http.ResponseWriter, r *http.Request) {
		next, err := readFault(r, *how.Load())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		how.Store(&next)
		say(w, next)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { answer(s.Name, *how.Load())(w, r) })
	return mux
}

// readFault is the behaviour that a request asks for with the values errors and latency; what it does not name stays.
func readFault(r *http.Request, how behaviour) (behaviour, error) {
	values, err := readValues(r)
	if err != nil {
		return how, err
	}
	if text, named := values["errors"]; named {
		share, err := config.ParsePercent(text)
		if err != nil {
			return how, fmt.Errorf("errors: %w", err)
		}
		how.errors = share.Ratio()
	}
	if text, named := values["latency"]; named {
		latency, err := config.ParseDuration(text)
		if err != nil {
			return how, fmt.Errorf("latency: %w", err)
		}
		if latency < 0 {
			return how, errors.New("latency: it cannot be negative")
		}
		how.latency = time.Duration(latency)
	}
	return how, nil
}

// readValues reads the query and the body as a form, in which a percent sign may stand for itself: curl -d errors=30% sends it so.
func readValues(r *http.Request) (map[string]string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	values := map[string]string{}
	for _, pair := range strings.Split(r.URL.RawQuery+"&"+string(body), "&") {
		name, text, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(text); err == nil {
			text = plain
		}
		switch name {
		case "errors", "latency":
			values[name] = text
		case "":
		default:
			return nil, fmt.Errorf("%q is neither errors nor latency", name)
		}
	}
	return values, nil
}

// say is how a sample treats its requests, in words.
func say(w http.ResponseWriter, how behaviour) {
	fmt.Fprintf(w, "fails %.4g %% of its requests and waits %v before each answer\n", how.errors*100, how.latency)
}

// Load is a paced load on a service, from a process of its own.
type Load struct {
	// Address is where the service is reached, such as "127.0.0.1:8080".
	Address string
	// Rate is the number of requests a second. Default (zero) 100.
	Rate int
}

// Run sends requests until the context ends.
func (l Load) Run(ctx context.Context) error {
	if l.Rate == 0 {
		l.Rate = 100
	}
	return newLoad(l.Address, l.Rate).run(ctx)
}
