package app

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"haldane/config"
	"haldane/hooks"
	"haldane/rollout"
)

// specs are the rollouts that a configuration asks for, in the order of their services.
func specs(cfg *config.Config) []rollout.Spec {
	var all []rollout.Spec
	for name, service := range cfg.Services {
		if service.Canary == "" {
			continue
		}
		policy, policyName := cfg.Release(name)
		all = append(all, rollout.Spec{
			Service:        name,
			Stable:         service.Stable,
			Canary:         service.Canary,
			CanaryIdentity: Identity(service.Variants[service.Canary]),
			PolicyName:     policyName,
			Policy:         policy,
			Start:          service.Start,
			Variants:       slices.Sorted(maps.Keys(service.Variants)),
			After:          service.After,
			Release:        service.Release,
			Freezes:        cfg.Freezes,
		})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Service < all[j].Service })
	return all
}

// askers are the hooks of the rollouts, with what their files hold.
func askers(specs []rollout.Spec) (*hooks.Settings, error) {
	all := make(map[string]config.Hooks, len(specs))
	for i := range specs {
		all[specs[i].Service] = specs[i].Policy.Hooks
	}
	return hooks.Read(all)
}

// taken are the response fields that the business metrics of each service are read from.
func taken(cfg *config.Config) map[string][]string {
	all := make(map[string][]string, len(cfg.Services))
	for name := range cfg.Services {
		policy, _ := cfg.Release(name)
		all[name] = policy.TakenFields()
	}
	return all
}

// Identity tells one canary from the next: its revision, or else where it answers.
func Identity(variant config.Variant) string {
	if variant.Revision != "" {
		return variant.Revision
	}
	endpoints := append([]string(nil), variant.Endpoints...)
	sort.Strings(endpoints)
	return strings.Join(endpoints, ",")
}
