package cli

import (
	"slices"
	"strings"

	"haldane/config"
)

// release is a policy that services are released under, with what they lay over it.
type release struct {
	name     string
	policy   config.Policy
	services []string
}

// releasesOf are the policies in use, by name. A policy that a service lays something over is its own.
func releasesOf(cfg *config.Config) []release {
	var list []release
	for service, s := range cfg.Services {
		if s.Canary == "" {
			continue
		}
		policy, name := cfg.Release(service)
		_, plain := cfg.Policies[name]
		i := slices.IndexFunc(list, func(r release) bool { return plain && r.name == name })
		if i < 0 {
			i, list = len(list), append(list, release{name: name, policy: policy})
		}
		list[i].services = append(list[i].services, service)
	}
	for i := range list {
		slices.Sort(list[i].services)
	}
	slices.SortFunc(list, func(a, b release) int {
		return strings.Compare(a.name+" "+a.services[0], b.name+" "+b.services[0])
	})
	return list
}
