package tracing

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"strings"
	"time"

	"haldane/config"
)

// headersLongest bounds a file of fields.
const headersLongest = 64 << 10

// Settings is where and how spans are sent.
type Settings struct {
	// URL is what is posted to.
	URL string
	// Headers are sent with every message. They may be secret.
	Headers map[string]string
	// Service is the service.name of the resource.
	Service string
	// Timeout bounds a message with all its attempts, Queue the records that wait.
	Timeout time.Duration
	Queue   int
}

// Read makes settings of a section, and reads the file it names; nil for nil. An error shows no secret.
func Read(section *config.Tracing) (*Settings, error) {
	if section == nil {
		return nil, nil
	}
	address, err := url.Parse(section.Endpoint)
	if err != nil {
		return nil, errors.New("tracing.endpoint is no URL")
	}
	if strings.Trim(address.Path, "/") == "" {
		address.Path = "/v1/traces" // OTLP specification 1.7, "OTLP/HTTP Request"
	}
	s := &Settings{
		URL: address.String(), Headers: make(map[string]string), Service: section.ServiceName,
		Timeout: time.Duration(section.Timeout), Queue: section.Queue,
	}
	for name, value := range section.Headers {
		s.Headers[name] = string(value)
	}
	if section.HeadersFile == "" {
		return s, nil
	}
	file, err := os.Open(section.HeadersFile)
	if err != nil {
		return nil, fmt.Errorf("tracing.headers_file: %w", err)
	}
	defer file.Close()
	if err := s.readHeaders(file); err != nil {
		return nil, fmt.Errorf("tracing.headers_file %s: %w", section.HeadersFile, err)
	}
	return s, nil
}

// readHeaders reads fields, one "Name: value" on each line. Empty lines and those that begin with # are passed over.
func (s *Settings) readHeaders(from io.Reader) error {
	lines := bufio.NewScanner(io.LimitReader(from, headersLongest))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if err := config.CheckField(name, strings.TrimSpace(value)); !found || err != nil {
			return fmt.Errorf("line %d is no field; write one \"Name: value\" on each line", number)
		}
		s.Headers[name] = strings.TrimSpace(value)
	}
	return lines.Err()
}

// same says whether two settings send the same way.
func (s *Settings) same(other *Settings) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.URL == other.URL && s.Service == other.Service && s.Timeout == other.Timeout && s.Queue == other.Queue &&
		maps.Equal(s.Headers, other.Headers)
}
