package http1

import "testing"

func TestRequestLength(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields Fields
		want   int64
		status int
	}{
		{"none", fields("Host: a"), 0, 0},
		{"length", fields("content-LENGTH: 45"), 45, 0},
		{"zero", fields("Content-Length: 0"), 0, 0},
		{"leading zeros", fields("Content-Length: 0005"), 5, 0},
		{"largest", fields("Content-Length: 9223372036854775807"), 1<<63 - 1, 0},
		{"chunked", fields("Transfer-Encoding: chunked"), LengthChunked, 0},
		{"chunked in capitals", fields("TRANSFER-ENCODING: Chunked"), LengthChunked, 0},
		{"length, then coding", fields("Content-Length: 45", "Transfer-Encoding: chunked"), 0, 400},
		{"coding, then length", fields("Transfer-Encoding: chunked", "Content-Length: 4"), 0, 400},
		{"equal lengths", fields("Content-Length: 5", "Content-Length: 5"), 0, 400},
		{"different lengths", fields("Content-Length: 5", "Content-Length: 0"), 0, 400},
		{"list", fields("Content-Length: 5, 5"), 0, 400},
		{"plus", fields("Content-Length: +5"), 0, 400},
		{"minus", fields("Content-Length: -5"), 0, 400},
		{"hex", fields("Content-Length: 0x5"), 0, 400},
		{"letter", fields("Content-Length: 5a"), 0, 400},
		{"underscore", fields("Content-Length: 0_5"), 0, 400},
		{"inner space", fields("Content-Length: 0 5"), 0, 400},
		{"vertical tab", fields("Content-Length: \v5"), 0, 400},
		{"fraction", fields("Content-Length: 5.0"), 0, 400},
		{"quoted", fields(`Content-Length: "5"`), 0, 400},
		{"empty", fields("Content-Length: "), 0, 400},
		{"2^63", fields("Content-Length: 9223372036854775808"), 0, 400},
		{"2^64+5", fields("Content-Length: 18446744073709551621"), 0, 400},
		{"twenty digits", fields("Content-Length: 00000000000000000005"), 0, 400},
		{"identity", fields("Transfer-Encoding: identity"), 0, 400},
		{"chunked first", fields("Transfer-Encoding: chunked, identity"), 0, 400},
		{"chunked twice", fields("Transfer-Encoding: chunked, chunked"), 0, 400},
		{"two lines", fields("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), 0, 400},
		{"two lines, same", fields("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 0, 400},
		{"two lines, chunked last", fields("Transfer-Encoding: identity", "Transfer-Encoding: chunked"), 0, 400},
		{"quoted coding", fields(`Transfer-Encoding: "chunked"`), 0, 400},
		{"parameter", fields("Transfer-Encoding: chunked;q=1"), 0, 400},
		{"empty element", fields("Transfer-Encoding: chunked,"), 0, 400},
		{"empty coding", fields("Transfer-Encoding: "), 0, 400},
		{"gzip", fields("Transfer-Encoding: gzip"), 0, 400},
		{"gzip, chunked", fields("Transfer-Encoding: gzip, chunked"), 0, 501},
	} {
		got, err := RequestLength(c.fields)
		if got != c.want || statusOf(t, err) != c.status {
			t.Errorf("%s: %d, %v; want %d, status %d", c.name, got, err, c.want, c.status)
		}
	}
}
