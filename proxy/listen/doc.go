// Package listen is what happens between a client's connection and its first request: who may say for whom it speaks, which
// certificate it is shown, and how many connections it may have.
//
// It owns networks of trusted peers, the PROXY protocol header, the addresses in X-Forwarded-For, the certificates for
// clients and their renewal, the count of connections per client, and how a port is opened. It does not accept
// connections, knows no request and does not log: proxy and app do.
//
// Concurrency: Networks and a Keychain's TLS configuration may be shared freely; a Census locks a part of itself;
// Keychain.Run is called once and owns what it starts. Everything else is pure or belongs to its caller.
package listen

// constError is an error that is nothing but its text.
type constError string

// Error returns the text.
func (e constError) Error() string { return string(e) }
