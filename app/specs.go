package app

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"haldane/config"
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
			CanaryIdentity: identity(service.Variants[service.Canary]),
			PolicyName:     policyName,
			Policy:         policy,
			Start:          service.Start,
			Variants:       slices.Sorted(maps.Keys(service.Variants)),
		})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Service < all[j].Service })
	return all
}

// identity tells one canary from the next: its revision, or else where it answers.
func identity(variant config.Variant) string {
	if variant.Revision != "" {
		return variant.Revision
	}
	endpoints := append([]string(nil), variant.Endpoints...)
	sort.Strings(endpoints)
	return strings.Join(endpoints, ",")
}
