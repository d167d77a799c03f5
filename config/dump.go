package config

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// servicesKey is what the section of services begins with.
const servicesKey = "services:\n"

// Dump writes the configuration as it is in effect, with its defaults, as YAML that Parse accepts. Secrets are hidden. Services
// are written one at a time: the library keeps all that it writes at once in memory, a hundred times over.
func (c *Config) Dump() ([]byte, error) {
	rest := *c
	rest.Services = nil
	text, err := yaml.Dump(&rest)
	if err != nil {
		return nil, fmt.Errorf("write the effective configuration: %w", err)
	}
	for i, name := range names(c.Services) {
		one, err := dumpService(name, c.Services[name])
		if err != nil {
			return nil, fmt.Errorf("write the effective configuration of service %s: %w", name, err)
		}
		if i > 0 {
			one = bytes.TrimPrefix(one, []byte(servicesKey))
		}
		text = append(text, one...)
	}
	return text, nil
}

// dumpService writes the section of services as if there were only one.
func dumpService(name string, s Service) ([]byte, error) {
	text, err := yaml.Dump(struct {
		Services map[string]Service `yaml:"services"`
	}{map[string]Service{name: s}})
	if err != nil || s.PolicyOverrides == nil {
		return text, err
	}
	var section yaml.Node
	if err := yaml.Unmarshal(text, &section); err != nil {
		return nil, err
	}
	s.onlyOverridden(inNode(&section, "services", name, "policy_overrides"))
	return yaml.Dump(&section)
}

// onlyOverridden leaves of policy_overrides the keys that were written: what is in effect is the whole policy, but laid over
// another one, the one for patches, it would mean more. A mapping that was emptied is written as an empty one.
func (s *Service) onlyOverridden(over *yaml.Node) {
	var kept []*yaml.Node
	for i := 0; i+1 < len(over.Content); i += 2 {
		if slices.Contains(s.Overridden, over.Content[i].Value) {
			kept = append(kept, over.Content[i], over.Content[i+1])
		}
	}
	over.Content = kept
	if checks := inNode(over, "checks"); checks != nil {
		emptied(checks, "events", len(s.PolicyOverrides.Checks.Events))
		emptied(checks, "metrics", len(s.PolicyOverrides.Checks.Metrics))
		emptied(checks, "groups", len(s.PolicyOverrides.Checks.Groups))
	}
}

// inNode is the value that keys lead to; nil where there is none.
func inNode(n *yaml.Node, keys ...string) *yaml.Node {
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	for _, key := range keys {
		i := 0
		for i < len(n.Content) && n.Content[i].Value != key {
			i += 2
		}
		if i >= len(n.Content) {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

// emptied writes a mapping without entries, which is left out otherwise.
func emptied(n *yaml.Node, key string, entries int) {
	if entries == 0 {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key},
			&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle})
	}
}
