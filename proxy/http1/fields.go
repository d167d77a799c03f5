package http1

import (
	"bytes"
	"iter"
)

// Field is one header or trailer field, name in the sender's spelling. The bytes alias the buffer they were read from.
type Field struct {
	// Name is the field name, a token (RFC 9110 section 5.1).
	Name []byte
	// Value is the field value without the white space around it.
	Value []byte
}

// Fields are the fields of one message in their order.
type Fields []Field

// Names sums up which names a list of fields may have: a bit for each length and first letter (a filter of one hash: B. Bloom, "Space/time
// trade-offs in hash coding with allowable errors", 1970). Most of what is looked for is not there, and mostly this is enough to know.
type Names uint64

// Names is the summary of the names of the fields.
func (f Fields) Names() (n Names) {
	for i := range f {
		n |= nameBit(f[i].Name)
	}
	return n
}

// May reports whether there may be a field with this name, whatever its spelling. No means that there is none.
func (n Names) May(name string) bool { return n&nameBit(name) != 0 }

// nameBit is the same for all spellings; there is none for no name, which no field has.
func nameBit[T ~string | ~[]byte](name T) Names {
	if len(name) == 0 {
		return 0
	}
	return 1 << ((uint(len(name))*5 + uint(name[0]|0x20)) % 64)
}

// Get returns the value of the first field with this name, whatever its spelling, and whether there is one.
func (f Fields) Get(name string) ([]byte, bool) {
	for i := range f {
		if EqualFold(f[i].Name, name) {
			return f[i].Value, true
		}
	}
	return nil, false
}

// All yields the values of all fields with this name in their order.
func (f Fields) All(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range f {
			if EqualFold(f[i].Name, name) && !yield(f[i].Value) {
				return
			}
		}
	}
}

// Count returns how many fields have this name.
func (f Fields) Count(name string) int {
	n := 0
	for i := range f {
		if EqualFold(f[i].Name, name) {
			n++
		}
	}
	return n
}

// HasToken reports whether any field with this name lists the token (RFC 9110 section 5.6.1), whatever its spelling.
func (f Fields) HasToken(name, token string) bool {
	for i := range f {
		if EqualFold(f[i].Name, name) && listHas(f[i].Value, token) {
			return true
		}
	}
	return false
}

// Delete removes all fields with this name in place and returns the shortened list.
func (f Fields) Delete(name string) Fields {
	kept := f[:0]
	for i := range f {
		if !EqualFold(f[i].Name, name) {
			kept = append(kept, f[i])
		}
	}
	clear(f[len(kept):])
	return kept
}

// nextElement cuts the first element off a comma-separated list. Empty elements are returned too: they are for the caller
// to skip (RFC 9110 section 5.6.1.2).
func nextElement(list []byte) (element, rest []byte, more bool) {
	if i := bytes.IndexByte(list, ','); i >= 0 {
		return trimOWS(list[:i]), list[i+1:], true
	}
	return trimOWS(list), nil, false
}

func listHas[T ~string | ~[]byte](list []byte, token T) bool {
	for more := true; more; {
		var element []byte
		element, list, more = nextElement(list)
		if EqualFold(element, token) {
			return true
		}
	}
	return false
}

// cutLine cuts the first line, without its CRLF, off buf. A bare LF or CR does not end a line (RFC 9112 section 2.2 lets a
// recipient accept the LF; two readers that disagree about it are how requests are smuggled). With no whole line in buf
// it returns ErrIncomplete.
func cutLine(buf []byte) (line, rest []byte, err error) {
	i := bytes.IndexByte(buf, '\n')
	if i < 0 {
		return nil, buf, ErrIncomplete
	}
	if i == 0 || buf[i-1] != '\r' {
		return nil, buf, malformed("line ends with a bare LF")
	}
	return buf[:i-1], buf[i+1:], nil
}

// parseField reads one field line without its CRLF (RFC 9112 section 5).
func parseField(line []byte) (Field, error) {
	if len(line) > 0 && isBlank(line[0]) {
		// RFC 9112 section 5.2: a folded line; section 2.2: or white space before the first field.
		return Field{}, malformed("field line starts with white space")
	}
	// A token has no white space, so this refuses the space before the colon as well (RFC 9112 section 5.1).
	colon := tokenEnd(line)
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		if bytes.IndexByte(line, ':') < 0 {
			return Field{}, malformed("field line without a colon")
		}
		return Field{}, malformed("field name is not a token")
	}
	value := line[colon+1:]
	if !ValidValue(value) {
		return Field{}, malformed("control character in a field value")
	}
	return Field{Name: line[:colon:colon], Value: trimOWS(value)}, nil
}

// parseFieldLines reads field lines up to and with the empty line that ends them, appends them to into and returns what
// follows. It returns ErrIncomplete when the empty line has not been seen.
func parseFieldLines(buf []byte, into Fields, limit int) (Fields, []byte, error) {
	for {
		line, rest, err := cutLine(buf)
		if err != nil {
			return into, buf, err
		}
		buf = rest
		if len(line) == 0 {
			return into, buf, nil
		}
		if len(into) >= limit {
			return into, buf, tooLarge("too many fields")
		}
		field, err := parseField(line)
		if err != nil {
			return into, buf, err
		}
		into = append(into, field)
	}
}

// headEnd looks for the end of a head or a trailer section in buf, from the offset that the last call returned. It
// counts a bare LF as an end as well: not to accept it, but because the parser can then say no and need not wait for more.
func headEnd(buf []byte, from int) (next int, found bool) {
	for {
		i := bytes.IndexByte(buf[from:], '\n')
		if i < 0 {
			return len(buf), false
		}
		at := from + i
		if at == 0 || buf[at-1] != '\r' {
			return at, true
		}
		if at == 1 || at >= 3 && buf[at-2] == '\n' {
			return at, true
		}
		from = at + 1
	}
}
