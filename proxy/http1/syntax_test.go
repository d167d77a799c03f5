package http1

import "testing"

func TestValidValueLooksAtEveryOctetInEveryPlace(t *testing.T) {
	for c := range 256 {
		want := c >= ' ' && c != 0x7f || c == '\t'
		for length := 1; length < 20; length++ {
			for at := range length {
				for _, other := range []byte{' ', 'a', 0x80, 0xff, '\t'} {
					b := make([]byte, length)
					for i := range b {
						b[i] = other
					}
					b[at] = byte(c)
					if ValidValue(b) != want {
						t.Fatalf("%q: %v", b, !want)
					}
				}
			}
		}
	}
}

func TestValidToken(t *testing.T) {
	const tchar = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var allowed [256]bool
	for i := range len(tchar) {
		allowed[tchar[i]] = true
	}
	for c := range 256 {
		if ValidToken([]byte{'a', byte(c)}) != allowed[c] {
			t.Errorf("%#x", c)
		}
	}
	if ValidToken(nil) {
		t.Error("empty")
	}
}
