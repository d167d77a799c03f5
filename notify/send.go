package notify

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"haldane/config"
	"haldane/webhook"
)

// send makes one attempt.
func (w *worker) send(ctx context.Context, m *message, now time.Time) webhook.Answer {
	ctx, cancel := context.WithTimeout(ctx, w.door.timeout)
	defer cancel()
	request, err := w.request(m, now)
	if err != nil {
		return webhook.Answer{Err: webhook.WithoutURL(err)}
	}
	return webhook.Post(ctx, w.client, request, now)
}

// request is a message as the target reads it.
func (w *worker) request(m *message, now time.Time) (*webhook.Message, error) {
	request := &webhook.Message{URL: w.door.url, ContentType: "application/json", Secret: w.door.secret}
	m = w.linked(m, now)
	var err error
	switch w.door.kind {
	case config.TargetSlack:
		request.Body, err = slack(m)
	case config.TargetTeams:
		request.Body, err = teams(m)
	case config.TargetAlertmanager:
		request.Body, err = alertmanager(m)
		request.URL, err = withPath(request.URL, alertsPath, err)
	default:
		request.Body, err = cloudEvent(m, w.source)
		request.ContentType = "application/cloudevents+json; charset=UTF-8"
	}
	if err != nil {
		return nil, fmt.Errorf("write a notification: %w", err)
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
