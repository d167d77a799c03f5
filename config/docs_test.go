package config

import (
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	manual = "../docs/CONFIG.md"
	// marker ends the part of the manual that people write.
	marker = "<!-- Below this line the text comes from the comments in config/: go test ./config -update -->\n"
)

// TestManual holds that docs/CONFIG.md says what the comments of the sections say.
func TestManual(t *testing.T) {
	src, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	introduction, _, found := strings.Cut(string(src), marker)
	if !found {
		t.Fatalf("%s has lost the line %q", manual, marker)
	}
	d := documenter{t: t, docs: readComments(t), where: make(map[reflect.Type]string)}
	d.section(reflect.TypeFor[Config](), "")
	want := introduction + marker + d.text.String()
	if update() {
		if err := os.WriteFile(manual, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(src)); diff != "" {
		t.Errorf("%s is not up to date (-want +got):\n%s", manual, diff)
	}
}

// TestManualExamples parses what the introduction shows.
func TestManualExamples(t *testing.T) {
	src, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(src), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Error("no examples")
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if _, err := Parse("CONFIG.md", []byte(text), environment); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// comments are the doc comments of the types and of their fields ("Type.Field").
type comments map[string]string

func readComments(t *testing.T) comments {
	t.Helper()
	docs := make(comments)
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok || general.Tok != token.TYPE {
				continue
			}
			for _, spec := range general.Specs {
				docs.add(spec.(*ast.TypeSpec), general.Doc)
			}
		}
	}
	return docs
}

