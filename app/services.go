package app

import (
	"sort"

	"haldane/admin"
	"haldane/admin/live"
	"haldane/config"
	"haldane/proxy"
)

// counter is what a variant has counted; nil for one that is not configured.
func (a *App) counter(service, variant string) live.Counter {
	if _, known := a.current.Load().Services[service].Variants[variant]; !known {
		return nil
	}
	return a.stats.Service(service).Variant(variant)
}

// services is what the API shows of the services.
func (a *App) services() []admin.Service {
	cfg := a.current.Load()
	shares := a.splits.shares()
	endpoints := make(map[string][]proxy.VariantEndpoints, len(cfg.Services))
	for _, v := range a.proxy.Endpoints() {
		endpoints[v.Service] = append(endpoints[v.Service], v)
	}
	all := make([]admin.Service, 0, len(cfg.Services))
	for name := range cfg.Services {
		all = append(all, a.shown(cfg, name, shares[name], endpoints[name]))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// service is what the API shows of one service: with many services, to make all of them for one takes a tenth of a second.
func (a *App) service(name string) (shown admin.Service, known bool) {
	cfg := a.current.Load()
	if _, known = cfg.Services[name]; !known {
		return admin.Service{}, false
	}
	return a.shown(cfg, name, a.splits.sharesOf(name), a.proxy.EndpointsOf(name)), true
}

// shown is a service, of which the shares and the endpoints are known.
func (a *App) shown(cfg *config.Config, name string, shares map[string]config.Percent, endpoints []proxy.VariantEndpoints) admin.Service {
	settings := cfg.Services[name]
	_, policy := cfg.Release(name)
	shown := admin.Service{Name: name, Stable: settings.Stable, Canary: settings.Canary, Policy: policy}
	for _, match := range settings.Match {
		shown.Match = append(shown.Match, match.Host+match.Path+match.PathPrefix)
	}
	for variant, deployed := range settings.Variants {
		totals := a.stats.Service(name).Variant(variant).Totals()
		shown.Variants = append(shown.Variants, admin.Variant{
			Name:      variant,
			Revision:  deployed.Revision,
			Endpoints: deployed.Endpoints,
			Weight:    shares[variant],
			Requests:  totals.Requests,
			Failed:    totals.Failed,
			InFlight:  int64(totals.InFlight),
			Addresses: addresses(endpoints, variant),
		})
	}
	sort.Slice(shown.Variants, func(i, j int) bool { return shown.Variants[i].Name < shown.Variants[j].Name })
	return shown
}
