package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// write prints an answer in the format that was asked for. table is called for people only.
func (c *connection) write(answer []byte, table func(io.Writer) error) error {
	switch c.output {
	case formatJSON:
		return writeJSON(c.env.stdout, answer)
	case formatYAML:
		return writeYAML(c.env.stdout, answer)
	}
	return table(c.env.stdout)
}

// writeJSON prints the answer as it came, indented: members that this program does not know are kept.
func writeJSON(w io.Writer, answer []byte) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, answer, "", "  "); err != nil {
		return fmt.Errorf("the answer is not JSON: %w", err)
	}
	text := strings.TrimSpace(indented.String())
	_, err := fmt.Fprintln(w, escapeControls(text))
	return err
}

// escapeControls writes the control characters that JSON allows as they are, but terminals obey, as escapes.
func escapeControls(text string) string {
	var out strings.Builder
	for _, r := range text {
		if unsafeOnTerminals(r) && r != '\n' && r <= 0xffff {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// writeYAML prints the answer as YAML, which JSON is a part of, with its members in their order.
func writeYAML(w io.Writer, answer []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(answer, &document); err != nil {
		return fmt.Errorf("turn the answer into YAML: %w", err)
	}
	toBlocks(&document)
	text, err := yaml.Marshal(&document)
	if err != nil {
		return fmt.Errorf("turn the answer into YAML: %w", err)
	}
	_, err = io.WriteString(w, printable(string(text)))
	return err
}

// toBlocks takes JSON's braces and quotes away where YAML needs none.
func toBlocks(node *yaml.Node) {
	if len(node.Content) > 0 {
		node.Style = 0
	} else if node.Kind == yaml.ScalarNode {
		node.Style &^= yaml.DoubleQuotedStyle
	}
	for _, part := range node.Content {
		toBlocks(part)
	}
}

// grid prints rows in columns.
type grid struct{ out *tabwriter.Writer }

func newGrid(w io.Writer) grid { return grid{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// row adds one row.
func (g grid) row(cells ...string) {
	for i, cell := range cells {
		if cell == "" {
			cell = "-"
		}
		cells[i] = strings.ReplaceAll(printable(cell), "\n", " ")
	}
	// The error shows again in Flush.
	_, _ = fmt.Fprintln(g.out, strings.Join(cells, "\t"))
}

// line adds a line that keeps to no columns. The columns go on below it.
func (g grid) line(format string, args ...any) {
	text := strings.ReplaceAll(printable(fmt.Sprintf(format, args...)), "\n", " ")
	_, _ = fmt.Fprintln(g.out, text)
}

// flush prints what was added.
func (g grid) flush() error { return g.out.Flush() }

// printable takes out what a terminal would obey: part of what is shown was written by others.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unsafeOnTerminals(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// unsafeOnTerminals are control characters, and format characters that reorder or hide text.
func unsafeOnTerminals(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// lineWidth is what fits most terminals.
const lineWidth = 80

// wrapped breaks a text into lines that begin with first, the others with next.
func wrapped(text, first, next string) string {
	var out strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		long := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			out.WriteString(first)
			used = len(first)
		case used+1+long > lineWidth:
			out.WriteString("\n" + next)
			used = len(next)
		default:
			out.WriteString(" ")
			used++
		}
		out.WriteString(word)
		used += long
	}
	if used > 0 {
		out.WriteString("\n")
	}
	return out.String()
}
