package admin

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"haldane/rollout"
)

// postMetric takes totals of a business metric: {"variant": "v2", "good": 36, "total": 1000} for a ratio, {"variant": "v2", "sum":
// 1234.5, "count": 100} for a mean. A request that is repeated with the same Idempotency-Key is taken once.
func (s *Server) postMetric(w http.ResponseWriter, r *http.Request) error {
	if s.options.PostMetric == nil {
		return refuse(http.StatusNotImplemented, "this process takes no metrics")
	}
	var body struct {
		Variant string  `json:"variant"`
		Good    uint64  `json:"good"`
		Total   uint64  `json:"total"`
		Sum     float64 `json:"sum"`
		Count   uint64  `json:"count"`
	}
	if err := decode(r, &body); err != nil {
		return err
	}
	service, key := r.PathValue("service"), r.Header.Get(keyField)
	if p := checkKey(key); p != nil {
		return p
	}
	again, err := s.options.PostMetric(service, rollout.Post{
		Metric: r.PathValue("metric"), Variant: body.Variant, Good: body.Good, Total: body.Total, Sum: body.Sum, Count: body.Count, Key: key,
	})
	s.audit(r, "post metric", err, zap.String("service", service), zap.String("metric", r.PathValue("metric")),
		zap.String("variant", body.Variant), zap.Bool("again", again))
	switch {
	case errors.Is(err, rollout.ErrBadCommand):
		return refuse(http.StatusBadRequest, "%v", err)
	case errors.Is(err, rollout.ErrNotJudged):
		return refuse(http.StatusConflict, "%v", err)
	case err != nil:
		return s.explain(service, err)
	}
	writeJSON(w, struct {
		Taken bool `json:"taken"`
	}{!again})
	return nil
}
