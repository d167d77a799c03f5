package stats

import (
	"cmp"
	"sync/atomic"
	"time"
)

// TunnelEnd is why a tunnel ended.
type TunnelEnd uint8

const (
	// TunnelClosed is a tunnel that one of its two ends closed in good order.
	TunnelClosed TunnelEnd = iota
	// TunnelReset is a tunnel whose connection broke, or a WebSocket that ended without a close frame.
	TunnelReset
	// TunnelIdle is a tunnel that carried nothing for too long.
	TunnelIdle
	// TunnelRollback is a tunnel of a canary that was rolled back.
	TunnelRollback
	// TunnelShutdown is a tunnel that was open when the process stopped.
	TunnelShutdown

	tunnelEnds = int(TunnelShutdown) + 1
)

// String is the word for the end in metrics.
func (e TunnelEnd) String() string {
	return [tunnelEnds]string{"closed", "reset", "idle", "rollback", "shutdown"}[e]
}

// Tunnels is the upgraded connections of one variant. Their handshakes are requests like others; what becomes of them
// later is counted here and not judged.
type Tunnels struct {
	opened   atomic.Uint64
	ended    [tunnelEnds]atomic.Uint64
	micros   atomic.Uint64 // of those that have ended
	up, down atomic.Uint64 // octets of those that have ended
}

// Open counts a tunnel that was opened.
func (t *Tunnels) Open() { t.opened.Add(1) }

// TunnelRecord is what there is to know about a tunnel when it has ended.
type TunnelRecord struct {
	// End is why it ended.
	End TunnelEnd
	// Duration is how long it was open.
	Duration time.Duration
	// BytesIn and BytesOut are what it carried to and from the endpoint.
	BytesIn, BytesOut int64
}

// Close counts a tunnel that has ended.
func (t *Tunnels) Close(r TunnelRecord) {
	t.micros.Add(microseconds(r.Duration))
	t.up.Add(uint64(max(r.BytesIn, 0)))
	t.down.Add(uint64(max(r.BytesOut, 0)))
	t.ended[r.End].Add(1)
}

// Ended is the number of tunnels that ended like this.
func (t *Tunnels) Ended(e TunnelEnd) uint64 { return t.ended[e].Load() }

// Opened is the number of tunnels that were opened.
func (t *Tunnels) Opened() uint64 { return t.opened.Load() }

// Current is the number of tunnels that are open.
func (t *Tunnels) Current() uint64 {
	var ended uint64
	for e := range t.ended {
		ended += t.ended[e].Load()
	}
	// Opened is read last, so that one that opens and ends in between cannot make it less than what ended.
	return t.opened.Load() - ended
}

// describeTunnels describes what is counted of tunnels.
func describeTunnels(all *[families]description) {
	variant := []string{"service", "variant"}
	all[familyTunnels] = description{
		"haldane_tunnels_opened_total", counter, variant,
		"Upgraded connections, such as WebSockets, that were opened.",
	}
	all[familyTunnelsOpen] = description{
		"haldane_tunnels_open", gauge, variant,
		"Upgraded connections that are open.",
	}
	all[familyTunnelsEnded] = description{
		"haldane_tunnels_ended_total", counter,
		[]string{"service", "variant", "reason"},
		"Upgraded connections that have ended, by why.",
	}
	all[familyTunnelSeconds] = description{
		"haldane_tunnel_seconds_total", counter, variant,
		"Time that the upgraded connections that have ended were open.",
	}
	all[familyTunnelBytes] = description{
		"haldane_tunnel_bytes_total", counter,
		[]string{"service", "variant", "direction"},
		"Bytes that the upgraded connections that have ended carried.",
	}
}

// tunnels emits the tunnels of a variant.
func (s *scrape) tunnels(v *Variant) {
	service, name, t := v.service.name, v.name, cmp.Or(v.tunnels.Load(), &Tunnels{})
	s.count(familyTunnels, t.Opened(), service, name)
	s.gauge(familyTunnelsOpen, float64(t.Current()), service, name)
	for end := range TunnelEnd(tunnelEnds) {
		s.count(familyTunnelsEnded, t.Ended(end), service, name, end.String())
	}
	if micros := t.micros.Load(); micros > 0 || !s.quiet {
		s.emit(familyTunnelSeconds, []string{service, name}).value = float64(micros) / 1e6
	}
	s.count(familyTunnelBytes, t.up.Load(), service, name, "in")
	s.count(familyTunnelBytes, t.down.Load(), service, name, "out")
}
