package admin

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write openapi.json")

// TestOpenAPI holds openapi.json to openapi.yaml.
func TestOpenAPI(t *testing.T) {
	written, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document object
	if err := yaml.Unmarshal(written, &document); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(openAPI, want) {
		t.Error("openapi.json is not what openapi.yaml says: run go test ./admin -update")
	}
}

// The document is what the OpenAPI Initiative calls one of OpenAPI 3.1, with its schemas in the dialect of OpenAPI.
func TestTheDocumentIsOfOpenAPI(t *testing.T) {
	official := officialSchema(t)
	document := func() object {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
		if err != nil {
			t.Fatal(err)
		}
		return value.(object)
	}
	if err := official.Validate(document()); err != nil {
		t.Error(err)
	}
	// Each of these is none.
	for name, spoil := range map[string]func(object){
		"no title":           func(d object) { delete(d["info"].(object), "title") },
		"an unknown member":  func(d object) { d["routes"] = object{} },
		"another version":    func(d object) { d["openapi"] = "3.0.3" },
		"a path without /":   func(d object) { d["paths"].(object)["api"] = object{} },
		"a schema of no one": func(d object) { d["components"].(object)["schemas"].(object)["Bad"] = object{"type": "text"} },
	} {
		bad := document()
		spoil(bad)
		if official.Validate(bad) == nil {
			t.Errorf("%s was not noticed", name)
		}
	}
}

// officialSchema is what testdata/openapi-3.1 has, compiled.
func officialSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	root := ""
	for _, name := range []string{"meta", "dialect", "schema", "schema-base"} {
		text, err := os.ReadFile(filepath.Join("testdata", "openapi-3.1", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var schema object
		if err := yaml.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		root = schema["$id"].(string)
		if err := compiler.AddResource(root, schema); err != nil {
			t.Fatal(err)
		}
	}
	compiled, err := compiler.Compile(root)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}
