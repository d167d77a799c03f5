//go:build !race

package scale

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"haldane/bench/process"
)

// Targets for services of which one in share has traffic.
const (
	residentTarget = 400 << 20
	reloadTarget   = 3 * time.Second // of the processor: on a busy machine the clock says nothing
	// noise is what the target of a reload is multiplied by: on a busy machine the caches are cold.
	noise = 2
	// scrapes are made one after the other, and scrapeMost is what each takes of the processor at most.
	scrapes, scrapeMost = 3, 3 * time.Second
	// scraped is the most after them: garbage is collected when there is as much of it again as there is else.
	scraped = residentTarget * 5 / 4
)

// TestManyServices loads them, lets a part of them have traffic, and reloads all of them. Waiting is shown and not held: it is by the clock,
// which says nothing on a machine that other tests share; "make bench" measures it.
func TestManyServices(t *testing.T) {
	origin := serveOrigin(t)
	p := process.Start(t, process.Options{Binary: process.Build(t), Config: configuration(origin), Patience: 5 * time.Minute})
	t.Logf("loaded: %d MiB resident, %v of CPU", p.Resident(t)>>20, p.Processor(t))
	c := dial(t, p.Address)
	for user := range 5 {
		for i := 0; i < services; i += share {
			c.get(i, user)
		}
	}
	t.Logf("with traffic on one in %d: %d MiB resident", share, p.Resident(t)>>20)
	for range 2 {
		calm := waits(c, time.After(time.Second))
		before, started := p.Processor(t), time.Now()
		during := waits(c, reload(t, p))
		used := p.Processor(t) - before
		t.Logf("reload: %v of CPU, requests included, %v by the clock; p99 %v, without %v; %d MiB resident",
			used, time.Since(started), during, calm, p.Resident(t)>>20)
		if used > noise*reloadTarget {
			t.Errorf("a reload takes %v of CPU, at most %v is the target", used, reloadTarget)
		}
		if resident := p.Resident(t); resident > residentTarget {
			t.Errorf("%d MiB resident, at most %d are the target", resident>>20, residentTarget>>20)
		}
	}
	scrape(t, p)
}

// scrape asks for the metrics a few times.
func scrape(t *testing.T, p *process.Process) {
	for range scrapes {
		before := p.Processor(t)
		page := p.Page(t, "/metrics")
		used, resident := p.Processor(t)-before, p.Resident(t)
		t.Logf("a scrape: %d MiB, %v of CPU; %d MiB resident", len(page)>>20, used, resident>>20)
		if used > scrapeMost {
			t.Errorf("a scrape takes %v of CPU, at most %v are expected", used, scrapeMost)
		}
		if resident > scraped {
			t.Errorf("%d MiB resident after a scrape, at most %d are expected", resident>>20, scraped>>20)
		}
	}
}

// reload makes the process reload its configuration, and says when it has.
func reload(t testing.TB, p *process.Process) (done <-chan time.Time) {
	t.Helper()
	socket := filepath.Join(filepath.Dir(p.Config), "state", "haldane.sock")
	c := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	ended := make(chan time.Time, 1)
	go func() {
		defer close(ended)
		response, err := c.Post("http://haldane/-/reload", "application/json", nil)
		if err != nil {
			t.Error(err)
			return
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Error("reload: ", response.Status)
		}
	}()
	return ended
}

// waits sends one request after the other until something is done, and says what the 99th percentile of their times is.
func waits(c *client, done <-chan time.Time) (p99 time.Duration) {
	var all []time.Duration
	for i := 0; ; i++ {
		select {
		case <-done:
			slices.Sort(all)
			return all[len(all)*99/100]
		default:
			all = append(all, c.get(i*share%services, i%100))
			time.Sleep(time.Millisecond) // a pace, not a wait: requests that come at once would be most of the CPU
		}
	}
}
