package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// What a terminal is told (ECMA-48, and the private modes of xterm).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the alternate screen, without a cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l" // as it was before
	toTop       = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// The size that is drawn for when the terminal does not say its own.
const (
	usualColumns = 80
	usualRows    = 24
)

// screen is the whole of a terminal. Enter takes it, leave gives it back.
type screen struct {
	out     io.Writer
	size    func() (columns, rows int) // nil, or zeros, when it is not known
	resized <-chan os.Signal
	stop    func() // of the above
}

// enterOn takes a terminal.
func enterOn(e env) (*screen, error) {
	s := &screen{out: e.stdout, size: e.size, stop: func() {}}
	if e.resizes != nil {
		s.resized, s.stop = e.resizes()
	}
	if _, err := io.WriteString(s.out, enterScreen); err != nil {
		s.stop()
		return nil, fmt.Errorf("take the screen: %w", err)
	}
	return s, nil
}

// leave gives it back as it was.
func (s *screen) leave() {
	s.stop()
	_, _ = io.WriteString(s.out, leaveScreen) // there is nothing else to try
}

// bounds are its columns and rows.
func (s *screen) bounds() (columns, rows int) {
	if s.size != nil {
		columns, rows = s.size()
	}
	if columns < 20 || rows < 4 { // unknown, or too small for anything
		return max(columns, usualColumns), max(rows, usualRows)
	}
	return columns, rows
}

// draw puts lines in the place of those before, in one write, so that nothing flickers.
func (s *screen) draw(lines []string) error {
	var page strings.Builder
	page.WriteString(toTop)
	for i, l := range lines {
		if i > 0 {
			page.WriteString("\r\n")
		}
		page.WriteString(l + clearLine)
	}
	page.WriteString(clearBelow)
	_, err := io.WriteString(s.out, page.String())
	return err
}

// paletteOf is what the terminal can show: colours unless NO_COLOR is set (no-color.org), and blocks where the language is written in
// UTF-8.
func paletteOf(e env) palette {
	language := e.lookup("LC_ALL", e.lookup("LC_CTYPE", e.lookup("LANG", "")))
	language = strings.ToUpper(strings.ReplaceAll(language, "-", ""))
	return palette{colors: e.lookup("NO_COLOR", "") == "", blocks: strings.Contains(language, "UTF8")}
}
