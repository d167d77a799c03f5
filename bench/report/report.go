package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// Report is everything that was found out.
type Report struct {
	// Machine is where, in words.
	Machine string `json:"machine"`
	// Quick says that the runs were too short to mean much.
	Quick bool `json:"quick"`
	// Peers are those that were compared, Missing those that were not there.
	Peers   []Peer `json:"peers"`
	Missing []Peer `json:"missing"`
	// Scenarios are in the order in which they were played.
	Scenarios []*Scenario `json:"scenarios"`
}

// Peer is one proxy.
type Peer struct {
	Name string `json:"name"`
	// Version is what it says of itself, or why it is missing.
	Version string `json:"version"`
}

// Scenario is one kind of work.
type Scenario struct {
	// Name is that of the command line.
	Name string `json:"name"`
	// Title is for readers.
	Title string `json:"title"`
	// Per is what a cost is divided by: requests or MiB.
	Per Unit `json:"per"`
	// Failures say what went wrong; what was measured nevertheless is there.
	Failures []string `json:"failures,omitempty"`
	// Runs are all measurements, in their order.
	Runs []Run `json:"runs"`
	// Facts are single figures, by name: the unit is part of the name.
	Facts map[string]float64 `json:"facts,omitempty"`
}

// The names of facts that are looked for.
const (
	// IdleFact is followed by the name of a peer.
	IdleFact = "KiB for each idle connection: "
	// RouteFact is match, assign and record, of users and services in turn; MatchFact is match alone, of one that the caches hold. Both
	// are followed by a number of services.
	RouteFact = "ns to match, assign and record, services: "
	MatchFact = "ns to match a host, services: "
	// RolloutsFact is what is done for rollouts beside the requests: looks and checkpoints.
	RolloutsFact = "% of a core for 1,000 rollouts, 50 of them with 100 requests/s each"
	// ReloadFact is the time that a reload of 10,000 services takes.
	ReloadFact = "seconds to reload 10,000 services"
)

// The names of loads that are compared with each other.
const (
	// ManyQuiet and ManyReload are 10,000 services without and with a reload.
	ManyQuiet  = "10,000 services, open 25 %"
	ManyReload = "the same, while all are reloaded"
)

// Unit is what a cost is divided by.
type Unit string

// The units.
const (
	PerRequest Unit = "request"
	PerMiB     Unit = "MiB"
)

// Run is one measurement of one proxy.
type Run struct {
	// Round is which of the rounds; runs are only compared inside one.
	Round int `json:"round"`
	// Peer is the proxy.
	Peer string `json:"peer"`
	// Load is which load of the scenario: "closed", "open 50 %".
	Load string `json:"load"`
	// Requests is how many were answered well between the two looks at the processor's time, Bytes what their bodies had, and
	// Seconds the time between.
	Requests int     `json:"requests"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	// Failed is how many had no good answer, and Why the first reason.
	Failed int    `json:"failed"`
	Why    string `json:"why,omitempty"`
	// CPU is the time of the proxy's processes in nanoseconds, System the part of it in the kernel, to 10 ms.
	CPU    int64 `json:"cpu_ns"`
	System int64 `json:"system_ns"`
	// P50, P99 and P999 are latencies in microseconds, in open load from the time a request was due. Zero when they were not
	// taken.
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	// Late is the 99th percentile of how far the generator was behind its own schedule, in microseconds.
	Late float64 `json:"late_us"`
	// Resident is the memory after the run, in bytes.
	Resident int64 `json:"resident"`
}

// Rate is the requests per second.
func (r Run) Rate() float64 { return float64(r.Requests) / r.Seconds }

// Busy is the part of one core that the proxy used.
func (r Run) Busy() float64 { return float64(r.CPU) / 1e9 / r.Seconds }

// Units is what the cost of a run is divided by.
func (r Run) Units(per Unit) float64 {
	if per == PerMiB {
		return float64(r.Bytes) / (1 << 20)
	}
	return float64(r.Requests)
}

// Cost is the microseconds of processor time per unit.
func (r Run) Cost(per Unit) float64 { return float64(r.CPU) / 1e3 / r.Units(per) }

// Read reads a report that was written as JSON.
func Read(from io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	return &r, nil
}

// WriteJSON writes all figures.
func (r *Report) WriteJSON(to io.Writer) error {
	e := json.NewEncoder(to)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// Scenario finds one by its name; nil when it was not played.
func (r *Report) Scenario(name string) *Scenario {
	for _, s := range r.Scenarios {
		if s.Name == name {
			return s
		}
	}
	return nil
}
