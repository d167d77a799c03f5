package cli

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Every link within the repository leads to something that is there, and every anchor to a heading.
func TestDocumentsLinks(t *testing.T) {
	anchors := map[string][]string{}
	all := documents(t)
	for _, d := range all {
		anchors[d.path] = headings(d.text)
	}
	links := 0
	for _, d := range all {
		for _, link := range linksOf(d.text) {
			links++
			if err := follow(d.path, link, anchors); err != nil {
				t.Errorf("%s: %v", d.path, err)
			}
		}
	}
	if links < 100 {
		t.Errorf("%d links were found", links)
	}
}

// Every document is reached from the README, over other documents.
func TestDocumentsAreReached(t *testing.T) {
	texts := map[string]string{}
	for _, d := range documents(t) {
		texts[d.path] = d.text
	}
	reached := map[string]bool{"README.md": true, "CHANGELOG.md": true}
	for queue := []string{"README.md"}; len(queue) > 0; queue = queue[1:] {
		for _, link := range linksOf(texts[queue[0]]) {
			file, _, _ := strings.Cut(link, "#")
			to := path.Join(path.Dir(queue[0]), file)
			if _, is := texts[to]; is && !reached[to] {
				reached[to] = true
				queue = append(queue, to)
			}
		}
	}
	for name := range texts {
		if !reached[name] && path.Dir(name) != "docs/runbooks" {
			t.Errorf("no way leads from README.md to %s", name)
		}
	}
}

// follow says whether a link of a document leads to something.
func follow(from, link string, anchors map[string][]string) error {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return nil
	}
	file, anchor, _ := strings.Cut(link, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
	}
	if _, err := os.Stat(filepath.Join(repository, to)); err != nil {
		return fmt.Errorf("%s leads to nothing", link)
	}
	if anchor != "" && !slices.Contains(anchors[to], anchor) {
		return fmt.Errorf("%s: %s has no such heading", link, to)
	}
	return nil
}

// linksOf are the targets of links and pictures, in Markdown and in HTML.
func linksOf(text string) []string {
	text = regexp.MustCompile("`[^`\n]*`").ReplaceAllString(prose(text), "``")
	var found []string
	for _, pattern := range []string{`\]\(<?([^)>\s]+)`, `(?:src|srcset|href)="([^"]+)"`, `(?m)^\[[^\]]+\]: (\S+)`} {
		for _, link := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found = append(found, link[1])
		}
	}
	return found
}

// headings are the anchors that a forge makes of the headings of a document.
func headings(text string) []string {
	var found []string
	seen := map[string]int{}
	for line := range strings.SplitSeq(prose(text), "\n") {
		title := strings.TrimLeft(line, "#")
		if level := len(line) - len(title); level == 0 || level > 6 || !strings.HasPrefix(title, " ") {
			continue
		}
		title = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(title, "$1")
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title))
		if n := seen[slug]; n > 0 {
			found = append(found, fmt.Sprintf("%s-%d", slug, n))
		} else {
			found = append(found, slug)
		}
		seen[slug]++
	}
	return found
}

// Links that lead nowhere.
func TestBadLinksAreFound(t *testing.T) {
	const text = "# A `b`, c\n\n## A\n## A\n[x](#a-b-c) ![y](images/z.svg) <img src=\"q.png\"> `[no](link)`\n```text\n# not a heading\n[no](link)\n```\n[r]: s.md\n"
	if found := strings.Join(linksOf(text), " "); found != "#a-b-c images/z.svg q.png s.md" {
		t.Error(found)
	}
	if found := strings.Join(headings(text), " "); found != "a-b-c a a-1" {
		t.Error(found)
	}
	anchors := map[string][]string{"docs/JUDGE.md": {"the-judge"}}
	for link, good := range map[string]bool{
		"JUDGE.md": true, "JUDGE.md#the-judge": true, "../README.md": true, "https://example.com/none": true, "../examples": true,
		"JUGDE.md": false, "JUDGE.md#the-jury": false, "CONTRIBUTING.md": false, "images/none.svg": false,
	} {
		if err := follow("docs/CONFIG.md", link, anchors); (err == nil) != good {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// What the README compares in its table of other tools is what its table of the judge has.
func TestReadmeSaysWhatWasMeasured(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	compared, _, _ := strings.Cut(string(text), "<!-- bench/judge: end -->")
	for line := range strings.SplitSeq(compared, "\n") {
		if cells := strings.Split(line, " | "); len(cells) > 2 {
			rows[strings.TrimPrefix(cells[0], "| ")] = cells[1:]
		}
	}
	for i, rule := range []string{"Haldane", "Flagger", "Argo", "Kayenta"} {
		said := rows["healthy releases rolled back (such rules, simulated, below)"]
		if len(said) < 4 || len(rows[rule]) == 0 || !strings.HasPrefix(rows[rule][0], said[i]+";") {
			t.Errorf("%s: %q beside %q", rule, said, rows[rule])
		}
	}
}
