package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

const (
	letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numerals = "0123456789"
)

// only says whether text is not empty and made of the given characters alone.
func only(text, characters string) bool {
	return text != "" && strings.Trim(text, characters) == "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune(characters, r)
	})
}

// isName says whether text can name a service, a variant, a segment or a policy: names stand in metrics, URLs and logs.
func isName(text string) bool {
	return only(text, letters+numerals+"._-") && strings.Contains(letters+numerals, text[:1])
}

// isToken says whether text is a token of RFC 9110 section 5.6.2: the name of a field, a method or a cookie.
func isToken(text string) bool { return only(text, letters+numerals+"!#$%&'*+-.^_`|~") }

// reservedField says whether a field is the proxy's own business: those of one connection (RFC 9110 section 7.6.1), those
// that frame a message (RFC 9112 section 6), and Host.
func reservedField(name string) bool {
	return slices.Contains([]string{
		"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
		"upgrade",
	}, strings.ToLower(name))
}

// fieldName checks the name of a field that Haldane writes.
func fieldName(name string) error {
	switch {
	case !isToken(name):
		return fmt.Errorf("%q is not the name of a field", name)
	case strings.EqualFold(name, "host"):
		return errors.New(`the Host field is set by the variant's "host"`)
	case reservedField(name):
		return fmt.Errorf("the field %s belongs to the connection or frames the message; it cannot be changed", name)
	}
	return nil
}

// fieldValue checks the value of a field (RFC 9110 section 5.5).
func fieldValue(value string) error {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("a field value cannot hold the control character %U", c)
		}
	}
	if strings.Trim(value, " \t") != value {
		return errors.New("a field value cannot begin or end with a space")
	}
	return nil
}

// addressUse is what an address is for.
type addressUse int

const (
	// toListen allows an empty host (every address of the machine) and port 0 (a free one).
	toListen addressUse = iota + 1
	// toConnect needs both.
	toConnect
)

// address checks host:port.
func address(text string, use addressUse) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("expected host:port, got %q", text)
	}
	if host != "" && !isHost(host) {
		return fmt.Errorf("%q is neither a host name nor an address", host)
	}
	if use == toConnect && host == "" {
		return fmt.Errorf("the host is missing in %q", text)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || !digits(port):
		return fmt.Errorf("expected a port from 1 to 65535, got %q", port)
	case use == toConnect && number == 0:
		return errors.New("port 0 cannot be connected to")
	}
	return nil
}

// isHost says whether text is an IP address or a host name. An underscore is no letter of a host name, but container
// networks use it.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	for label := range strings.SplitSeq(text, ".") {
		if !only(label, letters+numerals+"-_") || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(text) <= 253
}

// hostPattern checks the host of a match rule.
func hostPattern(text string) error {
	name := strings.TrimPrefix(text, "*.")
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	switch {
	case strings.Contains(name, "*"):
		return fmt.Errorf(`a wildcard stands for whole labels at the front, as in "*.example.com", got %q`, text)
	case isHost(name) && (name == text || !isIP(name)) && !strings.Contains(name, ":"):
		return nil
	case name == text && "["+bare+"]" == name && strings.Contains(bare, ":") && isIP(bare):
		return nil
	case strings.LastIndexByte(name, ':') > 0:
		return fmt.Errorf("a host is matched without its port, got %q", text)
	}
	return fmt.Errorf("%q is not a host name", text)
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// network checks an address or a network of clients.
func network(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return fmt.Errorf("expected an address or a network such as 10.0.0.0/8, got %q", text)
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	if prefix.Addr().Is4In6() {
		return fmt.Errorf("write %q as an IPv4 address", text)
	}
	return nil
}

// path checks a path or the beginning of one, as it stands in a request.
func path(text string) error {
	switch {
	case !strings.HasPrefix(text, "/"):
		return fmt.Errorf(`a path begins with "/", got %q`, text)
	case strings.ContainsAny(text, "?#"):
		return fmt.Errorf("a path has no query, got %q", text)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return fmt.Errorf("a path is compared as it is sent: write spaces and other characters percent-encoded in %q", text)
	}
	return nil
}

// expression checks a regular expression.
func expression(text string) error {
	_, err := regexp.Compile(text)
	var detail *syntax.Error
	if errors.As(err, &detail) {
		return fmt.Errorf("not a regular expression: %s: %q", detail.Code, shorten(detail.Expr))
	}
	return err
}
