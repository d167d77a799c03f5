package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseResponseHeadDecidesTheLength(t *testing.T) {
	for _, c := range []struct {
		name, head string
		isHead     bool
		status     int
		length     int64
		declared   int64
		closes     bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, 200, 5, 5, false},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", false, 200, 5, 5, false},
		{"empty reason", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n", false, 200, 5, 5, false},
		{"chunked", "HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n", false, 200, LengthChunked, -1, false},
		{"until close", "HTTP/1.1 200 OK\r\n\r\n", false, 200, LengthUntilClose, -1, true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", false, 200, 5, 5, true},
		{"HTTP/1.0 until close", "HTTP/1.0 200 OK\r\n\r\n", false, 200, LengthUntilClose, -1, true},
		{"says close", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n", false, 200, 0, 0, true},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, 200, 0, 5, false},
		{"HEAD, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, 200, 0, -1, false},
		{"HEAD, unframed", "HTTP/1.1 200 OK\r\n\r\n", true, 200, 0, -1, false},
		{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, 304, 0, 5, false},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, 0, -1, false},
		{"204, zero", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false, 204, 0, 0, false},
		{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, 204, 0, 5, true},
		{"204, chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false, 204, 0, -1, true},
		{"100", "HTTP/1.1 100 Continue\r\n\r\n", false, 100, 0, -1, false},
		{"103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", false, 103, 0, -1, false},
		{"equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", false, 200, 5, 5, false},
		{"599", "HTTP/1.1 599 \x80\t!\r\nContent-Length: 5\r\n\r\n", false, 599, 5, 5, false},
	} {
		var r Response
		n, err := ParseResponseHead([]byte(c.head+"rest"), c.isHead, &r)
		if err != nil || n != len(c.head) || r.Status != c.status || r.Length != c.length || r.ContentLength != c.declared || r.Closes != c.closes {
			t.Errorf("%s: %d octets of %d, %+v, %v", c.name, n, len(c.head), r, err)
		}
		for cut := range len(c.head) {
			if _, err := ParseResponseHead([]byte(c.head[:cut]), c.isHead, &r); err != ErrIncomplete {
				t.Errorf("%s cut at %d: %v", c.name, cut, err)
			}
		}
	}
}

func TestParseResponseHeadRefuses(t *testing.T) {
	for name, head := range map[string]string{
		"TLS":                 "\x15\x03\x01\x00\x02\x02F",
		"another protocol":    "ICY 200 OK\r\nContent-Length: 2\r\n\r\n",
		"HTTP/2":              "HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.2":            "HTTP/1.2 200 OK\r\n\r\n",
		"HTTP/1.10":           "HTTP/1.10 200 OK\r\n\r\n",
		"lower case":          "http/1.1 200 OK\r\n\r\n",
		"leading CRLF":        "\r\nHTTP/1.1 200 OK\r\n\r\n",
		"leading space":       " HTTP/1.1 200 OK\r\n\r\n",
		"two spaces":          "HTTP/1.1  200 OK\r\n\r\n",
		"tab":                 "HTTP/1.1\t200 OK\r\n\r\n",
		"status 000":          "HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\n",
		"status 099":          "HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\n",
		"status 600":          "HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\n",
		"letters":             "HTTP/1.1 2x0 X\r\nContent-Length: 2\r\n\r\n",
		"negative":            "HTTP/1.1 -20 X\r\nContent-Length: 2\r\n\r\n",
		"four digits":         "HTTP/1.1 2000 X\r\nContent-Length: 2\r\n\r\n",
		"two digits":          "HTTP/1.1 20\r\nContent-Length: 2\r\n\r\n",
		"no status":           "HTTP/1.1\r\n\r\n",
		"NUL in reason":       "HTTP/1.1 200 O\x00K\r\n\r\n",
		"CR in reason":        "HTTP/1.1 200 O\rK\r\n\r\n",
		"space before colon":  "HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n",
		"length with space":   "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n",
		"fold":                "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n",
		"NUL in value":        "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\n\r\n",
		"CR in value":         "HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: x=1\r\n\r\n",
		"LF only":             "HTTP/1.1 200 OK\nX-A: 1\n\n",
		"LF in the middle":    "HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\n\r\n",
		"no colon":            "HTTP/1.1 200 OK\r\nFoo\r\n\r\n",
		"different lengths":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n",
		"list of lengths":     "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
		"plus":                "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
		"wrap":                "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\n",
		"empty length":        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"bad length of HEAD":  "HTTP/1.1 304 OK\r\nContent-Length: x\r\n\r\n",
		"coding and length":   "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"gzip, chunked":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"identity":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
		"coding twice":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		"coding in HTTP/1.0":  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"coding in a 1xx":     "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
		"endless fields":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", MaxResponseFields+1) + "\r\n",
		"response in request": "GET / HTTP/1.1\r\n\r\n",
	} {
		var r Response
		_, err := ParseResponseHead([]byte(head), false, &r)
		if statusOf(t, err) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseResponseHeadRefusesOtherProtocolsAtTheirFirstOctet(t *testing.T) {
	var r Response
	for _, first := range []string{"\x15", "S", "HTTP/2", "\n", "\r"} {
		if _, err := ParseResponseHead([]byte(first), false, &r); statusOf(t, err) == 0 {
			t.Errorf("%q: %v", first, err)
		}
	}
}

func FuzzResponseHead(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 204\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\nX-A: 1\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", "HTTP/1.1 20", "HTTP/1.1 099 X\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: x=1\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n", "ICY 200 OK\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, buf []byte, isHead bool) {
		var r Response
		n, err := ParseResponseHead(buf, isHead, &r)
		_, ready := HeadReady(buf, 0)
		if err == ErrIncomplete && ready || err == nil && !ready {
			t.Fatalf("HeadReady says %v, the parser %v", ready, err)
		}
		checkPieces(t, buf, ready)
		if err != nil {
			return
		}
		for _, cut := range []int{0, n / 2, n - 1} {
			var part Response
			if _, err := ParseResponseHead(buf[:cut], isHead, &part); err != ErrIncomplete {
				t.Fatalf("complete, but cut at %d: %v", cut, err)
			}
		}
		checkRewritten(t, &r, isHead)
		checkAgainstStandardLibrary(t, buf[:n], isHead, &r)
	})
}

// checkPieces checks that HeadReady finds the same when the head comes octet by octet.
func checkPieces(t *testing.T, buf []byte, want bool) {
	from, ready := 0, false
	for end := 0; end <= len(buf) && !ready; end++ {
		from, ready = HeadReady(buf[:end], from)
	}
	if ready != want {
		t.Fatalf("HeadReady in pieces: %v, at once: %v", ready, want)
	}
}

// checkRewritten checks that what we would send on is read as what we have read.
func checkRewritten(t *testing.T, r *Response, isHead bool) {
	kept := RemoveHopByHop(r.Fields, nil)
	head := AppendResponseHead(nil, &ResponseHead{Status: r.Status, Reason: r.Reason, Fields: kept, Length: r.Length})
	var again Response
	n, err := ParseResponseHead(head, isHead, &again)
	if err != nil || n != len(head) || again.Status != r.Status || again.Length != r.Length && !(isHead || r.Status == 304) {
		t.Fatalf("written %q, read %+v, %v", head, again, err)
	}
	if diff := cmp.Diff(lines(kept.Delete("Content-Length")), lines(again.Fields.Delete("Content-Length").Delete("Transfer-Encoding"))); diff != "" {
		t.Fatal(diff)
	}
}

// checkAgainstStandardLibrary checks that another reader of the same octets sees the same, where it reads them at all.
func checkAgainstStandardLibrary(t *testing.T, head []byte, isHead bool, r *Response) {
	req := &http.Request{Method: "GET"}
	if isHead {
		req.Method = "HEAD"
	}
	other, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), req)
	if err != nil {
		return
	}
	defer other.Body.Close()
	if other.StatusCode != r.Status || other.ProtoMinor != r.Minor {
		t.Fatalf("net/http reads %s %s, we read 1.%d %d", other.Proto, other.Status, r.Minor, r.Status)
	}
	var length int64
	switch {
	case isHead || r.Status == 304 || r.Status == 204 || r.Status < 200:
		return
	case len(other.TransferEncoding) > 0:
		length = LengthChunked
	case other.ContentLength < 0:
		length = LengthUntilClose
	default:
		length = other.ContentLength
	}
	if length != r.Length {
		t.Fatalf("net/http reads length %d, we read %d", length, r.Length)
	}
}
