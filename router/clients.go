package router

import (
	"fmt"
	"net/netip"
	"slices"
)

// fewNetworks is the longest list of networks that is looked through from end to end.
const fewNetworks = 8

// fewClients is a short list of networks.
type fewClients []netip.Prefix

func (c fewClients) holds(a ask) bool {
	addr := a.ClientAddr().WithZone("")
	for _, network := range c {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// manyClients is a long list of networks: one look-up for each length of prefix in the list, however many networks share it.
type manyClients struct {
	networks map[netip.Prefix]struct{}
	lengths  [2][]int // of IPv4 and of IPv6 prefixes
}

func (c *manyClients) holds(a ask) bool {
	addr := a.ClientAddr().WithZone("")
	if !addr.IsValid() {
		return false
	}
	for _, length := range c.lengths[family(addr)] {
		network, err := addr.Prefix(length)
		if err != nil {
			continue // cannot be: the lengths are those of the address's family
		}
		if _, ok := c.networks[network]; ok {
			return true
		}
	}
	return false
}

func family(addr netip.Addr) int {
	if addr.Is4() {
		return 0
	}
	return 1
}

// newClients compiles addresses and networks.
func newClients(texts []string) (condition, error) {
	networks := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		network, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("client %q: %w", text, err)
		}
		networks[i] = network
	}
	if len(networks) <= fewNetworks {
		return fewClients(networks), nil
	}
	c := &manyClients{networks: make(map[netip.Prefix]struct{}, len(networks))}
	for _, network := range networks {
		c.networks[network] = struct{}{}
		lengths := &c.lengths[family(network.Addr())]
		if !slices.Contains(*lengths, network.Bits()) {
			*lengths = append(*lengths, network.Bits())
		}
	}
	return c, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err
}
