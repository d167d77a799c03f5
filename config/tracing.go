package config

import "net/url"

// queueMost bounds the requests that may wait to be sent as traces: each is a few hundred bytes.
const queueMost = 1_000_000

// Tracing sends OpenTelemetry spans of sampled requests to a collector, over OTLP/HTTP. Where nothing is sampled, or this section is
// left out, the trace context of a request goes on as it came.
type Tracing struct {
	// Endpoint is the URL of the collector: "http://127.0.0.1:4318". Without a path, /v1/traces is added. Required.
	Endpoint string `yaml:"endpoint"`
	// Sample is the share of traces that is recorded, decided by the id of the trace. A request that comes from one of
	// listen.trusted_proxies with a trace of its own is recorded if, and only if, its sender has recorded it. Zero records only those.
	// Default 1%.
	Sample Percent `yaml:"sample"`
	// Headers are fields that are sent to the collector, such as Authorization. Their values are secrets. Default: none.
	Headers map[string]Secret `yaml:"headers,omitempty"`
	// HeadersFile is the path of a file with more of them, one "Name: value" on each line; it is read at each reload. Default: none.
	HeadersFile string `yaml:"headers_file,omitempty"`
	// ServiceName is the service.name under which the spans are known. Default "haldane".
	ServiceName string `yaml:"service_name"`
	// Timeout bounds how long one message to the collector may take with all its attempts, and how long a stopping process waits for
	// the last ones. Above 0. Default 10s.
	Timeout Duration `yaml:"timeout"`
	// Queue is how many sampled requests may wait to be sent; more are not recorded, and counted. From 1 to 1000000. Default 2048.
	Queue int `yaml:"queue"`
}

func (t *Tracing) setDefaults() {
	*t = Tracing{Sample: percentUnit, ServiceName: "haldane", Timeout: seconds(10), Queue: 2048}
}

func (v *validator) tracing(t *Tracing, at place) {
	if t == nil {
		return
	}
	v.needed(at.key("endpoint"), t.Endpoint)
	if t.Endpoint != "" {
		v.check(at.key("endpoint"), WebAddress(t.Endpoint))
		if u, err := url.Parse(t.Endpoint); err == nil && u.User != nil {
			v.problems.wrong(at.key("endpoint"), "the URL is shown to whoever reads the configuration: leave the password out, use headers")
		}
	}
	for _, name := range names(t.Headers) {
		v.check(at.key("headers").key(name), CheckField(name, string(t.Headers[name])))
	}
	v.needed(at.key("service_name"), t.ServiceName)
	v.positive(at.key("timeout"), t.Timeout)
	if t.Queue < 1 || t.Queue > queueMost {
		v.problems.wrong(at.key("queue"), "expected 1 to %d, got %d", queueMost, t.Queue)
	}
}

// CheckField checks the name and the value of a field that Haldane sends. No error shows the value.
func CheckField(name, value string) error {
	if err := fieldName(name); err != nil {
		return err
	}
	return fieldValue(value)
}
