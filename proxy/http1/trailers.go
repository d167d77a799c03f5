package http1

// ForbiddenTrailer reports whether a field must not be sent in a trailer section because framing, routing,
// authentication, request modifiers, content handling or response control depend on it (RFC 9110 section 6.5.1), or because
// applications trust it to come from the proxy. Such trailers are dropped in both directions.
func ForbiddenTrailer(name []byte) bool {
	if len(name) == 0 || isHopByHop(name) || isFraming(name) {
		return true
	}
	switch lower(name[0]) {
	case 'a':
		return EqualFold(name, "Authorization") || EqualFold(name, "Age")
	case 'c':
		return EqualFold(name, "Cookie") || EqualFold(name, "Cache-Control") || hasPrefixFold(name, "Content-")
	case 'd':
		return EqualFold(name, "Date")
	case 'e':
		return EqualFold(name, "Expect") || EqualFold(name, "Expires")
	case 'f':
		return EqualFold(name, "Forwarded")
	case 'h':
		return EqualFold(name, "Host")
	case 'i':
		return hasPrefixFold(name, "If-")
	case 'l':
		return EqualFold(name, "Location")
	case 'm':
		return EqualFold(name, "Max-Forwards")
	case 'p':
		return EqualFold(name, "Pragma") || hasPrefixFold(name, "Proxy-")
	case 'r':
		return EqualFold(name, "Range") || EqualFold(name, "Retry-After")
	case 's':
		return EqualFold(name, "Set-Cookie")
	case 'v':
		return EqualFold(name, "Vary")
	case 'w':
		return EqualFold(name, "Warning") || EqualFold(name, "WWW-Authenticate")
	case 'x':
		return hasPrefixFold(name, "X-Forwarded-") || EqualFold(name, "X-Real-IP")
	}
	return false
}

func hasPrefixFold(name []byte, prefix string) bool {
	return len(name) >= len(prefix) && EqualFold(name[:len(prefix)], prefix)
}

// dropForbidden removes forbidden trailers in place.
func dropForbidden(fields Fields) Fields {
	kept := fields[:0]
	for i := range fields {
		if !ForbiddenTrailer(fields[i].Name) {
			kept = append(kept, fields[i])
		}
	}
	return kept
}
