package listen

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestParseHop(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "192.0.2.7:8080": "192.0.2.7", "2001:db8::7": "2001:db8::7", "[2001:db8::7]": "2001:db8::7",
		"[2001:db8::7]:8080": "2001:db8::7", "::ffff:192.0.2.7": "192.0.2.7", "::": "::", "0.0.0.0": "0.0.0.0",
		"255.255.255.255": "255.255.255.255",

		"": "", "unknown": "", "_hidden": "", "192.0.2": "", "192.0.2.7.1": "", "192.0.2.256": "", "192.0.2.07": "", "192.0.2.7:": "",
		"192.0.2.7:x": "", "192.0.2.7:65536": "", "[192.0.2.7]": "", "[2001:db8::7": "", "[2001:db8::7]8080": "", "[]": "", "]": "",
		"2001:db8::7%eth0": "", "[fe80::1%1]": "", " 192.0.2.7": "", "1234.0.0.1": "", "192..2.7": "", "-1.0.0.1": "", ":80": "",
		`"192.0.2.7"`: "", "2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:7": "",
	} {
		got, ok := ParseHop([]byte(in))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: got %v %v, want %q", in, got, ok, want)
		}
	}
}

// forwardedFor looks for the client in fields that are given in the order of the wire.
func forwardedFor(n Networks, peer string, fields ...string) string {
	i := len(fields)
	return n.ForwardedFor(netip.MustParseAddr(peer), func() ([]byte, bool) {
		if i--; i < 0 {
			return nil, false
		}
		return []byte(fields[i]), true
	}).String()
}

