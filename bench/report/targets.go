package report

import (
	"fmt"
	"slices"
)

// target is a promise and what was measured of it.
type target struct {
	what  string
	limit float64
	unit  string
	got   Spread
}

// met says whether the median holds the promise.
func (t target) met() bool { return t.got.Median <= t.limit }

// text is the row of a table.
func (t target) text() []string {
	verdict := "not met"
	if t.met() {
		verdict = "met"
	}
	got := number(t.got.Median) + t.unit
	if t.got.Count > 1 {
		got = fmt.Sprintf("%s (%s-%s, of %d)", got, number(t.got.Low), number(t.got.High), t.got.Count)
	}
	return []string{t.what, "at most " + number(t.limit) + t.unit, got, verdict}
}

// closed is the load without a schedule.
const closed = "closed"

// targets are all promises of which something was measured.
func (r *Report) targets() []target {
	var list []target
	for _, add := range []func() []target{r.costs, r.tails, r.bodies, r.crowds, r.functions} {
		list = append(list, add()...)
	}
	return slices.DeleteFunc(list, func(t target) bool { return t.got.Count == 0 })
}

// ratio is a cost of Haldane in parts of a peer's.
func (r *Report) ratio(scenario, peer string) Spread {
	s := r.Scenario(scenario)
	if s == nil {
		return Spread{}
	}
	return s.Ratio(Key{subject, closed}, Key{peer, closed}, s.Cost())
}

func (r *Report) costs() []target {
	small := func(peer string, limit float64) target {
		return target{"small requests, CPU: parts of " + peer, limit, "", r.ratio("small", peer)}
	}
	return []target{
		small("haproxy", 1.05), small("nginx", 0.95), small("caddy", 0.33), small("traefik", 0.33), small("relay", 1.12),
		{"all features, CPU: parts of the same binary as plain pass-through", 1.05, "", r.ratio("small", "haldane, plain")},
		{"TLS, small requests, CPU: parts of haproxy", 1.05, "", r.ratio("tls", "haproxy")},
	}
}

// tails are latencies beside HAProxy's at the same rate.
func (r *Report) tails() []target {
	s := r.Scenario("small")
	if s == nil {
		return nil
	}
	var list []target
	for _, load := range []string{"open 50 %", "open 80 %"} {
		of, to := Key{subject, load}, Key{"haproxy", load}
		list = append(list,
			target{"p99, " + load + ": parts of haproxy's", 1.1, "", s.Ratio(of, to, func(r Run) float64 { return r.P99 })},
			target{"p99.9, " + load + ": parts of haproxy's", 1.5, "", s.Ratio(of, to, func(r Run) float64 { return r.P999 })})
	}
	return list
}

func (r *Report) bodies() []target {
	var list []target
	names := map[string]string{"1m": "1 MiB down", "down": "100 MiB down", "up": "100 MiB up"}
	for _, scenario := range []string{"1m", "down", "up"} {
		list = append(list,
			target{names[scenario] + ", CPU per byte: parts of haproxy", 0.7, "", r.ratio(scenario, "haproxy")},
			target{names[scenario] + ", CPU per byte: parts of nginx", 0.3, "", r.ratio(scenario, "nginx")})
	}
	resident := func(r Run) float64 { return float64(r.Resident) }
	small, down := r.Scenario("1m"), r.Scenario("down")
	if small != nil && down != nil {
		a, b := down.Of(Key{subject, closed}, resident), small.Of(Key{subject, closed}, resident)
		if a.Count > 0 && b.Count > 0 {
			flat := Spread{Median: a.Median / b.Median, Count: 1}
			list = append(list, target{"resident memory at 100 MiB: parts of that at 1 MiB", 1.2, "", flat})
		}
	}
	return list
}

// crowds are many connections and many services.
func (r *Report) crowds() []target {
	var list []target
	if s := r.Scenario("idle"); s != nil {
		if kib, ok := s.Facts[IdleFact+subject]; ok {
			list = append(list, target{"idle keep-alive connection, resident, at 10,000", 8, " KiB", Spread{Median: kib, Count: 1}})
		}
	}
	s := r.Scenario("services")
	if s == nil {
		return list
	}
	quiet, busy := Key{subject, ManyQuiet}, Key{subject, ManyReload}
	list = append(list,
		target{"10,000 services, one in ten with traffic, resident", 400, " MiB", s.Of(quiet, func(r Run) float64 { return float64(r.Resident) / (1 << 20) })},
		target{"p99 while all of them are reloaded: parts of that without", 2, "", s.Ratio(busy, quiet, func(r Run) float64 { return r.P99 })})
	if seconds, ok := s.Facts[ReloadFact]; ok {
		list = append(list, target{"reload of 10,000 services, under load", 3, " s", Spread{Median: seconds, Count: 1}})
	}
	return list
}

// functions are what a request, and a rollout, costs without input and output.
func (r *Report) functions() []target {
	s := r.Scenario("functions")
	if s == nil {
		return nil
	}
	var list []target
	for _, f := range []struct {
		fact, work string
		limit      float64
		unit       string
	}{
		{RolloutsFact, "1,000 rollouts, 50 of them busy, of one core", 2, " %"},
		{RouteFact + "1", "match, assign and record, 1 service", 150, " ns"},
		{RouteFact + "10000", "the same, 10,000 services", 250, " ns"},
	} {
		if value, ok := s.Facts[f.fact]; ok {
			list = append(list, target{f.work, f.limit, f.unit, Spread{Median: value, Count: 1}})
		}
	}
	return list
}
