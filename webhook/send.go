package webhook

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
)

const (
	// answerLongest is how much of an answer is read.
	answerLongest = 4 << 10
	// retryLongest bounds how long a receiver can have itself left alone.
	retryLongest = time.Hour
)

// Message is what is sent.
type Message struct {
	// URL is where to, ContentType what Body is.
	URL, ContentType string
	Body             []byte
	// Secret is the key of the signature; empty for none.
	Secret string
	// Key, where it is not empty, is the same when the same thing is sent again, in the field Idempotency-Key.
	Key string
}

// Answer is what came of one attempt.
type Answer struct {
	// Err is nil for an answer 2xx. It shows no URL.
	Err error
	// Again says whether another attempt may end better; After is how long the receiver wants to be left alone, zero for what we like.
	Again bool
	After time.Duration
	// Silent says that there was no answer of the receiver itself: none at all, or that of a proxy in front of it.
	Silent bool
	// Text is the beginning of the body.
	Text string
}

// Post makes one attempt, for as long as the context lasts.
func Post(ctx context.Context, client *http.Client, m *Message, now time.Time) Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return Answer{Err: WithoutURL(err), Silent: true}
	}
	request.Header.Set("Content-Type", m.ContentType)
	request.Header.Set("User-Agent", "Haldane")
	if m.Key != "" {
		request.Header.Set("Idempotency-Key", m.Key)
	}
	if m.Secret != "" {
		request.Header.Set(SignatureField, Sign(m.Secret, now, m.Body))
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{Err: WithoutURL(err), Again: true, Silent: true}
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, answerLongest)) // so that the connection can be used again
	answer := meaning(response, now)
	answer.Text = string(body)
	return answer
}

// meaning is what the head of an answer says.
func meaning(response *http.Response, now time.Time) Answer {
	status := response.StatusCode
	if status/100 == 2 {
		return Answer{}
	}
	answer := Answer{Err: fmt.Errorf("the target answered %d", status)}
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		answer.Again = true
		answer.After = retryAfter(response.Header.Get("Retry-After"), now)
	}
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		answer.Silent = true
	}
	return answer
}

// NewClient makes the client for one address. Redirections are not followed: what is sent is for the one it was configured for.
func NewClient(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout,
			MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// WithoutURL is the error without the URL that net/http and net/url put in front: it is a secret.
func WithoutURL(err error) error {
	var shown *url.Error
	if errors.As(err, &shown) {
		return WithoutURL(shown.Err)
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
