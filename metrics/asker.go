package metrics

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"haldane/config"
	"haldane/rollout"
)

const (
	// lookEvery is how often it is looked which questions are due.
	lookEvery = time.Second
	// parallel bounds the questions that are asked at the same time.
	parallel = 4
)

// Rollouts want answers. *rollout.Manager is one.
type Rollouts interface {
	// Queries are what is to be asked now.
	Queries() []rollout.Query
	// Read takes what was read.
	Read(rollout.Query, rollout.Reading)
}

// Options is what an Asker works with. Both are required.
type Options struct {
	// Rollouts want answers.
	Rollouts Rollouts
	// Logger hears when a question begins to fail, and when it is answered again.
	Logger *zap.Logger
}

// Asker asks a Prometheus.
type Asker struct {
	options  Options
	client   *http.Client
	settings atomic.Pointer[config.Prometheus]

	asked, failed atomic.Uint64 // questions, and those without an answer

	mu    sync.Mutex
	known map[key]*state // guarded by mu
}

// key is a question, whatever its details are.
type key struct{ service, rollout, metric string }

// state is what is kept of a question.
type state struct {
	asked   time.Time // when it was asked last
	asking  bool
	problem string
	check   config.MetricCheck // of before
	before  *counters          // nil for none
}

// New makes an Asker that knows no Prometheus. It starts nothing.
func New(o Options) *Asker {
	a := &Asker{options: o, known: make(map[key]*state)}
	a.client = &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: parallel, IdleConnTimeout: time.Minute},
		// Nobody else gets the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	a.settings.Store(&config.Prometheus{})
	return a
}

// Use says which Prometheus is asked from now on.
func (a *Asker) Use(p config.Prometheus) { a.settings.Store(&p) }

// Numbers are how many questions were asked, and how many of them had no answer, in the life of the process.
func (a *Asker) Numbers() (asked, failed uint64) { return a.asked.Load(), a.failed.Load() }

// Run asks until the context is done, and then waits for what is under way. It may be called again.
func (a *Asker) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer a.client.CloseIdleConnections()
	defer group.Wait()
	turns := make(chan struct{}, parallel)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		for _, q := range a.due(time.Now()) {
			group.Go(func() {
				select {
				case turns <- struct{}{}:
					a.ask(ctx, q)
					<-turns
				case <-ctx.Done():
				}
				a.done(q)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// due are the questions that are to be asked now; they count as asked. What is no question any more is forgotten.
func (a *Asker) due(now time.Time) []rollout.Query {
	questions := a.options.Rollouts.Queries()
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []rollout.Query
	open := make(map[key]bool, len(questions))
	for _, q := range questions {
		k := keyOf(&q)
		open[k] = true
		s := a.known[k]
		if s == nil || s.check != q.Check {
			s = &state{check: q.Check}
			a.known[k] = s
		}
		if s.asking || now.Sub(s.asked) < time.Duration(q.Check.Every) {
			continue
		}
		s.asking, s.asked = true, now
		list = append(list, q)
	}
	for k, s := range a.known {
		if !open[k] && !s.asking {
			delete(a.known, k)
		}
	}
	return list
}

func keyOf(q *rollout.Query) key { return key{q.Service, q.Rollout, q.Metric} }

// done lets a question be asked again.
func (a *Asker) done(q rollout.Query) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.known[keyOf(&q)]; s != nil {
		s.asking = false
	}
}

// ask asks one question and hands the answer over.
func (a *Asker) ask(ctx context.Context, q rollout.Query) {
	settings := a.settings.Load()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(settings.Timeout))
	defer cancel()
	a.asked.Add(1)
	answer, now, err := a.answer(ctx, &q)
	if errors.Is(err, context.Canceled) {
		return // the process stops: nothing is wrong with the answer
	}
	if err != nil {
		a.failed.Add(1)
		answer = rollout.Reading{Problem: "Prometheus: " + err.Error()}
	}
	if a.take(&q, now, &answer) {
		a.options.Rollouts.Read(q, answer)
	}
}

// answer asks all queries of a question for the same moment.
func (a *Asker) answer(ctx context.Context, q *rollout.Query) (rollout.Reading, *counters, error) {
	at := time.Now()
	var answer rollout.Reading
	var now counters
	ratio := q.Check.Kind == config.KindRatio
	for _, one := range []struct {
		query, variant string
		wanted         bool
		into           *float64
	}{
		{q.Check.Query, q.Canary, !ratio, &answer.CanaryValue},
		{q.Check.Query, q.Stable, !ratio, &answer.StableValue},
		{q.Check.Total, q.Canary, ratio, &now.canaryTotal},
		{q.Check.Good, q.Canary, ratio, &now.canaryGood},
		{q.Check.Total, q.Stable, ratio, &now.stableTotal},
		{q.Check.Good, q.Stable, ratio, &now.stableGood},
	} {
		if !one.wanted {
			continue
		}
		value, err := a.query(ctx, place(one.query, q.Service, one.variant), at)
		if err != nil {
			return rollout.Reading{}, nil, err
		}
		*one.into = value
	}
	if !ratio {
		return answer, nil, nil
	}
	return answer, &now, nil
}

// take makes counters the differences since the answer before, and says whether the question is still open.
func (a *Asker) take(q *rollout.Query, now *counters, answer *rollout.Reading) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.known[keyOf(q)]
	if s == nil || s.check != q.Check {
		return false
	}
	if s.problem != answer.Problem {
		a.tell(q, answer.Problem)
	}
	s.problem = answer.Problem
	if now != nil {
		answer.Canary, answer.Stable = now.since(s.before)
		s.before = now
	}
	return true
}

// tell logs that a question begins to fail in another way, or fails no more.
func (a *Asker) tell(q *rollout.Query, problem string) {
	fields := []zap.Field{zap.String("service", q.Service), zap.String("metric", q.Metric)}
	if problem == "" {
		a.options.Logger.Info("a business metric is answered again", fields...)
		return
	}
	a.options.Logger.Warn("a business metric has no answer", append(fields, zap.String("problem", problem))...)
}
