package hooks

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"haldane/rollout"
	"haldane/webhook"
)

const (
	// backoffLeast and backoffMost bound the time between two attempts.
	backoffLeast = time.Second
	backoffMost  = 30 * time.Second
	// textLongest bounds what is shown of an answer, in characters.
	textLongest = 200
)

// task is something on its way to a hook.
type task struct {
	key    key
	id     string
	door   *door
	body   []byte
	cancel context.CancelFunc
	// question is what is asked; nil for an event.
	question *rollout.Question

	answer rollout.HookAnswer
	text   string
}

// run makes attempts until there is an answer, or none for too long.
func (t *task) run(ctx context.Context, least time.Duration) {
	for try := 0; ; try++ {
		last := t.attempt(ctx)
		t.answer, t.text = means(last)
		if !last.Silent || try >= t.door.retries || ctx.Err() != nil {
			return
		}
		timer := time.NewTimer(max(min(least<<try, backoffMost), min(last.After, backoffMost)))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// attempt is one POST.
func (t *task) attempt(ctx context.Context) webhook.Answer {
	ctx, cancel := context.WithTimeout(ctx, t.door.timeout)
	defer cancel()
	return webhook.Post(ctx, t.door.client, &webhook.Message{
		URL: t.door.target.URL, ContentType: "application/json", Body: t.body, Secret: t.door.target.Secret, Key: t.id,
	}, time.Now())
}

// means is an answer as a rollout knows it.
func means(a webhook.Answer) (rollout.HookAnswer, string) {
	text := webhook.Plain(a.Text, textLongest)
	switch {
	case a.Err == nil:
		return rollout.HookYes, text
	case text == "":
		text = webhook.Plain(a.Err.Error(), textLongest)
	default:
		text = fmt.Sprintf("%s: %s", webhook.Plain(a.Err.Error(), textLongest), text)
	}
	if a.Silent {
		return rollout.HookSilent, text
	}
	return rollout.HookRefused, text
}

// fields are the task in a line of the log.
func (t *task) fields() []zap.Field {
	return []zap.Field{
		zap.String("service", t.key.service), zap.String("hook", t.key.name), zap.String("point", t.key.point),
		zap.String("answer", string(t.answer)), zap.String("text", t.text),
	}
}
