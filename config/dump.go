package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Dump writes the configuration as it is in effect, with its defaults, as YAML that Parse accepts. Secrets are hidden.
func (c *Config) Dump() ([]byte, error) {
	text, err := yaml.Dump(c)
	if err != nil {
		return nil, fmt.Errorf("write the effective configuration: %w", err)
	}
	return c.onlyOverridden(text)
}

// onlyOverridden leaves of each policy_overrides the keys that were written: what is in effect is the whole policy, but laid over
// another one, the one for patches, it would mean more. A mapping that was emptied is written as an empty one.
func (c *Config) onlyOverridden(text []byte) ([]byte, error) {
	var services yaml.Node
	for name, s := range c.Services {
		if s.PolicyOverrides == nil {
			continue
		}
		if services.Kind == 0 {
			if err := yaml.Unmarshal(text, &services); err != nil {
				return nil, fmt.Errorf("read the effective configuration: %w", err)
			}
		}
		over := inNode(&services, "services", name, "policy_overrides")
		var kept []*yaml.Node
		for i := 0; i+1 < len(over.Content); i += 2 {
			if slices.Contains(s.Overridden, over.Content[i].Value) {
				kept = append(kept, over.Content[i], over.Content[i+1])
			}
		}
		over.Content = kept
		if checks := inNode(over, "checks"); checks != nil {
			emptied(checks, "events", len(s.PolicyOverrides.Checks.Events))
			emptied(checks, "groups", len(s.PolicyOverrides.Checks.Groups))
		}
	}
	if services.Kind == 0 {
		return text, nil
	}
	text, err := yaml.Dump(&services)
	if err != nil {
		return nil, fmt.Errorf("write the effective configuration: %w", err)
	}
	return text, nil
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
