package rollout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sighted is what has appeared in scenarios: every word of a kind, and every transition.
type sighted struct {
	files       int
	words       map[string]bool // "Hold store"
	transitions map[transition]bool
}

// transition is an event, from one phase to another.
type transition struct {
	from, to Phase
	event    EventKind
}

func newSighted() *sighted {
	return &sighted{words: map[string]bool{}, transitions: map[transition]bool{}}
}

// transition notes what a change of the state shows.
func (s *sighted) transition(before, after *State, actions []Action) {
	from := before.Phase
	if before.ID != after.ID || after.Sequence < before.Sequence { // of which the last is one that was forgotten
		from = 0
	}
	s.words["Pause "+string(after.Pause)], s.words["Hold "+string(after.Hold)] = true, true
	for _, a := range actions {
		if a.Kind != ActionAnnounce {
			continue
		}
		s.words["EventKind "+string(a.Event.Kind)], s.words["Trigger "+string(a.Event.Trigger)] = true, true
		s.transitions[transition{from, a.Event.Phase, a.Event.Kind}] = true
		from = a.Event.Phase
	}
}

func (s *sighted) add(other *sighted) {
	s.files++
	maps.Copy(s.words, other.words)
	maps.Copy(s.transitions, other.transitions)
}

// declared are the values of the constants of some types, as the source has them: "Hold store".
func declared(t *testing.T, types ...string) []string {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // one folder, no build tags
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, file := range packages["rollout"].Files {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is {
				return true
			}
			name, typed := spec.Type.(*ast.Ident)
			if !typed || !slices.Contains(types, name.Name) || len(spec.Values) != 1 {
				return true
			}
			if literal, is := spec.Values[0].(*ast.BasicLit); is {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, name.Name+" "+value)
			}
			return true
		})
	}
	if len(list) < 30 {
		t.Fatalf("only %d words were found: %s", len(list), strings.Join(list, ", "))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
