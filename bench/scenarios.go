package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"regexp"

	"haldane/bench/load"
	"haldane/bench/peers"
	"haldane/bench/report"
)

// scenario is one kind of work.
type scenario struct {
	name  string
	title string
	per   report.Unit
	play  func(context.Context, *bench, *report.Scenario) error
}

// catalogue is all scenarios, in their order.
func catalogue() []scenario {
	return []scenario{
		{"small", "GET, 100-byte body, 64 keep-alive connections", report.PerRequest, playSmall},
		{"64k", "GET, 64 KiB body, 64 connections", report.PerRequest, plain(load.Spec{Connections: 64}, "/65536")},
		{"1m", "GET, 1 MiB body, 16 connections", report.PerMiB, plain(load.Spec{Connections: 16}, "/1048576")},
		{"down", "GET, 100 MiB body, 4 connections", report.PerMiB, plain(load.Spec{Connections: 4}, "/104857600")},
		{"up", "POST, 100 MiB body, 4 connections", report.PerMiB, plain(load.Spec{Connections: 4, Upload: 100 << 20}, "/")},
		{"tls", "GET over TLS 1.3, 100-byte body, 64 keep-alive connections", report.PerRequest, playTLS},
		{"websocket", "WebSocket, echo of 32 bytes, 64 connections", report.PerRequest, plain(load.Spec{Connections: 64, Echo: 32}, "/socket")},
		{"idle", "10,000 idle keep-alive connections, and 1,000 others that are busy", report.PerRequest, playIdle},
		{"services", "GET, 100-byte body: many services, many rules, a reload under load", report.PerRequest, playServices},
		{"rollouts", "1,000 services, 50 of them with traffic: rollouts on none, one and all", report.PerRequest, playRollouts},
		{"functions", "what is done for a request without any input or output, by the benchmarks next to the functions", report.PerRequest, playFunctions},
		{"cores", "GET, 100-byte body, the proxy on all cores, beside load and upstream", report.PerRequest, playCores},
	}
}

// chosen is what is to be played.
func (o *options) chosen() ([]scenario, error) {
	match, err := regexp.Compile(o.only)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	var list []scenario
	for _, s := range catalogue() {
		if match.MatchString(s.name) {
			list = append(list, s)
		}
	}
	return list, nil
}

// connections is how many clients there are where nothing else is said.
const connections = 64

// get is a request as a browser's script or a service would send it.
func get(path, host string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nCookie: session=0123456789abcdef\r\n\r\n", path, host)
}

// closed is a load that always has all clients busy.
func (b *bench) closed(spec load.Spec) shot {
	return shot{"closed", spec, load.Phase{Warm: b.time / 4, Time: b.time}}
}

// playSmall finds the capacity first, and then takes latencies at parts of it: all at the same rates, those of the slower one
// of Haldane and HAProxy. Who cannot serve that at all is left out of it.
func playSmall(ctx context.Context, b *bench, result *report.Scenario) error {
	a := b.enter(ctx, result, peers.Work{}, nil)
	defer a.leave()
	spec := load.Spec{Connections: connections, Requests: [][]byte{get("/100", "shop.example.com")}}
	if err := a.rounds(ctx, func(*peers.Running) shot { return b.closed(spec) }); err != nil {
		return err
	}
	rate := report.Figure(report.Run.Rate)
	capacity := math.Inf(1)
	for _, name := range []string{"haldane", "haproxy"} {
		if s := result.Of(report.Key{Peer: name, Load: "closed"}, rate); s.Count > 0 {
			capacity = min(capacity, s.Median)
		}
	}
	if math.IsInf(capacity, 1) {
		return nil // neither was asked for
	}
	kept := a.running[:0]
	for _, r := range a.running {
		if result.Of(report.Key{Peer: r.Name, Load: "closed"}, rate).Median > 0.9*capacity {
			kept = append(kept, r)
		} else {
			defer r.Stop()
		}
	}
	a.running = kept
	open := func(name string, part float64) func(*peers.Running) shot {
		spec := spec
		spec.Connections = 4 * connections // so that nothing waits for a free one before the proxy is really late
		return func(*peers.Running) shot {
			return shot{name, spec, load.Phase{Rate: part * capacity, Warm: b.time / 4, Time: 2 * b.time}}
		}
	}
	result.Facts = map[string]float64{"capacity, requests/s": math.Round(capacity)}
	return a.rounds(ctx, open("open 50 %", 0.5), open("open 80 %", 0.8))
}

// plain is a closed load of one kind on all proxies.
func plain(spec load.Spec, path string) func(context.Context, *bench, *report.Scenario) error {
	return func(ctx context.Context, b *bench, result *report.Scenario) error {
		a := b.enter(ctx, result, peers.Work{}, nil)
		defer a.leave()
		spec.Requests = [][]byte{get(path, "shop.example.com")}
		switch {
		case spec.Upload > 0:
			spec.Requests[0] = post(path, "shop.example.com", spec.Upload)
		case spec.Echo > 0:
			spec.Requests[0] = with(spec.Requests[0], "Connection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
		}
		return a.rounds(ctx, func(*peers.Running) shot { return b.closed(spec) })
	}
}

// post is the head of the same request with a body of so many bytes.
func post(path, host string, size int64) []byte {
	head := with(get(path, host), fmt.Sprintf("Content-Length: %d\r\n", size))
	return append([]byte("POST"), head[len("GET"):]...)
}

// with adds fields to a request.
func with(request []byte, fields string) []byte {
	return fmt.Appendf(nil, "%s%s\r\n", bytes.TrimSuffix(request, []byte("\r\n")), fields)
}

// playTLS is the small request after the handshake: connections are there before anything is counted.
func playTLS(ctx context.Context, b *bench, result *report.Scenario) error {
	c, err := newCertificate(b.dir)
	if err != nil {
		return err
	}
	a := b.enter(ctx, result, peers.Work{Certificate: c.chain, Key: c.key}, nil)
	defer a.leave()
	spec := load.Spec{Connections: connections, Requests: [][]byte{get("/100", "shop.example.com")}, TLS: c.clients}
	return a.rounds(ctx, func(*peers.Running) shot { return b.closed(spec) })
}