func TestForwardedFor(t *testing.T) {
	trusted, err := ParseNetworks([]string{"10.0.0.0/8", "2001:db8:ff::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		peer   string
		fields []string
		want   string
	}{
		{"192.0.2.1", []string{"198.51.100.1"}, "192.0.2.1"}, // nobody to be believed
		{"10.0.0.1", nil, "10.0.0.1"},
		{"10.0.0.1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1", []string{"6.6.6.6, 198.51.100.1"}, "198.51.100.1"}, // the client said 6.6.6.6
		{"10.0.0.1", []string{"6.6.6.6", "198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1", []string{"6.6.6.6, 198.51.100.1 ,\t10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1", []string{"198.51.100.1, 10.0.0.3", "10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"}, // trusted as far as one can see
		{"10.0.0.1", []string{"198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"10.0.0.1", []string{""}, "10.0.0.1"},
		{"10.0.0.1", []string{"198.51.100.1,, ,", ""}, "198.51.100.1"},
		{"10.0.0.1", []string{"[2001:db8::5]:443"}, "2001:db8::5"},
		{"2001:db8:ff::1", []string{"198.51.100.1:1234"}, "198.51.100.1"},
		{"10.0.0.1", []string{"198.51.100.1", "::ffff:10.0.0.2"}, "198.51.100.1"},
	} {
		if got := forwardedFor(trusted, c.peer, c.fields...); got != c.want {
			t.Errorf("%s and %q: got %s, want %s", c.peer, c.fields, got, c.want)
		}
	}
}

// plainForwardedFor is the same written without a thought for speed: join everything, split it, walk.
func plainForwardedFor(n Networks, peer netip.Addr, fields []string) netip.Addr {
	elements := strings.Split(strings.Join(fields, ","), ",")
	slices.Reverse(elements)
	client := peer
	for _, element := range elements {
		element = strings.Trim(element, " \t")
		if !n.Contains(client) {
			return client
		}
		if element == "" {
			continue
		}
		host := element
		if h, port, err := net.SplitHostPort(element); err == nil {
			if !validPort([]byte(port)) || strings.Contains(h, ":") != strings.HasPrefix(element, "[") {
				return client
			}
			host = h
		} else if strings.HasPrefix(element, "[") && strings.HasSuffix(element, "]") && strings.Contains(element, ":") {
			host = element[1 : len(element)-1]
		}
		address, err := netip.ParseAddr(host)
		if err != nil || address.Zone() != "" {
			return client
		}
		client = address.Unmap()
	}
	return client
}

func TestForwardedForAgainstAPlainVersion(t *testing.T) {
	trusted, err := ParseNetworks([]string{"10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	for range 20000 {
		var fields []string
		for range random.IntN(4) {
			var elements []string
			for range random.IntN(4) {
				element := pick("10.0.0.1", "10.1.2.3", "198.51.100.7", "2001:db8::1", "2001:db9::1", "unknown", "", "10.0.0.999", "01.2.3.4", "fe80::1%a")
				switch element += pick("", "", "", ":80", ":", ":99999"); random.IntN(6) {
				case 0:
					element = "[" + element + "]"
				case 1:
					element = "[" + element + "]:443"
				}
				elements = append(elements, pick("", " ", "\t")+element+pick("", " "))
			}
			fields = append(fields, strings.Join(elements, ","))
		}
		peer := netip.MustParseAddr(pick("10.0.0.9", "192.0.2.9", "2001:db8::9"))
		want := plainForwardedFor(trusted, peer, fields).String()
		if got := forwardedFor(trusted, peer.String(), fields...); got != want {
			t.Fatalf("%v and %q: got %s, want %s", peer, fields, got, want)
		}
	}
}

// An address is read as the library reads it, and nothing else is one.
func FuzzParseHop(f *testing.F) {
	for _, in := range []string{"192.0.2.7", "192.0.2.7:80", "[2001:db8::7]:80", "::ffff:1.2.3.4", "unknown", "1.2.3.04", "[::1"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := ParseHop([]byte(in))
		if want, err := netip.ParseAddr(in); err == nil && want.Zone() == "" {
			if !ok || got != want.Unmap() {
				t.Fatalf("%q: got %v %v, want %v", in, got, ok, want)
			}
			return
		}
		if !ok {
			return
		}
		host, port, err := net.SplitHostPort(in)
		if err != nil {
			host, port = strings.Trim(in, "[]"), "0"
		}
		want, err := netip.ParseAddr(host)
		if err != nil || want.Unmap() != got || !validPort([]byte(port)) {
			t.Fatalf("%q: got %v; it is %v, %v", in, got, want, err)
		}
	})
}

func TestCensus(t *testing.T) {
	c := NewCensus()
	enter := func(address string, limit int) (Resident, bool) { return c.Enter(netip.MustParseAddr(address), limit) }
	one, ok1 := enter("192.0.2.1", 2)
	_, ok2 := enter("192.0.2.1", 2)
	_, ok3 := enter("::ffff:192.0.2.1", 2)
	_, other := enter("192.0.2.2", 2)
	if !ok1 || !ok2 || ok3 || !other {
		t.Errorf("got %v %v %v, another client %v", ok1, ok2, ok3, other)
	}
	c.Leave(one)
	c.Leave(Resident{})
	if _, ok := enter("192.0.2.1", 2); !ok {
		t.Error("a place that was left is not free")
	}
	_, first := enter("2001:db8:0:1::1", 1)
	_, same := enter("2001:db8:0:1:ffff::2", 1)
	_, next := enter("2001:db8:0:2::1", 1)
	if !first || same || !next {
		t.Errorf("networks: %v %v %v", first, same, next)
	}
}

// Whatever comes and goes, nobody has more than the limit, and when all have left nothing is remembered.
func TestCensusForgets(t *testing.T) {
	c := NewCensus()
	random := rand.New(rand.NewPCG(3, 4))
	open := map[Resident]int{}
	var inside []Resident
	for range 20000 {
		if len(inside) > 0 && random.IntN(2) == 0 {
			i := random.IntN(len(inside))
			open[inside[i]]--
			c.Leave(inside[i])
			inside = slices.Delete(inside, i, i+1)
			continue
		}
		address := netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", random.IntN(20)))
		r, ok := c.Enter(address, 5)
		if ok != (open[residentOf(address)] < 5) {
			t.Fatalf("%v with %d open: %v", address, open[residentOf(address)], ok)
		}
		if ok {
			open[r]++
			inside = append(inside, r)
		}
	}
	for _, r := range inside {
		c.Leave(r)
	}
	for i := range c.shards {
		if n := len(c.shards[i].open); n != 0 {
			t.Errorf("%d clients are remembered", n)
		}
	}
}
