package config

import (
	"cmp"
	"slices"
	"strings"
)

// MaxParts is how many parts of a service can be judged apart.
const MaxParts = 8

// What a part that fails does.
const (
	// PartAll makes it a failed check like any other.
	PartAll = "all"
	// PartAlone takes the canary from that part.
	PartAlone = "part"
)

// Partial judges parts of a service apart: each part has a check of failed requests of its own, with the settings of checks.errors
// and an equal share of alpha. Latency is judged for the service as a whole. A request belongs to one part at most: to the most
// specific template that its path matches, else to the first segment of the list that it is a member of, else to none. At most
// 8 parts.
type Partial struct {
	// Templates are paths, by the name of the part. "{x}" stands for one whole segment of a path, and "*" at the end for the
	// rest, which may be nothing: "/cart/*" matches "/cart", too. Paths are compared as sent. Where two templates match, the first
	// place in which they differ decides: a segment that is written out comes before "{x}", and that before "*".
	Templates map[string]string `yaml:"templates,omitempty"`
	// Segments are named segments, each a part of that name, in their order.
	Segments []string `yaml:"segments,omitempty"`
	// OnFailure is what a failed check of a part does: "part" takes the canary from that part alone, and the rest goes on,
	// but is not promoted without a person; "all" is a failed check like any other. With "part", it is "all" too when more than
	// half of the parts have failed, when a check of the whole service has failed that this does not explain, and for a release
	// of several services. Default "all".
	OnFailure string `yaml:"on_failure"`
}

func (p *Partial) setDefaults() { *p = Partial{OnFailure: PartAll} }

// absentWhenOff takes it away in a merge or an override.
func (*Partial) absentWhenOff() {}

// Part is one part of a service: the requests whose path matches Template, or the members of Segment.
type Part struct {
	// Name is the part's, Template its path; Segment names its segment. One of the two is empty.
	Name, Template, Segment string
}

// Parts are the parts in the order in which a request is held against them: the first that it belongs to is the one. Nil has none.
func (p *Partial) Parts() []Part {
	if p == nil {
		return nil
	}
	list := make([]Part, 0, len(p.Templates)+len(p.Segments))
	for _, name := range names(p.Templates) {
		list = append(list, Part{Name: name, Template: p.Templates[name]})
	}
	slices.SortStableFunc(list, func(a, b Part) int { return cmp.Compare(specificity(a.Template), specificity(b.Template)) })
	for _, name := range p.Segments {
		list = append(list, Part{Name: name, Segment: name})
	}
	return list[:min(len(list), MaxParts)]
}

// SplitTemplate takes a template apart; open says that it ends with "*", which is left out.
func SplitTemplate(template string) (segments []string, open bool) {
	segments = strings.Split(strings.TrimPrefix(template, "/"), "/")
	if last := len(segments) - 1; segments[last] == "*" {
		return segments[:last], true
	}
	return segments, false
}

// AnySegment says whether a segment of a template is "{x}".
func AnySegment(segment string) bool {
	return strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") && len(segment) > 2
}

// specificity orders templates: of two that match the same path, the more specific one is smaller.
func specificity(template string) string {
	segments, open := SplitTemplate(template)
	var order strings.Builder
	for _, segment := range segments {
		if AnySegment(segment) {
			order.WriteByte('b')
		} else {
			order.WriteByte('a')
		}
	}
	if open {
		order.WriteByte('c')
	}
	return order.String()
}

// pathsOf is the same for templates that match the same paths.
func pathsOf(template string) string {
	segments := strings.Split(template, "/")
	for i, segment := range segments {
		if AnySegment(segment) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// SameParts says whether two policies have the same parts.
func (p *Partial) SameParts(q *Partial) bool { return slices.Equal(p.Parts(), q.Parts()) }
