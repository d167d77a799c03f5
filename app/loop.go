package app

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"haldane/config"
)

// checkLoop refuses endpoints that are our own admin listener: clients would reach it through the proxy, which is on this
// machine and may be on its list of names. Only what is written is looked at; no name is looked up. All such endpoints are
// in the error.
func checkLoop(cfg *config.Config, bound net.Addr) error {
	own, ok := bound.(*net.TCPAddr)
	if !ok {
		return nil // there is none
	}
	var found []error
	for _, service := range slices.Sorted(maps.Keys(cfg.Services)) {
		variants := cfg.Services[service].Variants
		for _, variant := range slices.Sorted(maps.Keys(variants)) {
			for n, endpoint := range variants[variant].Endpoints {
				if leadsTo(endpoint, own, cfg.Admin) {
					found = append(found, fmt.Errorf("services.%s.variants.%s.endpoints[%d]: %s is the admin listener of this Haldane, "+
						"which clients must not reach; name the address of the service", service, variant, n, endpoint))
				}
			}
		}
	}
	return errors.Join(found...)
}

// leadsTo says whether an endpoint is the listener, or one of the names that are configured for it.
func leadsTo(endpoint string, own *net.TCPAddr, section config.Admin) bool {
	host, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return false // not for us to say
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || int(number) != own.Port {
		return false
	}
	listening := own.AddrPort().Addr().Unmap()
	if address, err := netip.ParseAddr(host); err == nil {
		return sameAddress(address.Unmap().WithZone(""), listening)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 section 6.3
		return listening.IsLoopback() || listening.IsUnspecified()
	}
	configured, _, _ := net.SplitHostPort(section.Address)
	return strings.EqualFold(host, configured) || slices.ContainsFunc(section.Hosts, func(name string) bool {
		return strings.EqualFold(host, strings.TrimSuffix(name, "."))
	})
}

// sameAddress says whether a connection to an address comes to the listener. To connect to the unspecified address is to
// connect to this machine.
func sameAddress(address, listening netip.Addr) bool {
	switch {
	case address == listening:
		return true
	case address.IsUnspecified():
		return listening.IsLoopback() || listening.IsUnspecified()
	case listening.IsUnspecified():
		return address.IsLoopback() || isOurs(address)
	}
	return false
}

// isOurs says whether this machine has the address.
func isOurs(address netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(all, func(one net.Addr) bool {
		prefix, err := netip.ParsePrefix(one.String())
		return err == nil && prefix.Addr().Unmap().WithZone("") == address
	})
}
