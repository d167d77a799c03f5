// Package webhook sends something to an address of a configuration, once: a POST that is signed, and follows nobody.
//
// It owns the client, the signature, the reading of addresses and secrets from files, and what an answer means. It does not
// own what is sent, when, or how often: those are notify, for news, and hooks, for questions. No error that it makes shows the
// address, which is a secret.
//
// Concurrency: everything may be called by all. It starts no goroutine.
package webhook
