package config

import "testing"

func TestTracing(t *testing.T) {
	testOptions(t, "version: 1\ntracing: VALUE"+small, "tracing",
		good(`{endpoint: "http://127.0.0.1:4318"}`),
		good(`{endpoint: "https://c.test/otlp", sample: 0.01%, headers: {X-A: b}, service_name: edge, timeout: 1s, queue: 1}`),
		good(`{endpoint: "http://c.test", sample: 0}`),
		bad(`{}`, `.endpoint: this is required`),
		bad(`{endpoint: "c.test:4318"}`, `.endpoint: expected a URL that begins with http:// or https:// and names a host`),
		bad(`{endpoint: "http://me:secret@c.test"}`,
			`.endpoint: the URL is shown to whoever reads the configuration: leave the password out, use headers`),
		bad(`{endpoint: "http://c.test", headers: {"a b": c}}`, `.headers["a b"]: "a b" is not the name of a field`),
		bad(`{endpoint: "http://c.test", headers: {Host: c}}`, `.headers.Host: the Host field is set by the variant's "host"`),
		bad(`{endpoint: "http://c.test", headers: {A: " c"}}`, `.headers.A: a field value cannot begin or end with a space`),
		bad(`{endpoint: "http://c.test", service_name: ""}`, `.service_name: this is required`),
		bad(`{endpoint: "http://c.test", timeout: 0}`, `.timeout: expected a duration above zero, got 0s`),
		bad(`{endpoint: "http://c.test", queue: 0}`, `.queue: expected 1 to 1000000, got 0`),
		bad(`{endpoint: "http://c.test", queue: 1000001}`, `.queue: expected 1 to 1000000, got 1000001`),
	)
}
