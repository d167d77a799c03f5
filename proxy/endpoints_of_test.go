package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"haldane/config"
)

// The endpoints of one service are those that are listed for it among all.
func TestEndpointsOfOneService(t *testing.T) {
	s := plain("127.0.0.1:1")
	for _, name := range []string{"api", "web", "zoo"} {
		s.Services[name] = config.Service{
			Match:    []config.Match{{Host: name}},
			Variants: map[string]config.Variant{"v1": variantAt("127.0.0.1:1", "127.0.0.1:2"), "v2": variantAt("127.0.0.1:3")}, Stable: "v1",
		}
	}
	r := start(t, s)
	for _, name := range []string{"api", "web", "zoo", "none", ""} {
		var want []string
		for _, v := range r.server.Endpoints() {
			if v.Service == name {
				want = append(want, v.Service+v.Variant)
			}
		}
		var got []string
		for _, v := range r.server.EndpointsOf(name) {
			got = append(got, v.Service+v.Variant)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}
