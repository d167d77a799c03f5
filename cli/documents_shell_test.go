package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shell takes a script apart, as far as documents need it: words, quotes, comments, redirections, substitutions, here-documents.
type shell struct {
	rest     string
	commands [][]string
	words    []string
	word     strings.Builder
	has      bool     // a word has begun, maybe an empty one in quotes
	drop     bool     // the word is where something is redirected to
	here     []string // the ends of here-documents that begin on the next line
}

// commandsOf are the simple commands of a script, each as its words. A substitution stands as X in a word, and its commands are in the
// list as well.
func commandsOf(script string) [][]string {
	s := &shell{rest: script}
	for s.rest != "" {
		s.step()
	}
	s.endCommand()
	return s.commands
}

// step takes the next piece.
func (s *shell) step() {
	c := s.rest[0]
	switch {
	case strings.HasPrefix(s.rest, "\\\n"):
		s.endWord()
		s.rest = s.rest[2:]
	case c == '\\' && len(s.rest) > 1:
		s.add(s.rest[1:2])
		s.rest = s.rest[2:]
	case c == '\'':
		text, after, _ := strings.Cut(s.rest[1:], "'")
		s.add(text)
		s.rest = after
	case c == '"':
		s.quoted()
	case c == '$' && s.substitution():
	case c == '#' && !s.has:
		_, after, found := strings.Cut(s.rest, "\n")
		if s.rest = after; found {
			s.rest = "\n" + after
		}
	case c == ' ' || c == '\t':
		s.endWord()
		s.rest = s.rest[1:]
	case c == '\n':
		s.endCommand()
		s.rest = s.rest[1:]
		s.skipHere()
	case c == '>' || c == '<':
		s.redirect()
	case strings.HasPrefix(s.rest, "&>"):
		s.rest = s.rest[1:]
	case strings.IndexByte("|&;()", c) >= 0:
		s.endCommand()
		s.rest = s.rest[1:]
	default:
		s.add(s.rest[:1])
		s.rest = s.rest[1:]
	}
}

func (s *shell) add(text string) {
	s.has = true
	s.word.WriteString(text)
}

// quoted takes what is between double quotes.
func (s *shell) quoted() {
	s.rest = s.rest[1:]
	s.add("")
	for s.rest != "" && s.rest[0] != '"' {
		switch {
		case s.rest[0] == '$' && s.substitution():
		case s.rest[0] == '\\' && len(s.rest) > 1:
			s.add(s.rest[1:2])
			s.rest = s.rest[2:]
		default:
			s.add(s.rest[:1])
			s.rest = s.rest[1:]
		}
	}
	s.rest = strings.TrimPrefix(s.rest, `"`)
}

// substitution takes $(...) and ${...}, and says whether there was one.
func (s *shell) substitution() bool {
	if len(s.rest) < 2 || s.rest[1] != '(' && s.rest[1] != '{' {
		return false
	}
	open, deep := s.rest[1], 0
	closing := byte(')')
	if open == '{' {
		closing = '}'
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case open:
			deep++
		case closing:
			deep--
		}
		if deep == 0 {
			if open == '(' {
				s.commands = append(s.commands, commandsOf(s.rest[2:i])...)
			}
			s.add("X")
			s.rest = s.rest[i+1:]
			return true
		}
	}
	return false
}

// redirect drops a redirection: the number before, and the word behind.
func (s *shell) redirect() {
	if strings.Trim(s.word.String(), "0123456789") == "" {
		s.word.Reset()
		s.has = false
	}
	s.endWord()
	if after, is := strings.CutPrefix(s.rest, "<<"); is && !strings.HasPrefix(after, "<") {
		line, _, _ := strings.Cut(after, "\n")
		end, _, _ := strings.Cut(strings.TrimLeft(line, " -"), " ")
		s.here = append(s.here, strings.Trim(end, `'"`))
	}
	s.rest = strings.TrimLeft(strings.TrimLeft(s.rest, "<>&-"), " ")
	s.drop = true
}

// skipHere leaves out the here-documents that the last line has opened.
func (s *shell) skipHere() {
	for _, end := range s.here {
		for s.rest != "" {
			line, after, _ := strings.Cut(s.rest, "\n")
			s.rest = after
			if strings.TrimSpace(line) == end {
				break
			}
		}
	}
	s.here = nil
}

func (s *shell) endWord() {
	if s.has && !s.drop {
		s.words = append(s.words, s.word.String())
	}
	if s.has {
		s.drop = false
	}
	s.word.Reset()
	s.has = false
}

func (s *shell) endCommand() {
	s.endWord()
	s.drop = false
	if len(s.words) > 0 {
		s.commands = append(s.commands, s.words)
	}
	s.words = nil
}

func TestCommandsOf(t *testing.T) {
	for script, want := range map[string][][]string{
		"a b  'c d' # e\nf":                         {{"a", "b", "c d"}, {"f"}},
		"a \\\n  --b \"c $(d 'e') ${F:-g}\" && h":   {{"d", "e"}, {"a", "--b", "c X X"}, {"h"}},
		"a > b 2>&1 | c >> d &\ne":                  {{"a"}, {"c"}, {"e"}},
		"cat > x <<'EOF'\nnot: a command\nEOF\nb c": {{"cat"}, {"b", "c"}},
		"a \"\" ''":         {{"a", "", ""}},
		"(a; b) || c < d e": {{"a"}, {"b"}, {"c", "e"}},
		"a#b $c \\#d":       {{"a#b", "$c", "#d"}},
	} {
		if diff := cmp.Diff(want, commandsOf(script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
}
