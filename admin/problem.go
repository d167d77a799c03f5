package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"haldane/rollout"
)

// problem is an error answer (RFC 9457, problem details for HTTP APIs).
type problem struct {
	// Type names the kind of problem; "about:blank" adds nothing to the status.
	Type string `json:"type"`
	// Title is the same for every problem of a type.
	Title string `json:"title"`
	// Status is the status of the answer.
	Status int `json:"status"`
	// Detail says what went wrong this time, and what to do about it.
	Detail string `json:"detail,omitempty"`
	// Instance is the path that was asked for.
	Instance string `json:"instance,omitempty"`
	// Phase is the phase that stands in the way of a move. An extension of RFC 9457 section 3.2, as the one below.
	Phase string `json:"phase,omitempty"`
	// Possible lists the moves that are possible now.
	Possible []rollout.CommandKind `json:"possible,omitempty"`
	// Rollout is the state that an order was not meant for.
	Rollout *rollout.View `json:"rollout,omitempty"`

	retry time.Duration // after which another attempt makes sense; 0 says nothing about it
}

// Error makes a problem an error, so that it can be returned where it is found and written in one place.
func (p *problem) Error() string { return p.Detail }

// refuse is a problem that its status describes.
func refuse(status int, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// problemOf is the problem in an error, or one that says no more than the error does.
func problemOf(err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = refuse(http.StatusInternalServerError, "%v", err)
	}
	return p
}

// writeProblem answers with the problem.
func writeProblem(w http.ResponseWriter, r *http.Request, p *problem) {
	p.Instance = r.URL.Path
	w.Header().Set("Content-Type", "application/problem+json")
	p.setRetry(w.Header())
	if p.Rollout != nil {
		w.Header().Set("ETag", tag(p.Rollout))
	}
	w.WriteHeader(p.Status)
	// The client may have gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(p)
}

// setRetry says when to come again: in whole seconds (RFC 9110 section 10.2.3), never too early.
func (p *problem) setRetry(header http.Header) {
	if p.retry > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((p.retry+time.Second-1)/time.Second), 10))
	}
}

// writeJSON answers 200 with a value.
func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
