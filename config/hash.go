package config

import (
	"crypto/sha256"
	"encoding/hex"
)

// Hash is the SHA-256 of all files that the configuration was read from, in the order of Files, in hexadecimal digits: of their
// contents as they were read, before variables were filled in. Equal files have equal hashes, whatever they are called.
func (c *Config) Hash() string {
	h := sha256.New()
	for _, s := range c.sources {
		h.Write(s.content[:]) // of fixed length, so that no two lists are the same bytes
	}
	return hex.EncodeToString(h.Sum(nil))
}
