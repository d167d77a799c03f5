package listen

import (
	"crypto/tls"
	"strings"
)

// shelf finds certificates by the name that a client asks for. It is never changed.
type shelf struct {
	all    []*tls.Certificate
	byName map[string][]int // in lower case; a wildcard as it is written: "*.example.com"
}

func newShelf(certificates []*tls.Certificate) *shelf {
	s := &shelf{all: certificates, byName: make(map[string][]int)}
	for i, certificate := range certificates {
		for _, name := range certificate.Leaf.DNSNames {
			name = strings.ToLower(name)
			s.byName[name] = append(s.byName[name], i)
		}
	}
	return s
}

// choose is the first certificate that is good for the name and that the client can make use of, or else the first that it
// can, or else the first: then the client says what is wrong.
func (s *shelf) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if len(s.all) == 1 {
		return s.all[0], nil
	}
	found := s.among(hello, s.byName[name])
	if _, parent, ok := strings.Cut(name, "."); ok {
		// A wildcard stands for one label (RFC 9525 section 6.3).
		found = first(found, s.among(hello, s.byName["*."+parent]))
	}
	if found >= 0 {
		return s.all[found], nil
	}
	for _, certificate := range s.all {
		if usable(hello, certificate) {
			return certificate, nil
		}
	}
	return s.all[0], nil
}

// among is the first of these that the client can make use of, or -1.
func (s *shelf) among(hello *tls.ClientHelloInfo, indexes []int) int {
	for _, i := range indexes {
		if hello.SupportsCertificate(s.all[i]) == nil {
			return i
		}
	}
	return -1
}

// usable says whether the client can make use of a certificate that is not for the name it asked for.
func usable(hello *tls.ClientHelloInfo, certificate *tls.Certificate) bool {
	nameless := *hello
	nameless.ServerName = ""
	return nameless.SupportsCertificate(certificate) == nil
}

// first is the smaller of two positions, where -1 is none.
func first(a, b int) int {
	if a < 0 || b < 0 {
		return max(a, b)
	}
	return min(a, b)
}
