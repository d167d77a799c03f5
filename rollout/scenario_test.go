package rollout

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The scenarios are text: prose that begins with "#", commands, a line "----", and what must happen. An empty line ends what
// must happen. Run the test with -update to rewrite it; commit a rewrite only if you understand every line of the difference.
var update = flag.Bool("update", false, "rewrite the expected traces of the scenarios")

func TestScenarios(t *testing.T) {
	all := newSighted()
	files := scenarios(t)
	for _, path := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(path, "testdata/"), ".txt")
		t.Run(name, func(t *testing.T) { all.add(runScenario(t, path)) })
	}
	if all.files == len(files) { // otherwise the flag -run left some out
		all.check(t)
	}
}

// scenarios are the files, those of several services included.
func scenarios(t *testing.T) []string {
	t.Helper()
	one, err := filepath.Glob("testdata/*.txt")
	several, other := filepath.Glob("testdata/several/*.txt")
	if err != nil || other != nil || len(one) == 0 || len(several) == 0 {
		t.Fatalf("no scenarios: %v %v", err, other)
	}
	return append(one, several...)
}

func runScenario(t *testing.T, path string) *sighted {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	saw := newSighted()
	w.saw = saw
	perform := w.run
	if strings.Contains(path, "/several/") {
		perform = newParty(saw).run
	}
	var got strings.Builder
	var commands []string
	skip := false // inside what must happen
	for _, line := range strings.SplitAfter(string(want), "\n") {
		text := strings.TrimSpace(line)
		switch {
		case skip:
			if text == "" {
				skip = false
				got.WriteString(line)
			}
		case text == "----":
			got.WriteString(line)
			got.WriteString(perform(t, commands))
			commands, skip = nil, true
		default:
			if text != "" && !strings.HasPrefix(text, "#") {
				commands = append(commands, text)
			}
			got.WriteString(line)
		}
	}
	if len(commands) > 0 {
		t.Fatalf("%s ends with commands that have no ----: %q", path, commands)
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return saw
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
	return saw
}

// run executes commands and returns what happened. A comma in the trace is an order of actions.
func (w *world) run(t *testing.T, commands []string) string {
	t.Helper()
	w.trace.Reset()
	for _, line := range commands {
		words := strings.Fields(line)
		do, known := w.verbs()[words[0]]
		if !known {
			t.Fatalf("unknown command %q", line)
		}
		if err := do(words[1:]); err != nil {
			fmt.Fprintf(&w.trace, "%s error: %v\n", w.at(), err)
		}
	}
	if w.trace.Len() == 0 {
		return "nothing\n"
	}
	return w.trace.String()
}

func (w *world) verbs() map[string]func([]string) error {
	return map[string]func([]string) error{
		"spec":    w.specVerb,
		"load":    w.loadVerb,
		"advance": w.advanceVerb,
		"until":   w.untilVerb,
		"observe": w.observeVerb,
		"command": w.commandVerb,
		"budget":  w.budgetVerb,
		"restart": w.restartVerb,
		"store":   w.storeVerb,
		"view":    w.viewVerb,
		"drop":    w.dropVerb,
		"checks":  w.checksVerb,
		"losses":  w.lossesVerb,
		"answer":  w.answerVerb, "questions": w.questionsVerb, "gates": w.gatesVerb, "skip": w.skipVerb,
		"post": w.postVerb,
		"read": w.readVerb,
	}
}

var errScenario = errors.New("scenario")
