package config

import "testing"

func TestVariables(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		c := mustParse(t, "version: 1\nservices: {shop: {variants: {v1: {endpoints: [\"a:1\"], revision: "+text+"}}}}")
		if got := c.Services["shop"].Variants["v1"].Revision; got != want {
			t.Errorf("%s became %q; want %q", text, got, want)
		}
	}
	f(`"${PORT}"`, "8081")
	f(`"a${PORT}b${PORT}c"`, "a8081b8081c")
	f(`"${NONE:-x y}"`, "x y")
	f(`"${EMPTY:-x}"`, "x")
	f(`"${EMPTY}"`, "")
	f(`"${PORT:-x}"`, "8081")
	f(`"${PORT:?must be set}"`, "8081")
	f(`"${NONE:-a:b}"`, "a:b")
	f(`"$$"`, "$")
	f(`"$${PORT}"`, "${PORT}")
	f(`"$$$${PORT}"`, "$${PORT}")
	f(`"^v[0-9]+$"`, "^v[0-9]+$")
	f(`"$PORT"`, "$PORT")
	f(`"${DOLLAR}"`, "${PORT} $$") // what a variable holds is not looked into
	f(`'${PORT}'`, "8081")
}

func TestVariablesKeepTheirKind(t *testing.T) {
	c := mustParse(t, `
version: 1
x-port: &port ${PORT}
limits:
  fields: ${PORT}
  connections: *port
listen:
  address: ":${PORT}"
segments:
  "by-${PORT}": {header: X-A}
policies:
  quick:
    steps: ["${NONE:-5%}"]
`+small)
	if c.Limits.Fields != 8081 || c.Limits.Connections != 8081 || c.Listen.Address != ":8081" {
		t.Errorf("%+v %+v", c.Limits, c.Listen)
	}
	if _, ok := c.Segments["by-8081"]; !ok {
		t.Errorf("keys are not expanded: %v", names(c.Segments))
	}
	if got := c.Policies["quick"].Steps[0].Weight; got != 5*percentUnit {
		t.Errorf("the short step is %s", got)
	}
}

// TestVariablesCannotInject holds that a value stays a value.
func TestVariablesCannotInject(t *testing.T) {
	getenv := func(string) (string, bool) { return "x\nservices: {}\n# ", true }
	c, err := Parse("h.yaml", []byte("version: 1\ndefault_service: shop\nlog: {level: info}\nservices: {shop: {variants: {v1: {endpoints: [\"a:1\"], revision: \"${X}\"}}}}"), getenv)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Services["shop"].Variants["v1"].Revision; got != "x\nservices: {}\n# " {
		t.Errorf("got %q", got)
	}
}
