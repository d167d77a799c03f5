package rawhttp

import (
	"errors"
	"testing"
)

// The oracle must be able to say no: each of these breaks one rule for senders.

func TestOracleRefusesRequests(t *testing.T) {
	for name, raw := range map[string]string{
		"bare LF in the request line":   "GET / HTTP/1.1\nHost: a\r\n\r\n",
		"bare LF behind a field":        "GET / HTTP/1.1\r\nHost: a\n\r\n",
		"bare CR":                       "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
		"NUL":                           "GET / HTTP/1.1\r\nHost: a\x00\r\n\r\n",
		"older version":                 "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"later version":                 "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
		"two spaces":                    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"method":                        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
		"no slash":                      "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
		"asterisk":                      "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
		"absolute target":               "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"fragment":                      "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
		"no host":                       "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                     "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
		"userinfo in the host":          "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
		"fold":                          "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
		"space before the colon":        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		"space in a name":               "GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n",
		"no colon":                      "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
		"control in a value":            "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
		"empty line first":              "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"length and coding":             "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"two lengths":                   "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"length with sign":              "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
		"empty length":                  "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
		"unknown coding":                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
		"chunk size":                    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
		"empty chunk size":              "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n",
		"chunk size over all bounds":    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000f\r\nx\r\n0\r\n\r\n",
		"bare LF behind a chunk size":   "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
		"bare LF behind a chunk":        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
		"chunk that is too long":        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
		"trailer that is no field":      "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n",
		"trailers without a proper end": "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: y\r\n\n",
	} {
		_, _, err := parseRequest([]byte(raw))
		var v violation
		if !errors.As(err, &v) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOracleTakesRequests(t *testing.T) {
	const head = "POST /a?b HTTP/1.1\r\nHost: a:1\r\nX-A:  b \r\n"
	for name, raw := range map[string]string{
		"no body": head + "\r\n",
		"length":  head + "Content-Length: 4\r\n\r\nbody",
		"chunks":  head + "Transfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n01\r\ny\r\n0\r\nT: u\r\n\r\n",
	} {
		r, n, err := parseRequest([]byte(raw + "NEXT"))
		if err != nil || n != len(raw) || !r.whole || r.target != "/a?b" || r.fields.values("x-a")[0] != "b" {
			t.Errorf("%s: %+v, %d of %d, %v", name, r, n, len(raw), err)
		}
		if name != "no body" && string(r.body) != "body" {
			t.Errorf("%s: body %q", name, r.body)
		}
		for cut := range len(raw) {
			if r, _, err := parseRequest([]byte(raw[:cut])); err != errUnfinished || r != nil && r.whole {
				t.Errorf("%s, cut after %d: %+v, %v", name, cut, r, err)
			}
		}
	}
}

func TestOracleRefusesResponses(t *testing.T) {
	for name, raw := range map[string]string{
		"older version":           "HTTP/1.0 200 OK\r\n\r\n",
		"status of two digits":    "HTTP/1.1 20 OK\r\n\r\n",
		"status of six":           "HTTP/1.1 600 OK\r\n\r\n",
		"no space for the reason": "HTTP/1.1 200\r\n\r\n",
		"control in the reason":   "HTTP/1.1 200 O\x01K\r\n\r\n",
		"length in 204":           "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
		"coding in 103":           "HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n",
		"surplus behind close":    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n",
		"surplus":                 "HTTP/1.1 204 No\r\n\r\nbody\r\n\r\n",
		"length and coding":       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		if _, err := parseResponses([]byte(raw), nil, stillOpen); err == nil {
			t.Errorf("%s: no violation", name)
		}
	}
}

func TestOracleTakesResponses(t *testing.T) {
	const raw = "HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" +
		"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest"
	for end, whole := range map[ending]bool{stillOpen: false, closed: true, reset: false} {
		all, err := parseResponses([]byte(raw), []string{"HEAD", "GET"}, end)
		if err != nil || len(all) != 4 {
			t.Fatalf("%d responses, %v", len(all), err)
		}
		if !all[0].interim() || !all[1].whole || string(all[2].body) != "ok" || string(all[3].body) != "rest" || all[3].whole != whole {
			t.Errorf("ended %d: %+v", end, all[3])
		}
	}
}
