package admin

import "time"

// Address is one address of an endpoint.
type Address struct {
	// Endpoint is the endpoint as it is configured.
	Endpoint string `json:"endpoint"`
	// Address is what is connected to. Empty: the name has no address yet.
	Address string `json:"address"`
	// Up says whether it gets requests.
	Up bool `json:"up"`
	// Unhealthy says that it gets none because of its health.
	Unhealthy bool `json:"unhealthy"`
	// EjectedUntil is until when it gets none for having failed; null when it was not ejected.
	EjectedUntil *time.Time `json:"ejected_until"`
	// InFlight is the number of requests that are under way there.
	InFlight int64 `json:"in_flight"`
	// LastError is what went wrong there last, and LastErrorAt when it did; null for nothing yet.
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at"`
}
