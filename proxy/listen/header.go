package listen

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// The PROXY protocol (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt): a load balancer says in front of the first
// byte of a connection for whom it opened it.

// Header is what a PROXY protocol header says.
type Header struct {
	// Client is the address of the client. It is not valid when the balancer speaks for itself (a health check: LOCAL,
	// UNKNOWN) or for something that has no IP address; then the address of the connection counts.
	Client netip.Addr
}

// The errors of ParseHeader.
const (
	// ErrIncomplete says that what there is so far is the beginning of a header.
	ErrIncomplete constError = "the PROXY protocol header is not complete"
	// ErrNoHeader says that what there is is no header, or not a valid one.
	ErrNoHeader constError = "not a valid PROXY protocol header"
	// ErrLongHeader says that a header of version 2 is longer than Haldane takes.
	ErrLongHeader constError = "the PROXY protocol header is too long"
)

const (
	// textLongest is the longest header of version 1, with its CRLF (section 2.1).
	textLongest = 107
	// binaryFixed is the part of a header of version 2 that is always there (section 2.2).
	binaryFixed = 16
	// binaryLongest is how much of a header of version 2 is taken: addresses are at most 216 bytes, the rest are extensions
	// that nobody reads here. The protocol allows 64 KiB.
	binaryLongest = 4096
)

// signature begins a header of version 2, and no request of any protocol.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// ParseHeader reads a header of either version from the beginning of p, and says how long it is. The error is ErrIncomplete
// when more bytes may make it one, otherwise ErrNoHeader or ErrLongHeader.
func ParseHeader(p []byte) (Header, int, error) {
	switch {
	case startsWith(p, signature):
		if len(p) < binaryFixed {
			return Header{}, 0, ErrIncomplete
		}
		return parseBinary(p)
	case startsWith(p, "PROXY "):
		return parseText(p)
	}
	return Header{}, 0, ErrNoHeader
}

// startsWith says whether p starts with the text, as far as there is something of it.
func startsWith(p []byte, text string) bool {
	n := min(len(p), len(text))
	return string(p[:n]) == text[:n]
}

// parseText reads version 1: one line of text.
func parseText(p []byte) (Header, int, error) {
	head := p[:min(len(p), textLongest)]
	end := bytes.IndexByte(head, '\r')
	if end < 0 || end+1 == len(head) {
		if len(head) == textLongest {
			return Header{}, 0, ErrNoHeader
		}
		return Header{}, 0, ErrIncomplete
	}
	if head[end+1] != '\n' {
		return Header{}, 0, ErrNoHeader
	}
	words := bytes.Split(head[:end], []byte{' '})
	client, ok := textClient(words[1:])
	if !ok {
		return Header{}, 0, ErrNoHeader
	}
	return Header{Client: client}, end + 2, nil
}

// textClient reads the words behind PROXY. What follows UNKNOWN is to be ignored.
func textClient(words [][]byte) (client netip.Addr, ok bool) {
	family := string(words[0])
	if family == "UNKNOWN" {
		return netip.Addr{}, true
	}
	if len(words) != 5 || family != "TCP4" && family != "TCP6" {
		return netip.Addr{}, false
	}
	for i, word := range words[1:3] {
		address, err := netip.ParseAddr(string(word))
		if err != nil || address.Is4() != (family == "TCP4") || address.Zone() != "" {
			return netip.Addr{}, false
		}
		if i == 0 {
			client = plain(address)
		}
	}
	return client, validPort(words[3]) && validPort(words[4])
}

// validPort holds for a decimal number up to 65535 without a zero in front.
func validPort(word []byte) bool {
	if len(word) == 0 || len(word) > 5 || word[0] == '0' && len(word) > 1 {
		return false
	}
	n := 0
	for _, c := range word {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}

// The parts of a header of version 2.
const (
	binaryVersion = 0x20
	commandLocal  = 0x0
	commandProxy  = 0x1

	familyInternet  = 0x1
	familyInternet6 = 0x2
	familyUnix      = 0x3
	transportStream = 0x1
	transportLast   = 0x2 // of those that are defined

	internetSize  = 12
	internet6Size = 36
	unixSize      = 216
)

// parseBinary reads version 2. Combinations that are valid and mean nothing here fall back to the address of the connection;
// values that the protocol does not define are refused, as it demands.
func parseBinary(p []byte) (Header, int, error) {
	command, family, transport := p[12]&0x0f, p[13]>>4, p[13]&0x0f
	if p[12]&0xf0 != binaryVersion || command > commandProxy || family > familyUnix || transport > transportLast {
		return Header{}, 0, ErrNoHeader
	}
	size := int(binary.BigEndian.Uint16(p[14:binaryFixed]))
	if size > binaryLongest {
		return Header{}, 0, ErrLongHeader
	}
	if command == commandProxy && size < addressSize(family) {
		return Header{}, 0, ErrNoHeader
	}
	total := binaryFixed + size
	if len(p) < total {
		return Header{}, 0, ErrIncomplete
	}
	var client netip.Addr
	if command == commandProxy && transport == transportStream {
		client = binaryClient(family, p[binaryFixed:total])
	}
	return Header{Client: client}, total, nil
}

// addressSize is how long the addresses of a family are.
func addressSize(family byte) int {
	switch family {
	case familyInternet:
		return internetSize
	case familyInternet6:
		return internet6Size
	case familyUnix:
		return unixSize
	}
	return 0
}

// binaryClient is the source address, which comes first.
func binaryClient(family byte, p []byte) netip.Addr {
	switch family {
	case familyInternet:
		return netip.AddrFrom4([4]byte(p[:4]))
	case familyInternet6:
		return plain(netip.AddrFrom16([16]byte(p[:16])))
	}
	return netip.Addr{}
}
