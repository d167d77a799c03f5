package app

import (
	"time"

	"haldane/admin"
	"haldane/proxy"
	"haldane/proxy/balance"
)

// addresses is what the API shows of the endpoints of a variant, which is one of those that are given.
func addresses(endpoints []proxy.VariantEndpoints, variant string) []admin.Address {
	var all []admin.Address
	for _, v := range endpoints {
		if v.Variant != variant {
			continue
		}
		for _, e := range v.Endpoints {
			all = append(all, address(e))
		}
	}
	return all
}

// address is what the API shows of one address.
func address(e balance.EndpointStatus) admin.Address {
	return admin.Address{
		Endpoint:     e.Name,
		Address:      e.Address,
		Up:           e.Up,
		Unhealthy:    e.Unhealthy,
		EjectedUntil: moment(e.EjectedUntil),
		InFlight:     e.InFlight,
		LastError:    e.Last.What,
		LastErrorAt:  moment(e.Last.When),
	}
}

// moment is a time, or nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
