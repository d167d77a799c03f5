package listen

import (
	"fmt"
	"net/netip"
	"strings"
)

// Networks is a list of addresses and networks. The zero value holds nobody.
type Networks struct{ prefixes []netip.Prefix }

// ParseNetworks reads addresses ("192.0.2.1") and networks ("2001:db8::/32"). An IPv4 address that is written as an IPv6 one
// is the IPv4 address.
func ParseNetworks(texts []string) (Networks, error) {
	var n Networks
	for _, text := range texts {
		prefix, err := parseNetwork(text)
		if err != nil {
			return Networks{}, fmt.Errorf("%q is neither an address nor a network: %w", text, err)
		}
		n.prefixes = append(n.prefixes, prefix)
	}
	return n, nil
}

// mappedBits is the length of the prefix of IPv4 addresses that are written as IPv6 ones (RFC 4291 section 2.5.5.2).
const mappedBits = 96

func parseNetwork(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		address = plain(address)
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= mappedBits {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mappedBits)
	}
	return prefix.Masked(), nil
}

// Contains says whether the address is on the list. It takes the address in the form that plain gives it.
func (n Networks) Contains(address netip.Addr) bool {
	for _, prefix := range n.prefixes {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Empty says whether nobody is on the list.
func (n Networks) Empty() bool { return len(n.prefixes) == 0 }

// plain is an address in the one form in which addresses are compared: IPv4 in its short form, without a zone.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }
