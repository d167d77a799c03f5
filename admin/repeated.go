package admin

import (
	"net/http"

	"go.uber.org/zap"

	"haldane/rollout"
)

// recordedMost is how many of the latest orders are looked at for a key that this process does not know.
const recordedMost = 100

// repeats looks for an order in the stored audit: a process that was there before, or whose place this one took, may have carried
// it out and not have come to answer. What cannot be read stops no order.
func (s *Server) repeats(service string, order *rollout.Command) (bool, error) {
	if order.Key == "" {
		return false, nil
	}
	entries, err := s.options.Archive.Audit(recordedMost)
	if err != nil {
		s.options.Logger.Warn("the audit cannot be read, so that an order may be a repetition", zap.Error(err))
		return false, nil
	}
	for i := range entries {
		e := &entries[i]
		if e.Key != order.Key || e.Service != service {
			continue
		}
		if e.Command != order.Kind {
			return false, refuse(http.StatusUnprocessableEntity, "%s: this key was sent with another order; every order has a key of its own", keyField)
		}
		return true, nil
	}
	return false, nil
}
