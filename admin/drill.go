package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"haldane/config"
)

// ErrDrilling says that a drill is under way already: there is one at a time. Test for it with errors.Is.
var ErrDrilling = errors.New("a drill is under way")

// DrillOrder asks for a drill. What is zero is left to the process.
type DrillOrder struct {
	// Service is whose policy is tried. Empty: the built-in policy careful.
	Service string
	// Weight is the share of the drill's requests that go to its canary. Zero: the first weight of the policy's steps.
	Weight config.Percent
	// Errors is the share of them that fail. Zero: all.
	Errors config.Percent
	// Rate is the drill's requests a second, up to DrillMostRate. Zero: 200.
	Rate int
	// Actor is who, Reason is why.
	Actor, Reason string
}

// DrillMostRate and DrillLongest bound a drill.
const (
	DrillMostRate = 1000
	// DrillLongest is how long it waits for a rollback.
	DrillLongest = 25 * time.Second
)

// Drill is what a drill has measured.
type Drill struct {
	// Service is whose policy was tried, Policy its name.
	Service string `json:"service,omitempty"`
	Policy  string `json:"policy"`
	// Weight, Errors and Rate are as they were played.
	Weight config.Percent `json:"weight"`
	Errors config.Percent `json:"errors"`
	Rate   int            `json:"requests_per_second"`
	// RolledBack says whether it came to a rollback in time; Trigger and Rule say by what.
	RolledBack bool   `json:"rolled_back"`
	Trigger    string `json:"trigger,omitempty"`
	Rule       string `json:"rule,omitempty"`
	// Requests is how many were sent, Canary how many of them came to the canary, Failures how many it failed.
	Requests uint64 `json:"requests"`
	Canary   uint64 `json:"canary_requests"`
	Failures uint64 `json:"failures"`
	// Exposed is the time from the first request on the canary until it failed for the first time.
	Exposed config.Duration `json:"until_failure"`
	// Verdict, Revocation and Last are the times from the first failure: until the decision, until no request could be assigned to
	// the canary any more, and until the last request came to it. Zero when it did not come to that.
	Verdict    config.Duration `json:"until_verdict"`
	Revocation config.Duration `json:"until_revocation"`
	Last       config.Duration `json:"until_last_request"`
	// After is how many requests came to the canary later than 50 ms after the revocation; each of them is a bug.
	After uint64 `json:"after_revocation"`
}

// drill plays a synthetic failure through the real machinery, on a service that nobody uses, and says how long the rollback took.
func (s *Server) drill(w http.ResponseWriter, r *http.Request) error {
	order, err := readDrill(r)
	if err != nil {
		return err
	}
	if s.options.Drill == nil {
		return refuse(http.StatusNotImplemented, "this process has no drills")
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(DrillLongest + writeTimeout)); err != nil {
		return refuse(http.StatusInternalServerError, "give a drill its time: %v", err)
	}
	result, err := s.options.Drill(r.Context(), order)
	s.audit(r, "drill", err, zap.String("service", order.Service), zap.String("actor", order.Actor), zap.String("reason", order.Reason),
		zap.Bool("rolled_back", result.RolledBack))
	switch {
	case errors.Is(err, ErrDrilling):
		return refuse(http.StatusConflict, "%v", err)
	case errors.Is(err, context.Canceled):
		return nil // nobody is there to be told
	case err != nil:
		return refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	writeJSON(w, result)
	return nil
}

func readDrill(r *http.Request) (DrillOrder, error) {
	var body struct {
		signature
		Service string `json:"service"`
		Weight  string `json:"weight"`
		Errors  string `json:"errors"`
		Rate    int    `json:"rate"`
	}
	if err := decode(r, &body); err != nil {
		return DrillOrder{}, err
	}
	signed, err := body.command("") // for the bounds of what is signed
	if err != nil {
		return DrillOrder{}, err
	}
	o := DrillOrder{Service: body.Service, Rate: body.Rate, Actor: signed.Actor, Reason: signed.Reason}
	for _, part := range []struct {
		name, text string
		into       *config.Percent
	}{{"weight", body.Weight, &o.Weight}, {"errors", body.Errors, &o.Errors}} {
		if part.text == "" {
			continue
		}
		if *part.into, err = config.ParsePercent(part.text); err != nil || *part.into == 0 {
			return o, refuse(http.StatusBadRequest, "%s: %q is no share above 0", part.name, part.text)
		}
	}
	if o.Rate < 0 || o.Rate > DrillMostRate {
		return o, refuse(http.StatusBadRequest, "rate: %d is no number from 1 to %d", o.Rate, DrillMostRate)
	}
	return o, nil
}
