package app

import (
	"time"

	"haldane/admin"
	"haldane/proxy/balance"
)

// addresses is what the API shows of endpoints, by service and variant.
func (a *App) addresses() map[string]map[string][]admin.Address {
	all := make(map[string]map[string][]admin.Address)
	for _, v := range a.proxy.Endpoints() {
		if all[v.Service] == nil {
			all[v.Service] = make(map[string][]admin.Address)
		}
		for _, e := range v.Endpoints {
			all[v.Service][v.Variant] = append(all[v.Service][v.Variant], address(e))
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
