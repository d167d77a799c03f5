package http1

// ParseFields reads the field block of a request as it was received, with the CRLF of each line and with or without the
// empty line that ends it, and appends at most limit fields to into. The fields alias block.
//
// It is strict where two readers could differ (RFC 9112 sections 2.2, 5, 11.2): no folded lines, no bare CR or LF, no
// space before the colon, names are tokens, no control characters in values. Octets from 0x80 are kept.
func ParseFields(block []byte, into Fields, limit int) (Fields, error) {
	into = into[:0]
	for len(block) > 0 {
		line, rest, err := cutLine(block)
		if err == ErrIncomplete {
			return into, malformed("field line without its end")
		}
		if err != nil {
			return into, err
		}
		if len(line) == 0 {
			if len(rest) > 0 {
				return into, malformed("empty line between fields")
			}
			return into, nil
		}
		if len(into) >= limit {
			return into, tooLarge("too many fields")
		}
		field, err := parseField(line)
		if err != nil {
			return into, err
		}
		into = append(into, field)
		block = rest
	}
	return into, nil
}
