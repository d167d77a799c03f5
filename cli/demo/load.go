package demo

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// workers is the number of requests in flight at the most.
const workers = 64

// load sends paced requests through the proxy and counts the answers of each version. It is open: a slow answer does not
// slow the next request down, as with real users.
type load struct {
	url    string
	rate   int // requests per second
	client *http.Client
	counts map[string]*count // by variant; fixed once the load runs
	missed atomic.Uint64     // requests that got no answer at all
}

// count is what clients saw of one version.
type count struct{ answers, failures atomic.Uint64 }

// newLoad prepares a load on a proxy address for the named variants.
func newLoad(address string, rate int, variants ...string) *load {
	l := &load{
		url:    "http://" + address + "/",
		rate:   rate,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}, Timeout: 10 * time.Second},
		counts: make(map[string]*count),
	}
	for _, name := range variants {
		l.counts[name] = &count{}
	}
	return l
}

// run sends until the context ends.
func (l *load) run(ctx context.Context) error {
	defer l.client.CloseIdleConnections()
	var group sync.WaitGroup
	defer group.Wait()
	tokens := make(chan struct{}, workers)
	defer close(tokens)
	for range workers {
		group.Go(func() {
			for range tokens {
				l.send(ctx)
			}
		})
	}
	ticker := time.NewTicker(time.Second / time.Duration(l.rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			select {
			case tokens <- struct{}{}:
			default: // every worker is waiting for an answer
				l.missed.Add(1)
			}
		}
	}
}

// send makes one request and books the answer on the version that the proxy names.
func (l *load) send(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return
	}
	response, err := l.client.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			l.missed.Add(1)
		}
		return
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	c, ok := l.counts[response.Header.Get(variantField)]
	if !ok {
		l.missed.Add(1)
		return
	}
	c.answers.Add(1)
	if response.StatusCode >= 500 {
		c.failures.Add(1)
	}
}
