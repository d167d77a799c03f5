package webhook

import (
	"strings"
	"unicode"
)

// Plain is text from elsewhere as one line that shows what it holds: nothing that moves a cursor, turns the direction of
// writing or is invisible comes
// through, and nothing behind the longest number of characters.
func Plain(text string, longest int) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		if n++; n > longest {
			b.WriteString("...")
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
