package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"haldane/config"
)

const (
	// answerLongest is how much of an answer is read. Nothing in it is used.
	answerLongest = 4 << 10
	// retryLongest bounds how long a target can have itself left alone.
	retryLongest = time.Hour
)

// answer is what came of one attempt.
type answer struct {
	err   error         // nil for taken; it shows no URL
	again bool          // whether another attempt may end better
	after time.Duration // how long the target wants to be left alone; zero for what we like
}

// newClient makes the client of one target. Redirections are not followed: what is sent is for the one it was configured for.
func newClient(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout,
			MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send makes one attempt.
func (w *worker) send(ctx context.Context, m *message, now time.Time) answer {
	ctx, cancel := context.WithTimeout(ctx, w.door.timeout)
	defer cancel()
	request, err := w.request(ctx, m, now)
	if err != nil {
		return answer{err: withoutURL(err)}
	}
	response, err := w.client.Do(request)
	if err != nil {
		return answer{err: withoutURL(err), again: true}
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, answerLongest) // so that the connection can be used again
	switch status := response.StatusCode; {
	case status/100 == 2:
		return answer{}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return answer{
			err: fmt.Errorf("the target answered %d", status), again: true,
			after: retryAfter(response.Header.Get("Retry-After"), now),
		}
	default:
		return answer{err: fmt.Errorf("the target answered %d", status)}
	}
}

// request is a message as the target reads it.
func (w *worker) request(ctx context.Context, m *message, now time.Time) (*http.Request, error) {
	address, kind := w.door.url, "application/json"
	var body []byte
	var err error
	switch w.door.kind {
	case config.TargetSlack:
		body, err = slack(m)
	case config.TargetTeams:
		body, err = teams(m)
	case config.TargetAlertmanager:
		body, err = alertmanager(m)
		address, err = withPath(address, alertsPath, err)
	default:
		body, err = cloudEvent(m, w.source)
		kind = "application/cloudevents+json; charset=UTF-8"
	}
	if err != nil {
		return nil, fmt.Errorf("write a notification: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("User-Agent", "Haldane")
	if w.door.secret != "" {
		request.Header.Set(SignatureField, Sign(w.door.secret, now, body))
	}
	return request, nil
}

// withPath adds to the path of a URL, unless something went wrong before.
func withPath(address, path string, before error) (string, error) {
	if before != nil {
		return "", before
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	return u.JoinPath(path).String(), nil
}

// withoutURL is the error without the URL that net/http and net/url put in front: it is a secret.
func withoutURL(err error) error {
	var shown *url.Error
	if errors.As(err, &shown) {
		return withoutURL(shown.Err)
	}
	return err
}

// retryAfter reads the field (RFC 9110 section 10.2.3): seconds, or a date. What is neither is zero.
func retryAfter(field string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(field, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, retryLongest)
	}
	if date, err := http.ParseTime(field); err == nil {
		return max(0, min(date.Sub(now), retryLongest))
	}
	return 0
}
