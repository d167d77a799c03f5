package rawhttp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// verb is what a step does.
type verb uint8

const (
	send      verb = iota // text, count times, with a pause after each
	pause                 // nothing, for a while
	halfClose             // no more bytes from here, but still reading
	hangUp                // close both directions
	resetConn             // close with RST
	await                 // go on when the text has come, or after the pause
	echo                  // send back what comes until the other side closes
	linger                // keep the connection, and notice when the other side closes
	readSlow              // of a client: read nothing for a while
)

// step is one thing that a client or an endpoint does.
type step struct {
	verb  verb
	text  string
	count int
	pause time.Duration
}

// script is what an endpoint does with the requests that reach it.
type script struct {
	steps   []step // for every request
	target  string // but not for those with this target, if there is one
	special []step // for those
	early   bool   // answer when the head has come
	stale   bool   // read, and close without an answer, every request but the first of a connection
}

// trial is one case.
type trial struct {
	name, group string
	must        bool   // a case that is not must is should
	rule        string // where it is written
	why         string
	client      []step
	endpoint    script
	checks      []check
	after       []step  // what another client sends when the case is over
	afterChecks []check // what that one must see
	limit       time.Duration
}

// check is one thing that must hold in the end.
type check struct {
	subject string // "expect", "client" or "endpoint"
	what    string
	rest    string
}

// String is the check as it was written.
func (c check) String() string { return strings.TrimSpace(c.subject + " " + c.what + " " + c.rest) }

// defaultAnswer is what an endpoint says when the case does not.
const defaultAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// parseCases reads a file of cases. The language is described in testdata/README.md.
func parseCases(group, text string) ([]trial, error) {
	var all []trial
	for number, block := range strings.Split("\n"+text, "\ncase ") {
		if number == 0 {
			continue // what stands above the first case is for readers
		}
		some, err := parseBlock(group, block)
		if err != nil {
			name, _, _ := strings.Cut(block, "\n")
			return nil, fmt.Errorf("%s, case %s: %w", group, name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// variation is one playing of a case whose text has a gap.
type variation struct{ name, value string }

// parseBlock reads one case, once for each of its variations.
func parseBlock(group, block string) ([]trial, error) {
	lines := strings.Split(block, "\n")
	var body []string
	var variations []variation
	for _, line := range lines[1:] {
		rest, found := strings.CutPrefix(line, "with ")
		if !found {
			body = append(body, line)
			continue
		}
		name, value, _ := strings.Cut(rest, " ")
		variations = append(variations, variation{"-" + name, value})
	}
	if variations == nil {
		variations = []variation{{"", "{}"}}
	}
	var all []trial
	for _, v := range variations {
		t := trial{name: strings.TrimSpace(lines[0]) + v.name, group: group, limit: 4 * time.Second}
		for _, line := range body {
			if err := t.parseLine(strings.ReplaceAll(line, "{}", v.value)); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
		}
		if t.rule == "" || len(t.client) == 0 || len(t.checks) == 0 {
			return nil, fmt.Errorf("%s has no rule, no client or nothing to check", t.name)
		}
		all = append(all, t)
	}
	return all, nil
}

// parseLine takes in one line of a case.
func (t *trial) parseLine(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
		return nil
	case "must", "should":
		t.must, t.rule = word == "must", rest
	case "why":
		t.why = strings.TrimSpace(t.why + " " + strings.TrimSpace(rest))
	case ">", "<", ">!", "<!":
		return t.parseStep(word, rest)
	case "on":
		t.endpoint.target = rest
	case "early":
		t.endpoint.early = true
	case "stale":
		t.endpoint.stale = true
	case "then":
		t.after = []step{}
	case "limit":
		var err error
		t.limit, err = time.ParseDuration(rest)
		return err
	case "expect", "client", "endpoint":
		return t.parseCheck(word, rest)
	default:
		if !strings.HasPrefix(word, "#") {
			return fmt.Errorf("unknown word %q", word)
		}
	}
	return nil
}

func (t *trial) parseCheck(subject, rest string) error {
	what, rest, _ := strings.Cut(rest, " ")
	text, err := unescape(rest)
	if err != nil {
		return err
	}
	c := check{subject, what, text}
	if t.after != nil {
		t.afterChecks = append(t.afterChecks, c)
	} else {
		t.checks = append(t.checks, c)
	}
	return nil
}

// parseStep takes in a line of a client (>) or of an endpoint (<): text, or with ! something else to do.
func (t *trial) parseStep(word, rest string) error {
	s, err := parseText(rest)
	if strings.HasSuffix(word, "!") {
		s, err = parseAction(rest)
	}
	if err != nil {
		return err
	}
	target := &t.client
	switch {
	case word[0] == '<' && t.endpoint.target != "":
		target = &t.endpoint.special
	case word[0] == '<':
		target = &t.endpoint.steps
	case t.after != nil:
		target = &t.after
	}
	*target = append(*target, s)
	return nil
}

// parseText reads a line to be sent: with CRLF at its end, unless it ends in a backslash.
func parseText(line string) (step, error) {
	text, bare := strings.CutSuffix(line, `\`)
	if bare && strings.HasSuffix(text, `\`) {
		text, bare = line, false // an escaped backslash
	}
	text, err := unescape(text)
	if !bare {
		text += "\r\n"
	}
	return step{verb: send, text: text, count: 1}, err
}

// parseAction reads a step that is more than a line.
func parseAction(line string) (step, error) {
	word, rest, _ := strings.Cut(line, " ")
	s := step{count: 1}
	var err error
	switch word {
	case "close":
		s.verb = hangUp
	case "reset":
		s.verb = resetConn
	case "half-close":
		s.verb = halfClose
	case "echo":
		s.verb = echo
	case "pause", "linger", "read-nothing":
		s.verb = map[string]verb{"pause": pause, "linger": linger, "read-nothing": readSlow}[word]
		s.pause, err = time.ParseDuration(rest)
	case "await":
		s.verb, s.pause = await, 2*time.Second
		s.text, err = unescape(rest)
	case "repeat": // repeat COUNT TEXT
		number, text, _ := strings.Cut(rest, " ")
		if s.count, err = strconv.Atoi(number); err == nil {
			s.text, err = unescape(text)
		}
	case "drip": // drip COUNT PAUSE TEXT
		parts := strings.SplitN(rest, " ", 3)
		if len(parts) < 3 {
			return s, fmt.Errorf("drip needs a count, a pause and a text")
		}
		if s.count, err = strconv.Atoi(parts[0]); err == nil {
			s.pause, err = time.ParseDuration(parts[1])
		}
		if err == nil {
			s.text, err = unescape(parts[2])
		}
	default:
		return s, fmt.Errorf("unknown action %q", word)
	}
	return s, err
}

// unescape reads \r \n \t \0 \s (a space) \\ and \xHH.
func unescape(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			return "", fmt.Errorf("a lone backslash at the end of %q", text)
		}
		if text[i] == 'x' && i+2 < len(text) {
			b, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return "", err
			}
			out.WriteByte(byte(b))
			i += 2
			continue
		}
		at := strings.IndexByte("rnt0s\\", text[i])
		if at < 0 {
			return "", fmt.Errorf("unknown escape \\%c", text[i])
		}
		out.WriteByte("\r\n\t\x00 \\"[at])
	}
	return out.String(), nil
}
