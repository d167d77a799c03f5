package config

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// Dump writes the configuration as it is in effect, with its defaults, as YAML that Parse accepts. Secrets are hidden.
func (c *Config) Dump() ([]byte, error) {
	text, err := yaml.Dump(c)
	if err != nil {
		return nil, fmt.Errorf("write the effective configuration: %w", err)
	}
	return text, nil
}
