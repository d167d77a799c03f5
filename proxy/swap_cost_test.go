//go:build !race

package proxy

import (
	"fmt"
	"testing"
	"time"

	"haldane/config"
	"haldane/stats"
)

// swapTarget is how long it may take to put another configuration of 10,000 services in force. The test allows a multiple of it, since the
// machine may do other things.
const swapTarget, swapNoise = time.Millisecond, 10

// TestSwapIsQuick swaps configurations of 10,000 services, of which one has other endpoints, for each other. Requests wait for none of it: they
// read one pointer, before or after.
func TestSwapIsQuick(t *testing.T) {
	const services = 10_000
	s := sections(nil)
	s.Services, s.Stats = make(map[string]config.Service, services), stats.NewRegistry(0)
	for i := range services {
		name := fmt.Sprintf("s%05d", i)
		s.Services[name] = config.Service{
			Match:    []config.Match{{Host: name + ".example.com"}},
			Variants: map[string]config.Variant{"v1": variantAt("127.0.0.1:1"), "v2": variantAt("127.0.0.1:2")}, Stable: "v1",
		}
	}
	server := New(Options{})
	defer server.Close()
	last := build(t, s, nil, nil)
	server.Swap(last)
	took := time.Hour
	for i := range 7 {
		changed := s.Services["s00007"]
		changed.Variants = map[string]config.Variant{"v1": variantAt(fmt.Sprintf("127.0.0.1:%d", 10+i)), "v2": variantAt("127.0.0.1:2")}
		s.Services["s00007"] = changed
		next := build(t, s, nil, last)
		started := time.Now()
		server.Swap(next)
		took = min(took, time.Since(started)) // whatever else the machine does only adds to it
		last = next
	}
	t.Logf("%v, the target is %v", took, swapTarget)
	if took > swapNoise*swapTarget {
		t.Errorf("a swap takes %v, the target is %v", took, swapTarget)
	}
}
