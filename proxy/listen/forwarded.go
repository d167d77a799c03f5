package listen

import (
	"bytes"
	"net/netip"
)

// ForwardedFor finds the client in the values of X-Forwarded-For, which come last first from next (false: no more). peer is
// who sent them. The values are read from right to left, which is from the nearest hop to the farthest, for as long as
// the hop that wrote a value is trusted: the client is the first address that is not, or the farthest one there is.
// What is no address ends the search, because nobody can say what lies behind it.
func (n Networks) ForwardedFor(peer netip.Addr, next func() (value []byte, ok bool)) netip.Addr {
	client := peer
	for n.Contains(client) {
		value, ok := next()
		if !ok {
			return client
		}
		for more := true; more && n.Contains(client); {
			var element []byte
			value, element, more = cutLast(value)
			if len(element) == 0 {
				continue // an empty element of a list counts for nothing (RFC 9110 section 5.6.1)
			}
			address, ok := ParseHop(element)
			if !ok {
				return client
			}
			client = address
		}
	}
	return client
}

// cutLast takes the last element off a list.
func cutLast(list []byte) (rest, last []byte, more bool) {
	i := bytes.LastIndexByte(list, ',')
	if i < 0 {
		return nil, bytes.Trim(list, " \t"), false
	}
	return list[:i], bytes.Trim(list[i+1:], " \t"), true
}

// ParseHop reads one element of X-Forwarded-For: an address, as some proxies write it with a port, or in brackets.
func ParseHop(text []byte) (netip.Addr, bool) {
	host := text
	if len(text) > 0 && text[0] == '[' {
		end := bytes.IndexByte(text, ']')
		if end < 0 || !portOrNothing(text[end+1:]) {
			return netip.Addr{}, false
		}
		address, ok := parseAddress(text[1:end])
		return address, ok && bytes.IndexByte(text[1:end], ':') >= 0
	}
	if i := bytes.IndexByte(text, ':'); i >= 0 && bytes.IndexByte(text[i+1:], ':') < 0 {
		if !portOrNothing(text[i:]) {
			return netip.Addr{}, false
		}
		host = text[:i]
	}
	return parseAddress(host)
}

// portOrNothing holds for what may stand behind an address.
func portOrNothing(text []byte) bool {
	return len(text) == 0 || text[0] == ':' && validPort(text[1:])
}

// longestAddress is the longest text of an address: IPv6 with an IPv4 address at its end.
const longestAddress = 45

// parseAddress reads an address without a zone, which would mean nothing on another machine. IPv4 is read by hand, because
// it is what most clients have and the library wants a string.
func parseAddress(text []byte) (netip.Addr, bool) {
	if len(text) > longestAddress {
		return netip.Addr{}, false
	}
	if bytes.IndexByte(text, ':') < 0 {
		return parseShort(text)
	}
	address, err := netip.ParseAddr(string(text))
	if err != nil || address.Zone() != "" {
		return netip.Addr{}, false
	}
	return plain(address), true
}

// parseShort reads an IPv4 address: four numbers up to 255, without zeros in front, which some would read as octal.
func parseShort(text []byte) (netip.Addr, bool) {
	var parts [4]byte
	for i := range parts {
		n, digits := 0, 0
		for digits < len(text) && digits < 3 && '0' <= text[digits] && text[digits] <= '9' {
			n = n*10 + int(text[digits]-'0')
			digits++
		}
		if digits == 0 || n > 255 || digits > 1 && text[0] == '0' {
			return netip.Addr{}, false
		}
		parts[i], text = byte(n), text[digits:]
		if i < 3 {
			if len(text) == 0 || text[0] != '.' {
				return netip.Addr{}, false
			}
			text = text[1:]
		}
	}
	return netip.AddrFrom4(parts), len(text) == 0
}
