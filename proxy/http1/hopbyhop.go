package http1

// HopByHop reports whether the field name is for this hop alone (RFC 9110 section 7.6.1): one of the known ones, or
// named in any Connection field of fields. Host and Content-Length are end-to-end whoever names them: a sender that could have them
// removed would choose the framing or the address of what is forwarded.
func HopByHop(fields Fields, name []byte) bool {
	if isHopByHop(name) {
		return true
	}
	return !isProtected(name) && nominated(fields, name)
}

// RemoveHopByHop appends to into the fields that go on to the next hop, in their order. into must not share its memory
// with fields. Left out are all that HopByHop names: Connection and what it lists, Keep-Alive, Proxy-Connection, TE, Trailer,
// Transfer-Encoding, Upgrade. Of TE only "trailers" is kept, because trailers do pass. Content-Length stays; the writers of
// this package leave it out and write the framing themselves.
func RemoveHopByHop(fields, into Fields) Fields {
	nominates := false
	for i := range fields {
		// What nearly every Connection says names a field that stays behind in any case.
		if EqualFold(fields[i].Name, "Connection") && !EqualFold(fields[i].Value, "keep-alive") {
			nominates = true
			break
		}
	}
	keptTE := false
	for i := range fields {
		name := fields[i].Name
		switch {
		case isHopByHop(name):
			if !keptTE && EqualFold(name, "TE") && listHas(fields[i].Value, "trailers") {
				keptTE = true
				into = append(into, Field{Name: name, Value: trailersElement(fields[i].Value)})
			}
		case nominates && !isProtected(name) && nominated(fields, name):
		default:
			into = append(into, fields[i])
		}
	}
	return into
}

// isHopByHop names the fields that are for one hop even when no Connection field lists them.
func isHopByHop(name []byte) bool {
	switch len(name) {
	case len("TE"):
		return EqualFold(name, "TE")
	case len("Upgrade"):
		return EqualFold(name, "Upgrade") || EqualFold(name, "Trailer")
	case len("Connection"):
		return EqualFold(name, "Connection") || EqualFold(name, "Keep-Alive")
	case len("Proxy-Connection"):
		return EqualFold(name, "Proxy-Connection")
	case len("Transfer-Encoding"):
		return EqualFold(name, "Transfer-Encoding")
	}
	return false
}

func isProtected(name []byte) bool {
	switch len(name) {
	case len("Host"):
		return EqualFold(name, "Host")
	case len("Content-Length"):
		return EqualFold(name, "Content-Length")
	}
	return false
}

// nominated reports whether any Connection field lists name. All lines count: looking at the first alone lets a sender
// hide an option behind an empty one.
func nominated(fields Fields, name []byte) bool {
	for i := range fields {
		if EqualFold(fields[i].Name, "Connection") && listHas(fields[i].Value, name) {
			return true
		}
	}
	return false
}

// trailersElement returns the element "trailers" of a TE list that has it.
func trailersElement(list []byte) []byte {
	for more := true; more; {
		var element []byte
		element, list, more = nextElement(list)
		if EqualFold(element, "trailers") {
			return element
		}
	}
	return nil
}
