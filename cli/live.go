package cli

import (
	"context"
	"fmt"
	"time"

	"haldane/admin"
	"haldane/config"
)

// traffic is what a service is asked.
type traffic struct {
	rate   float64 // requests a second
	errors float64 // stable's share of failed requests
}

// serviceList is the answer of /api/v1/services.
type serviceList struct {
	Services []admin.Service `json:"services"`
}

// live looks at the running process twice and says what its services are asked in between.
func (c *connection) live(ctx context.Context, over time.Duration) (map[string]traffic, error) {
	api, err := c.open()
	if err != nil {
		return nil, err
	}
	defer api.close()
	before, err := api.services(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("look at the traffic: %w", ctx.Err())
	case <-time.After(over):
	}
	after, err := api.services(ctx)
	if err != nil {
		return nil, err
	}
	return measured(before, after, time.Since(began)), nil
}

func (c *client) services(ctx context.Context) (*serviceList, error) {
	answer, err := c.get(ctx, "/api/v1/services")
	if err != nil {
		return nil, err
	}
	list := &serviceList{}
	return list, c.decode(answer, list)
}

// measured is the traffic between two looks. How often stable fails is taken from all requests since the start of the process,
// because a few seconds say little about a few in a thousand.
func measured(before, after *serviceList, elapsed time.Duration) map[string]traffic {
	was := map[string]uint64{}
	for _, s := range before.Services {
		for _, v := range s.Variants {
			was[s.Name] += v.Requests
		}
	}
	all := map[string]traffic{}
	for _, s := range after.Services {
		var requests uint64
		var t traffic
		for _, v := range s.Variants {
			requests += v.Requests
			if v.Name == s.Stable && v.Requests > 0 {
				t.errors = float64(v.Failed) / float64(v.Requests)
			}
		}
		if known, is := was[s.Name]; is && requests >= known && elapsed > 0 { // else the process is another one
			t.rate = float64(requests-known) / elapsed.Seconds()
		}
		all[s.Name] = t
	}
	return all
}

// ofLive forecasts the release of each service with the traffic that it has.
func (f *forecast) ofLive(cfg *config.Config, live map[string]traffic) []policyForecast {
	var list []policyForecast
	for _, p := range f.of(cfg) {
		for _, service := range p.Services {
			policy, _ := cfg.Release(service)
			one := newPolicyForecast(p.Policy, []string{service}, &policy)
			t := live[service]
			one.detailed, one.Rates = true, append(one.Rates, newForecast(&policy, t))
			list = append(list, one)
		}
	}
	return list
}
