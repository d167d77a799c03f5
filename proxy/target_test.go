package proxy

import (
	"testing"
)

// A request that is sent again has its target rewritten once, and from what the client asked for.
func TestTargetOfASecondTry(t *testing.T) {
	o := closing(t)
	s := plain(o.address)
	web := s.Services["web"]
	v := web.Variants["v1"]
	v.StripPrefix, v.AddPrefix = "/api", "/v2"
	web.Variants["v1"] = v
	r := start(t, s)
	c := r.dial()
	for range 3 { // from the second one on the first try meets a connection that is being closed
		c.send(get("/api/x")).receive()
		if got := o.last().line; got != "GET /v2/x HTTP/1.1" {
			t.Errorf("the endpoint was asked %q", got)
		}
	}
}
