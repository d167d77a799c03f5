package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"haldane/proxy/http1"
)

// The oracle: a small HTTP/1.1 parser for tests, written from RFC 9112 alone and apart from the one under test. Every byte
// that reaches an endpoint or a client goes through it.

// message is one request or response as it was on the wire.
type message struct {
	line     string
	fields   []string // whole lines, in order
	body     string
	trailers []string
	whole    bool // complete as far as its framing says
}

// values are the values of a field.
func (m *message) values(name string) []string { return valuesOf(m.fields, name) }

func valuesOf(lines []string, name string) []string {
	var all []string
	for _, line := range lines {
		n, v, _ := strings.Cut(line, ":")
		if strings.EqualFold(n, name) {
			all = append(all, strings.Trim(v, " \t"))
		}
	}
	return all
}

// value is the only value of a field, or "" without one; several are joined visibly.
func (m *message) value(name string) string { return strings.Join(m.values(name), " AND ") }

// status is the status code of a response.
func (m *message) status() int {
	code, _ := strconv.Atoi(strings.Split(m.line+"  ", " ")[1])
	return code
}

// target is the target of a request.
func (m *message) target() string { return strings.Split(m.line+"  ", " ")[1] }

// errSyntax marks what breaks the grammar, as opposed to what merely ends.
type errSyntax struct{ what string }

func (e errSyntax) Error() string { return e.what }

// readLine reads one line that ends in CRLF.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return line, err
	}
	if !strings.HasSuffix(line, "\r\n") || strings.ContainsAny(line[:len(line)-2], "\r\x00") {
		return "", errSyntax{fmt.Sprintf("line %q", line)}
	}
	return line[:len(line)-2], nil
}

// readLines reads field lines to the empty one.
func readLines(r *bufio.Reader) ([]string, error) {
	var lines []string
	for {
		line, err := readLine(r)
		if err != nil || line == "" {
			return lines, err
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !http1.ValidToken([]byte(name)) || !http1.ValidValue([]byte(value)) {
			return lines, errSyntax{fmt.Sprintf("field %q", line)}
		}
		lines = append(lines, line)
	}
}

// takeHead reads start line and fields.
func takeHead(r *bufio.Reader) (*message, error) {
	m := &message{}
	var err error
	if m.line, err = readLine(r); err != nil {
		return m, err
	}
	m.fields, err = readLines(r)
	return m, err
}

// framing is the length of a body: octets, -1 chunked, -2 unstated.
func (m *message) framing() (int64, error) {
	lengths, codings := m.values("Content-Length"), m.values("Transfer-Encoding")
	switch {
	case len(lengths)+len(codings) > 1:
		return 0, errSyntax{fmt.Sprintf("framing fields %q %q", lengths, codings)}
	case len(codings) == 1 && codings[0] != "chunked":
		return 0, errSyntax{fmt.Sprintf("coding %q", codings[0])}
	case len(codings) == 1:
		return -1, nil
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 62)
		if err != nil {
			return 0, errSyntax{fmt.Sprintf("length %q", lengths[0])}
		}
		return int64(n), nil
	}
	return -2, nil
}

// takeBody reads the body of a given framing. What it has got stays in the message when it fails.
func (m *message) takeBody(r *bufio.Reader, length int64) error {
	switch {
	case length == -1:
		return m.readChunks(r)
	case length == -2:
		all, err := io.ReadAll(r)
		m.body, m.whole = string(all), err == nil
		return err
	}
	got := make([]byte, length)
	n, err := io.ReadFull(r, got)
	m.body, m.whole = string(got[:n]), err == nil
	return err
}

func (m *message) readChunks(r *bufio.Reader) error {
	var body strings.Builder
	defer func() { m.body = body.String() }()
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(line, 16, 31)
		if err != nil {
			return errSyntax{fmt.Sprintf("chunk line %q", line)}
		}
		if size == 0 {
			m.trailers, err = readLines(r)
			m.whole = err == nil
			return err
		}
		data := make([]byte, size+2)
		n, err := io.ReadFull(r, data)
		body.Write(data[:min(n, int(size))])
		if err != nil {
			return err
		}
		if string(data[size:]) != "\r\n" {
			return errSyntax{fmt.Sprintf("chunk closed by %q", data[size:])}
		}
	}
}

// checkRequest holds a request head against the rules for senders.
func (m *message) checkRequest() error {
	parts := strings.Split(m.line, " ")
	if len(parts) != 3 || !http1.ValidToken([]byte(parts[0])) || parts[1] == "" || parts[2] != "HTTP/1.1" {
		return errSyntax{fmt.Sprintf("request line %q", m.line)}
	}
	if hosts := m.values("Host"); len(hosts) != 1 {
		return errSyntax{fmt.Sprintf("hosts %q", hosts)}
	}
	return nil
}

// readResponse reads one response to a request with this method.
func readResponse(r *bufio.Reader, method string) (*message, error) {
	m, err := takeHead(r)
	if err != nil {
		return m, err
	}
	if !strings.HasPrefix(m.line, "HTTP/1.1 ") || m.status() < 100 || m.status() > 599 {
		return m, errSyntax{fmt.Sprintf("status line %q", m.line)}
	}
	length, err := m.framing()
	if err != nil {
		return m, err
	}
	if m.status() < 200 || m.status() == 204 {
		if length != -2 {
			return m, errSyntax{fmt.Sprintf("framing field in %q", m.line)}
		}
		m.whole = true
		return m, nil
	}
	if method == "HEAD" || m.status() == 304 {
		m.whole = true
		return m, nil
	}
	return m, m.takeBody(r, length)
}

// isSyntax says whether an error is one of grammar.
func isSyntax(err error) bool {
	var syntax errSyntax
	return errors.As(err, &syntax)
}
