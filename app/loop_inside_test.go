package app

import (
	"net"
	"testing"

	"haldane/config"
)

// Where the listener is on every address, each address of the machine leads to it.
func TestLeadsToEveryAddress(t *testing.T) {
	section := config.Admin{Address: "admin.example:9901", Hosts: []string{"ops.example"}}
	for _, c := range []struct {
		bound, endpoint string
		want            bool
	}{
		{"0.0.0.0", "127.0.0.2:9901", true},
		{"0.0.0.0", "localhost:9901", true},
		{"0.0.0.0", "a.localhost:9901", true},
		{"0.0.0.0", "0.0.0.0:9901", true},
		{"::", "[::1]:9901", true},
		{"0.0.0.0", "192.0.2.1:9901", false},
		{"192.0.2.1", "192.0.2.1:9901", true},
		{"192.0.2.1", "127.0.0.1:9901", false},
		{"192.0.2.1", "localhost:9901", false},
		{"192.0.2.1", "ops.example:9901", true},
		{"192.0.2.1", "OPS.example.:9901", true},
		{"192.0.2.1", "admin.example:9901", true},
		{"192.0.2.1", "other.example:9901", false},
		{"0.0.0.0", "127.0.0.1:9902", false},
		{"0.0.0.0", "127.0.0.1:09901", true},
	} {
		if got := leadsTo(c.endpoint, &net.TCPAddr{IP: net.ParseIP(c.bound), Port: 9901}, section); got != c.want {
			t.Errorf("%s with the listener on %s: %v", c.endpoint, c.bound, got)
		}
	}
}
