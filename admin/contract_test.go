package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// object is a JSON object.
type object = map[string]any

// contract is the document of the API, ready to hold answers to.
type contract struct {
	t        *testing.T
	document object
	compiler *jsonschema.Compiler
	tried    map[string]bool // "GET /path 200": what was seen of it
}

// the dialect of schemas in OpenAPI 3.1 is that of JSON Schema 2020-12 with annotations (OpenAPI 3.1.1 section 4.8.24).
func newContract(t *testing.T) *contract {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{t: t, document: document.(object), compiler: jsonschema.NewCompiler(), tried: make(map[string]bool)}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	return c
}

// at is what a pointer into the document (RFC 6901) leads to; references on the way are followed. place is where it ended.
func (c *contract) at(pointer string) (value any, place string) {
	c.t.Helper()
	value = any(c.document)
	place = "#"
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "#/"), "/") {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch inside := value.(type) {
		case object:
			value = inside[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(inside) {
				c.t.Fatalf("%s leads nowhere", pointer)
			}
			value = inside[i]
		}
		place += "/" + step
		if value == nil {
			c.t.Fatalf("%s leads nowhere: there is no %s", pointer, place)
		}
		if o, is := value.(object); is {
			if ref, is := o["$ref"].(string); is {
				value, place = c.at(ref)
			}
		}
	}
	return value, place
}

func escaped(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// operation is where the document has an operation.
func operation(method, path string) string {
	return "#/paths/" + escaped(path) + "/" + strings.ToLower(method)
}

// holds an answer to what the document says about its operation.
func (c *contract) holds(method, path string, got answer) {
	c.t.Helper()
	op := operation(method, path)
	responses, _ := c.at(op + "/responses")
	status := fmt.Sprint(got.status)
	c.tried[method+" "+path+" "+status] = true
	if _, said := responses.(object)[status]; !said {
		if got.status < 400 {
			c.t.Errorf("%s %s: the document has no answer %s", method, path, status)
			return
		}
		status = "default"
	}
	described, place := c.at(op + "/responses/" + status)
	if headers, is := described.(object)["headers"].(object); is && got.status < 400 {
		for name := range headers {
			if name != replayedField && got.header.Get(name) == "" {
				c.t.Errorf("%s %s %s: the field %s is missing", method, path, status, name)
			}
		}
	}
	content, is := described.(object)["content"].(object)
	if !is {
		if got.body != "" {
			c.t.Errorf("%s %s %s: has a body that the document does not speak of: %s", method, path, status, got.body)
		}
		return
	}
	kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if content[kind] == nil {
		c.t.Errorf("%s %s %s: is %s, the document has %v", method, path, status, kind, slices.Sorted(maps.Keys(content)))
		return
	}
	if strings.HasSuffix(kind, "json") {
		c.fits(place+"/content/"+escaped(kind)+"/schema", method+" "+path+" "+status, got.body)
	}
}

// fits holds a JSON text to a schema of the document.
func (c *contract) fits(schema, what, text string) {
	c.t.Helper()
	if err := c.check(schema, text); err != nil {
		c.t.Errorf("%s does not fit the document: %v\n%.2000s", what, err, text)
	}
}

func (c *contract) check(schema, text string) error {
	c.t.Helper()
	compiled, err := c.compiler.Compile("openapi.json" + schema)
	if err != nil {
		c.t.Fatalf("%s: %v", schema, err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

// Every path is in the document, and every path of the document is there.
func TestEveryPathIsInTheDocument(t *testing.T) {
	o := options(newFake())
	o.TakeOverPath, o.Config.Profiles = "/-/take-over", true
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var served, documented []string
	for _, one := range s.table(&door{links: &Links{}}) {
		served = append(served, strings.TrimSuffix(one.pattern, "{$}")) // which only says that nothing may follow
	}
	for path, item := range newContract(t).document["paths"].(object) {
		for method := range item.(object) {
			if method != "parameters" {
				documented = append(documented, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(documented)
	if diff := cmp.Diff(served, documented); diff != "" {
		t.Errorf("-served +documented:\n%s", diff)
	}
}

// The document is one of OpenAPI 3.1: all references lead somewhere, all schemas are schemas, operations have names of their own,
// answers, and the parameters of their paths. Its examples fit their schemas.
func TestTheDocumentIsSound(t *testing.T) {
	c := newContract(t)
	if version := c.document["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		t.Errorf("version %s", version)
	}
	for name := range c.document["components"].(object)["schemas"].(object) {
		if _, err := c.compiler.Compile("openapi.json#/components/schemas/" + name); err != nil {
			t.Error(err)
		}
	}
	used := c.references()
	for _, group := range []string{"schemas", "parameters", "responses", "headers"} {
		for name := range c.document["components"].(object)[group].(object) {
			if !used["#/components/"+group+"/"+name] {
				t.Errorf("nothing uses %s %s", group, name)
			}
		}
	}
	names := make(map[string]bool)
	for path, item := range c.document["paths"].(object) {
		for method, about := range item.(object) {
			if method == "parameters" {
				continue
			}
			name, _ := about.(object)["operationId"].(string)
			if name == "" || names[name] || about.(object)["summary"] == nil || about.(object)["tags"] == nil {
				t.Errorf("%s %s: operationId %q", method, path, name)
			}
			names[name] = true
			c.sound(method, path)
		}
	}
}

// references are all references of the document, each of which leads somewhere.
func (c *contract) references() map[string]bool {
	used := make(map[string]bool)
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case object:
			if ref, is := value["$ref"].(string); is && !used[ref] {
				used[ref] = true
				c.at(ref)
			}
			for name, inside := range value {
				if inside == nil {
					c.t.Errorf("%q is nothing: a comma in a text without quotes makes such a member", name)
				}
				walk(inside)
			}
		case []any:
			for _, inside := range value {
				walk(inside)
			}
		}
	}
	walk(c.document)
	return used
}

// sound checks one operation.
func (c *contract) sound(method, path string) {
	op := operation(method, path)
	responses, _ := c.at(op + "/responses")
	if responses.(object)["default"] == nil {
		c.t.Errorf("%s %s: nothing is said about other answers", method, path)
	}
	var declared, needed []string
	for _, where := range []string{"#/paths/" + escaped(path), op} {
		value, _ := c.at(where)
		list, _ := value.(object)["parameters"].([]any)
		for i := range list {
			parameter, _ := c.at(fmt.Sprintf("%s/parameters/%d", where, i))
			if parameter.(object)["in"] == "path" {
				declared = append(declared, parameter.(object)["name"].(string))
			}
		}
	}
	for _, part := range regexp.MustCompile(`\{([^}]+)\}`).FindAllStringSubmatch(path, -1) {
		needed = append(needed, part[1])
	}
	if diff := cmp.Diff(needed, declared); diff != "" {
		c.t.Errorf("%s %s: parameters of the path (-needed +declared):\n%s", method, path, diff)
	}
	value, _ := c.at(op)
	if body, is := value.(object)["requestBody"].(object); is {
		place := op + "/requestBody/content/application~1json"
		media := body["content"].(object)["application/json"].(object)
		examples := []any{media["example"]}
		if several, is := media["examples"].(object); is {
			examples = nil
			for _, one := range several {
				examples = append(examples, one.(object)["value"])
			}
		}
		for _, example := range examples {
			text, err := json.Marshal(example)
			if err != nil {
				c.t.Error(err)
			}
			c.fits(place+"/schema", "the example of "+method+" "+path, string(text))
		}
	}
}
