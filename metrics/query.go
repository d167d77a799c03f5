package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"haldane/rollout"
)

// largestAnswer bounds what is read of an answer: it is to be one number.
const largestAnswer = 1 << 20

// place puts names into a query. They are made of letters, digits, ".", "_" and "-" (config), so that nothing has to be escaped between
// double quotes.
func place(query, service, variant string) string {
	return strings.NewReplacer("$variant", variant, "$service", service).Replace(query)
}

// reply is an answer of the HTTP API of Prometheus, version 1 (prometheus.io/docs/prometheus/latest/querying/api).
type reply struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		Type   string          `json:"resultType"`
		Result json.RawMessage `json:"result"`
	} `json:"data"`
}

// query evaluates a query at a moment. The error is for people, and names no URL.
func (a *Asker) query(ctx context.Context, query string, at time.Time) (float64, error) {
	settings := a.settings.Load()
	if settings.URL == "" {
		return 0, errors.New("prometheus.url is missing")
	}
	form := url.Values{"query": {query}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		strings.TrimRight(settings.URL, "/")+"/api/v1/query", strings.NewReader(form.Encode()))
	if err != nil {
		return 0, errors.New("its URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if settings.TokenFile != "" {
		token, err := os.ReadFile(settings.TokenFile)
		if err != nil {
			return 0, fmt.Errorf("read its token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	response, err := a.client.Do(request)
	if err != nil {
		return 0, plain(err)
	}
	defer func() { _ = response.Body.Close() }() // it was read, or is of no use
	text, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("read its answer: %w", plain(err))
	case len(text) > largestAnswer:
		return 0, fmt.Errorf("its answer has more than %d bytes: the query is to give one number", largestAnswer)
	}
	return number(response.StatusCode, text)
}

// plain is an error of the HTTP client without the URL, which may hold a password.
func plain(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// number takes the one number out of an answer.
func number(status int, text []byte) (float64, error) {
	var r reply
	err := json.Unmarshal(text, &r)
	switch {
	case r.Error != "":
		return 0, fmt.Errorf("it says: %.200s", r.Error)
	case status != http.StatusOK:
		return 0, fmt.Errorf("it answers %d", status)
	case err != nil:
		return 0, fmt.Errorf("its answer cannot be read: %w", err)
	case r.Status != "success":
		return 0, fmt.Errorf("its answer has the status %.50q", r.Status)
	}
	switch r.Data.Type {
	case "scalar":
		return sample(r.Data.Result)
	case "vector":
		var series []struct {
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(r.Data.Result, &series); err != nil {
			return 0, fmt.Errorf("its answer cannot be read: %w", err)
		}
		switch len(series) {
		case 0:
			return 0, errors.New("the result is empty")
		case 1:
			return sample(series[0].Value)
		}
		return 0, fmt.Errorf("the result has %d series, where one is wanted: add sum() or the like", len(series))
	}
	return 0, fmt.Errorf("the result is a %.20s, where a number is wanted", r.Data.Type)
}

// sample is the value of [time, "value"].
func sample(text json.RawMessage) (float64, error) {
	var pair [2]json.RawMessage
	var value string
	if err := json.Unmarshal(text, &pair); err != nil {
		return 0, fmt.Errorf("its answer cannot be read: %w", err)
	}
	if err := json.Unmarshal(pair[1], &value); err != nil {
		return 0, fmt.Errorf("its answer cannot be read: %w", err)
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("the result is %.20s, which is no number", value)
	}
	return n, nil
}

// counters are the counters of a ratio at a moment.
type counters struct{ canaryGood, canaryTotal, stableGood, stableTotal float64 }

// since are the differences to an earlier moment. After a reset of any of them, and without an earlier moment, there are none: what came
// in between is lost, and nothing is counted twice.
func (c *counters) since(before *counters) (canary, stable rollout.Totals) {
	if before == nil || c.canaryGood < before.canaryGood || c.canaryTotal < before.canaryTotal ||
		c.stableGood < before.stableGood || c.stableTotal < before.stableTotal {
		return canary, stable
	}
	grown := func(now, before float64) uint64 { return uint64(math.Floor(now) - math.Floor(before)) }
	canary = rollout.Totals{Good: grown(c.canaryGood, before.canaryGood), Total: grown(c.canaryTotal, before.canaryTotal)}
	stable = rollout.Totals{Good: grown(c.stableGood, before.stableGood), Total: grown(c.stableTotal, before.stableTotal)}
	return canary, stable
}