func (c comments) add(spec *ast.TypeSpec, doc *ast.CommentGroup) {
	c[spec.Name.Name] = oneLine(doc.Text())
	body, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range body.Fields.List {
		for _, name := range f.Names {
			c[spec.Name.Name+"."+name.Name] = oneLine(f.Doc.Text())
		}
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// documenter writes the reference: one heading for each section, one line for each key.
type documenter struct {
	t    *testing.T
	docs comments
	// where each section is described.
	where map[reflect.Type]string
	text  strings.Builder
}

// inner is a section that a key leads to, and the path of that key.
type inner struct {
	section reflect.Type
	path    string
}

func (d *documenter) section(section reflect.Type, path string) {
	title := "`" + path + "`"
	if path == "" {
		title = "Top level"
	}
	fmt.Fprintf(&d.text, "\n## %s\n\n%s\n\n", title, d.comment(section.Name(), section.Name(), title))
	var later []inner
	for _, f := range reflect.VisibleFields(section) {
		key, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || key == "-" || strings.Contains(options, "inline") {
			continue
		}
		owner := section.Name()
		if len(f.Index) > 1 {
			owner = section.FieldByIndex(f.Index[:1]).Type.Name()
		}
		word := kind(f.Type)
		if to, suffix, ok := leadsTo(f.Type); ok {
			deeper := strings.TrimPrefix(path+"."+key, ".") + suffix
			if _, known := d.where[to]; !known {
				d.where[to] = deeper
				later = append(later, inner{to, deeper})
			}
			if d.where[to] != deeper || suffix != "" {
				word = strings.Replace(word, "section", "`"+d.where[to]+"`", 1)
			}
		}
		about := d.comment(owner+"."+f.Name, f.Name, "`"+key+"` ("+word+")")
		d.checkDefault(section, f, about)
		fmt.Fprintf(&d.text, "- %s\n", about)
	}
	for _, l := range later {
		d.section(l.section, l.path)
	}
}

// comment is a doc comment with the Go name at its beginning replaced by the word that users know.
func (d *documenter) comment(of, name, word string) string {
	text, ok := strings.CutPrefix(d.docs[of], name+" ")
	if !ok {
		d.t.Errorf("the comment of %s does not begin with %s: %q", of, name, d.docs[of])
	}
	if word == "Top level" {
		return "The file " + text
	}
	return word + " " + text
}

// checkDefault holds that a comment names the default that the code has.
func (d *documenter) checkDefault(section reflect.Type, f reflect.StructField, about string) {
	fresh := reflect.New(section)
	makeDefault(fresh)
	if section == reflect.TypeFor[ErrorCheck]() || section == reflect.TypeFor[Bake]() || section.Name() == "UpstreamTimeouts" || section == reflect.TypeFor[Tunnels]() {
		return // set by the section around; checked below
	}
	d.namesDefault(section.Name(), f, fresh.Elem().FieldByIndex(f.Index), about)
}

func (d *documenter) namesDefault(section string, f reflect.StructField, value reflect.Value, about string) {
	_, isWord := value.Interface().(encoding.TextMarshaler)
	if value.IsZero() && value.Kind() != reflect.Struct || value.Kind() == reflect.Map || value.Kind() == reflect.Struct && !isWord {
		return
	}
	text := fmt.Sprint(value.Interface())
	switch {
	case value.Kind() == reflect.Slice:
		text = strings.Trim(text, "[]")
	case value.Kind() == reflect.String, value.Kind() == reflect.Struct && isWord:
		text = `"` + text + `"`
	}
	if !strings.Contains(about, "Default "+text+".") && !strings.Contains(about, "Default "+text+", ") {
		d.t.Errorf("the comment of %s.%s does not say \"Default %s.\": %s", section, f.Name, text, about)
	}
}

// TestNestedDefaultsAreDocumented does the same for the sections whose defaults are set by the section around them.
func TestNestedDefaultsAreDocumented(t *testing.T) {
	d := documenter{t: t, docs: readComments(t)}
	c, policy := Default(), DefaultPolicy()
	variant, service := DefaultVariant(), DefaultService()
	for _, section := range []any{
		c.Listen, c.State, c.Log, c.Limits, c.Timeouts, c.Notifications, c.Prometheus, variant.Timeouts, variant.Queue, variant.Ejection, service.Retries,
		service.Limits, service.Tunnels, policy.Checks, policy.Checks.Errors, policy.Bake,
	} {
		value := reflect.ValueOf(section)
		for i := range value.NumField() {
			f := value.Type().Field(i)
			d.namesDefault(value.Type().Name(), f, value.Field(i), d.docs[value.Type().Name()+"."+f.Name])
		}
	}
	if about := d.docs["Admin.Address"]; !strings.Contains(about, `Default "`+c.Admin.Address+`".`) {
		t.Errorf("Admin.Address: %s", about)
	}
}

// leadsTo is the section behind a type, and what its path has between the key and its own keys.
func leadsTo(t reflect.Type) (section reflect.Type, suffix string, ok bool) {
	switch t.Kind() {
	case reflect.Pointer:
		return leadsTo(t.Elem())
	case reflect.Slice:
		suffix = "[]"
		t = t.Elem()
	case reflect.Map:
		suffix = ".<name>"
		t = t.Elem()
	}
	return t, suffix, t.Kind() == reflect.Struct && !t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// kind is the word for what is written behind a key.
func kind(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "duration"
	case reflect.TypeFor[Percent]():
		return "percentage"
	case reflect.TypeFor[Bytes]():
		return "size"
	case reflect.TypeFor[Secret]():
		return "text, secret"
	case reflect.TypeFor[Number](), reflect.TypeFor[Limit]():
		return "number"
	case reflect.TypeFor[StatusRange]():
		return "statuses"
	case reflect.TypeFor[StallTimeout](), reflect.TypeFor[TunnelDrain]():
		return "duration or word"
	case reflect.TypeFor[ClockTime]():
		return "time of day"
	case reflect.TypeFor[Moment]():
		return "moment"
	case reflect.TypeFor[Weekday]():
		return "day"
	case reflect.TypeFor[Zone]():
		return "text"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kind(t.Elem())
	case reflect.Slice:
		return "list of " + kind(t.Elem())
	case reflect.Map:
		return "names to " + kind(t.Elem())
	case reflect.Struct:
		return "section"
	case reflect.Int:
		return "number"
	case reflect.Bool:
		return "true or false"
	}
	return "text"
}
