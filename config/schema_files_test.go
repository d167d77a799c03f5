package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// compile reads the schema with a validator that others wrote.
func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	src, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(src)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("haldane.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("haldane.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// instance is a document as editors see it: anchors followed and merges done.
func instance(t *testing.T, src []byte) any {
	t.Helper()
	var document yaml.Node
	if err := yaml.Load(src, &document); err != nil {
		return nil // what is no YAML is no matter of a schema
	}
	return plainOf(t, &document)
}

func plainOf(t *testing.T, n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plainOf(t, n.Content[0])
	case yaml.AliasNode:
		return plainOf(t, n.Alias)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, plainOf(t, item))
		}
		return list
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Tag == "!!merge" {
				merge(t, all, plainOf(t, n.Content[i+1]))
			}
		}
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Tag != "!!merge" {
				all[n.Content[i].Value] = plainOf(t, n.Content[i+1])
			}
		}
		return all
	}
	return scalarOf(n)
}

func merge(t *testing.T, into map[string]any, from any) {
	t.Helper()
	switch from := from.(type) {
	case map[string]any:
		for key, value := range from {
			into[key] = value
		}
	case []any:
		for _, one := range slices.Backward(from) {
			merge(t, into, one)
		}
	}
}

func scalarOf(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if _, err := strconv.ParseFloat(n.Value, 64); err == nil && json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

// Every example, and every whole file in the documents, is good for the schema.
func TestSchemaTakesWhatIsGood(t *testing.T) {
	schema := compile(t)
	files := map[string][]byte{}
	for _, pattern := range []string{"../examples/*.yaml", "../docs/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(path) == ".yaml" {
				files[path] = src
				continue
			}
			for i, block := range strings.Split(string(src), "```yaml\n")[1:] {
				text, _, _ := strings.Cut(block, "```")
				files[path+"#"+strconv.Itoa(i)] = []byte(text)
			}
		}
	}
	defaults := Default()
	defaults.Version = 1
	dump, err := defaults.Dump()
	if err != nil {
		t.Fatal(err)
	}
	files["the defaults"] = append(dump, "\nservices: {shop: {variants: {v1: {endpoints: [\"127.0.0.1:9001\"]}}}}\n"...)
	for name, src := range files {
		if err := schema.Validate(instance(t, src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(files) < 20 {
		t.Errorf("only %d files were found", len(files))
	}
}

// What is wrong by its shape is wrong for the schema. What is wrong by its meaning is left to "haldane check".
func TestSchemaRefusesWhatIsBad(t *testing.T) {
	schema := compile(t)
	paths, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shapes := []string{
		"key-unknown", "type-", "version-", "services-missing", "log-", "state-store", "policy-on-failure", "step-advance-when", "service-start",
		"yaml-list", "budget", "check-latency-key", "check-latency-off", "check-outcomes", "service-stall", "variant-ejection-on", "timeouts-negative",
	}
	// How much a text stands for is no matter of its shape.
	meant := []string{"type-number-octal.yaml", "type-percent-exact.yaml", "type-percent-large.yaml", "type-size-large.yaml"}
	refused := 0
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "yaml-") && name != "yaml-list.yaml" {
			continue // editors read YAML by themselves; circles and bombs are among these
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := schema.Validate(instance(t, src)) != nil
		if bad {
			refused++
		}
		shape := slices.ContainsFunc(shapes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if shape && !bad && !slices.Contains(meant, name) {
			t.Errorf("%s is good for the schema", name)
		}
	}
	t.Logf("%d of %d bad files are refused", refused, len(paths))
}
