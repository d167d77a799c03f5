package admin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/rollout"
)

// Totals of a business metric are handed over as they were posted; what stands in their way is told.
func TestPostMetric(t *testing.T) {
	var got rollout.Post
	var fail error
	f := newFake()
	o := options(f)
	seen := make(map[string]bool)
	o.PostMetric = func(service string, p rollout.Post) (bool, error) {
		if fail != nil {
			return false, fmt.Errorf("service %q: %w", service, fail)
		}
		got = p
		again := seen[p.Key]
		seen[p.Key] = p.Key != ""
		return again, nil
	}
	s := serve(t, o)
	const path = "/api/v1/services/shop/metrics/orders"
	for _, c := range []struct {
		body, key string
		want      rollout.Post
		answer    string
	}{
		{`{"variant":"v2","good":36,"total":1000}`, "", rollout.Post{Metric: "orders", Variant: "v2", Good: 36, Total: 1000}, `{"taken":true}`},
		{`{"variant":"v1","sum":12.5,"count":3}`, "k", rollout.Post{Metric: "orders", Variant: "v1", Sum: 12.5, Count: 3, Key: "k"}, `{"taken":true}`},
		{`{"variant":"v1","sum":12.5,"count":3}`, "k", rollout.Post{Metric: "orders", Variant: "v1", Sum: 12.5, Count: 3, Key: "k"}, `{"taken":false}`},
	} {
		fields := []string{bearer}
		if c.key != "" {
			fields = append(fields, "Idempotency-Key: "+c.key)
		}
		answer := s.do(http.MethodPost, path, c.body, fields...)
		if diff := cmp.Diff(c.want, got); diff != "" || answer.status != 200 || strings.TrimSpace(answer.body) != c.answer {
			t.Errorf("%s: %d %s\n%s", c.body, answer.status, answer.body, diff)
		}
	}
	for _, c := range []struct {
		body   string
		fail   error
		status int
	}{
		{`{"variant":"v2","good":-1,"total":10}`, nil, 400},
		{`{"variant":"v2","good":1.5,"total":10}`, nil, 400},
		{`{"variant":"v2","better":1}`, nil, 400},
		{`{}`, rollout.ErrBadCommand, 400},
		{`{}`, rollout.ErrNotJudged, 409},
		{`{}`, rollout.ErrUnknown, 404},
	} {
		fail = c.fail
		if answer := s.post(path, c.body); answer.status != c.status {
			t.Errorf("%s with %v: %d %s", c.body, c.fail, answer.status, answer.body)
		}
	}
	if answer := s.do(http.MethodPost, path, `{}`, "Idempotency-Key: "+strings.Repeat("x", 201), bearer); answer.status != 400 {
		t.Errorf("a long key: %d", answer.status)
	}
	if answer := s.do(http.MethodPost, path, `{}`); answer.status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", answer.status)
	}
	if answer := s.get(path); answer.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", answer.status)
	}
}
