package http1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendRequestHead(t *testing.T) {
	for _, c := range []struct {
		method string
		length int64
		want   string
	}{
		{"GET", 0, ""},
		{"DELETE", 0, ""},
		{"POST", 0, "Content-Length: 0\r\n"},
		{"GET", 7, "Content-Length: 7\r\n"},
		{"PUT", LengthChunked, "Transfer-Encoding: chunked\r\n"},
	} {
		r := Request{
			Method: []byte(c.method), Target: []byte("/a?b"), Length: c.length,
			Fields: fields("hOST: a.test", "content-length: 99", "Transfer-encoding: gzip", "X-A: "),
		}
		want := c.method + " /a?b HTTP/1.1\r\nhOST: a.test\r\nX-A: \r\n" + c.want + "\r\n"
		if diff := cmp.Diff(want, string(AppendRequestHead(nil, &r))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAppendResponseHead(t *testing.T) {
	for _, c := range []struct {
		status int
		length int64
		want   string
	}{
		{200, 0, "Content-Length: 0\r\n"},
		{200, 5, "Content-Length: 5\r\n"},
		{200, LengthChunked, "Transfer-Encoding: chunked\r\n"},
		{200, LengthUntilClose, ""},
		{304, LengthUnstated, ""},
		{304, 5, "Content-Length: 5\r\n"},
		{204, 5, ""},
		{103, LengthChunked, ""},
	} {
		h := ResponseHead{
			Status: c.status, Reason: []byte("Why Not"), Length: c.length,
			Fields: fields("date: x", "Content-Length: 3", "Set-Cookie: a=1", "Set-Cookie: b=2"), More: fields("Via: v"),
		}
		want := "HTTP/1.1 " + string([]byte{byte('0' + c.status/100), byte('0' + c.status/10%10), byte('0' + c.status%10)}) +
			" Why Not\r\ndate: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVia: v\r\n" + c.want + "\r\n"
		if diff := cmp.Diff(want, string(AppendResponseHead(nil, &h))); diff != "" {
			t.Error(diff)
		}
	}
}
