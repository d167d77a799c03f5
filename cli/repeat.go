package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	// attemptsMost is how often an order is sent whose answer was lost.
	attemptsMost = 4
	// attemptWait is the wait before the second attempt; it doubles with each one.
	attemptWait = 300 * time.Millisecond
)

// lostError is an answer that did not come although the request may have arrived.
type lostError struct{ err error }

// Error is why there was no answer.
func (e *lostError) Error() string { return e.err.Error() }

// Unwrap is the same as an error.
func (e *lostError) Unwrap() error { return e.err }

// post sends an order. It has a key, by which Haldane knows it again: so it can be sent once more when the answer is lost, and is
// carried out once.
func (c *client) post(ctx context.Context, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	header := http.Header{"Idempotency-Key": {rand.Text()}}
	if o, is := body.(order); is && o.ifRevision != "" {
		header.Set("If-Match", `"`+o.ifRevision+`"`)
	}
	answer, err := c.exchange(ctx, http.MethodPost, path, header.Clone(), text)
	var lost *lostError
	if !errors.As(err, &lost) {
		return answer, err
	}
	wait := attemptWait
	for range attemptsMost - 1 {
		if !pause(ctx, wait) {
			break
		}
		wait *= 2
		var refused *answerError
		if answer, err = c.exchange(ctx, http.MethodPost, path, header.Clone(), text); err == nil || errors.As(err, &refused) {
			return answer, err
		}
	}
	return nil, fmt.Errorf("%w; the order was sent and its answer was lost: see with haldane status, or audit, whether it was carried out", lost.err)
}

// pause waits; false when it was interrupted.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// arrived says whether a request may have been received although it failed: whatever happens after a connection was made.
func arrived(err error) bool {
	var network *net.OpError
	return !errors.As(err, &network) || network.Op != "dial"
}
