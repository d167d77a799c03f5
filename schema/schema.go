// Package schema holds the JSON Schema of the configuration file, for editors. It owns the file and nothing else; the schema is
// generated from the types of package config by a test there, and decides nothing when a configuration is read. It has no concurrency.
package schema

import _ "embed"

// Configuration is the JSON Schema (2020-12) of the configuration file.
//
//go:embed haldane.schema.json
var Configuration []byte
