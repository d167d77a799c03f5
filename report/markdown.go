package report

import (
	"strings"
)

// Markdown is the report as Markdown, with the tables of GitHub's.
func (r *Report) Markdown() []byte {
	var b strings.Builder
	b.WriteString("# " + marked(r.Service+": "+r.Sentence()) + "\n\n")
	b.WriteString("**" + marked(r.Rule) + "**\n\n")
	for _, fact := range r.facts() {
		b.WriteString("- " + fact[0] + ": " + marked(fact[1]) + "\n")
	}
	if r.Verdict != "" {
		b.WriteString("\nThe judge's last word: " + marked(r.Verdict) + "\n")
	}
	for _, t := range r.tables() {
		b.WriteString("\n## " + t.title + "\n\n")
		markdownRow(&b, t.columns)
		b.WriteString("|" + strings.Repeat(" --- |", len(t.columns)) + "\n")
		for _, row := range t.rows {
			markdownRow(&b, row)
		}
	}
	r.markdownFailures(&b)
	return []byte(b.String())
}

func markdownRow(b *strings.Builder, cells []string) {
	b.WriteString("|")
	for _, cell := range cells {
		b.WriteString(" " + marked(cell) + " |")
	}
	b.WriteString("\n")
}

// marked is foreign text as text: every character that could mean something is escaped (CommonMark 2.4; the tables and the bare
// links of GitHub's extensions).
func marked(text string) string {
	text = strings.TrimSpace(plain(text))
	var b strings.Builder
	for i, r := range text {
		switch {
		case strings.ContainsRune("\\`*_[]<>#|~&$!", r),
			i == 0 && strings.ContainsRune("-+=:", r),                                             // a list, a heading
			(r == ')' || r == '.') && numbers(text[:i]) && (i+1 == len(text) || text[i+1] == ' '), // a list
			r == '/' && strings.HasSuffix(text[:i], ":"),                                          // a bare link
			r == '.' && strings.HasSuffix(strings.ToLower(text[:i]), "www"):                       // another one
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// numbers says whether the text is a number.
func numbers(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
