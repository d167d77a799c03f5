package rawhttp

import (
	"strings"
)

// request is one request as it reached the endpoint.
type request struct {
	message
	method, target string
}

// parseRequest reads one request from the front of the bytes and says how long it is. With errUnfinished the request holds
// what there is, once its head is complete; before that it is nil.
func parseRequest(data []byte) (*request, int, error) {
	c := &cursor{data: data}
	start, err := c.line()
	if err != nil {
		return nil, 0, err
	}
	r := &request{message: message{start: start}}
	if r.fields, err = c.section(); err != nil {
		return nil, 0, err
	}
	if err := r.checkStart(); err != nil {
		return nil, 0, err
	}
	framing, err := r.framing()
	if err != nil {
		return nil, 0, err
	}
	if framing != unframed { // RFC 9112 section 6.3, rule 7: without a statement there is no body
		if err := r.take(c, framing); err != nil {
			return r, 0, err
		}
	}
	r.whole = true
	return r, c.at, nil
}

// checkStart checks the request line and Host (RFC 9112 sections 3 and 3.2). A proxy sends its own version, which is 1.1.
func (r *request) checkStart() error {
	parts := strings.Split(r.start, " ")
	if len(parts) != 3 || !isToken(parts[0]) || parts[2] != "HTTP/1.1" {
		return violationf("request line %q", shorten([]byte(r.start)))
	}
	r.method, r.target = parts[0], parts[1]
	if !isTarget(r.method, r.target) {
		return violationf("target %q", shorten([]byte(r.target)))
	}
	hosts := r.fields.values("host")
	if len(hosts) != 1 {
		return violationf("%d Host fields", len(hosts))
	}
	if strings.ContainsAny(hosts[0], "@/?#\\ \t,") {
		return violationf("Host %q", hosts[0])
	}
	return nil
}

// isTarget says whether a target is what goes to an origin server: origin-form, or * with OPTIONS.
func isTarget(method, target string) bool {
	if target == "*" {
		return method == "OPTIONS"
	}
	if !strings.HasPrefix(target, "/") {
		return false
	}
	for _, b := range []byte(target) {
		if b <= 0x20 || b == 0x7f || b == '#' {
			return false // octets above ASCII are no part of a URI, but of much that is sent as one
		}
	}
	return true
}

// response is one response as it reached the client.
type response struct {
	message
	status int
	size   int // bytes from the front of the transcript to its end
}

// interim says whether another response follows for the same request. 101 ends HTTP on the connection, and is final.
func (r *response) interim() bool { return r.status < 200 && r.status != 101 }

// ending is how a connection ended.
type ending uint8

const (
	stillOpen ending = iota
	closed           // in order, by FIN
	reset            // by RST
)

// parseResponses reads everything that a client got. The methods are those of its requests, in order; more requests than
// that are taken as GET.
func parseResponses(data []byte, methods []string, end ending) ([]*response, error) {
	var all []*response
	c := &cursor{data: data}
	for len(c.rest()) > 0 {
		method := "GET"
		if n := countFinal(all); n < len(methods) {
			method = methods[n]
		}
		r, err := nextResponse(c, method, end)
		all = append(all, r)
		r.size = c.at
		if err == errUnfinished {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if r.status == 101 {
			return all, nil
		}
		if closes(r) && !r.interim() && len(c.rest()) > 0 {
			return all, violationf("%q behind a response with Connection: close", shorten(c.rest()))
		}
	}
	return all, nil
}

func countFinal(all []*response) int {
	n := 0
	for _, r := range all {
		if !r.interim() {
			n++
		}
	}
	return n
}

func closes(r *response) bool {
	return strings.Contains(strings.ToLower(strings.Join(r.fields.values("connection"), ",")), "close")
}

// nextResponse reads one response.
func nextResponse(c *cursor, method string, end ending) (*response, error) {
	r := &response{}
	var err error
	if r.start, err = c.line(); err != nil {
		return r, err
	}
	if r.status, err = statusOf(r.start); err != nil {
		return r, err
	}
	if r.fields, err = c.section(); err != nil {
		return r, err
	}
	framing, err := r.framing()
	if err != nil {
		return r, err
	}
	if r.status < 200 || r.status == 204 {
		if framing != unframed { // RFC 9110 section 8.6, RFC 9112 section 6.1
			return r, violationf("%q with a framing field", r.start)
		}
		r.whole = true
		return r, nil
	}
	if method == "HEAD" || r.status == 304 {
		r.whole = true
		return r, nil
	}
	if framing == unframed {
		r.body, r.whole = c.rest(), end == closed
		c.at = len(c.data)
		return r, nil
	}
	err = r.take(c, framing)
	r.whole = err == nil
	return r, err
}

// statusOf takes a status line apart (RFC 9112 section 4).
func statusOf(line string) (int, error) {
	code, found := strings.CutPrefix(line, "HTTP/1.1 ")
	if !found || len(code) < 4 || code[3] != ' ' || code[0] < '1' || code[0] > '5' {
		return 0, violationf("status line %q", shorten([]byte(line)))
	}
	n := 0
	for _, b := range []byte(code[:3]) {
		if b < '0' || b > '9' {
			return 0, violationf("status line %q", shorten([]byte(line)))
		}
		n = 10*n + int(b-'0')
	}
	for _, b := range []byte(code[4:]) {
		if b < 0x20 && b != '\t' || b == 0x7f {
			return 0, violationf("status line %q", shorten([]byte(line)))
		}
	}
	return n, nil
}
