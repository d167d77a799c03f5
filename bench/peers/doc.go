// Package peers starts the proxies that are compared, each with the same work: two variants, of which one gets a quarter of
// the clients, a header field that pins a variant, a cookie that keeps a client where it is, forwarded fields, and counts per
// variant.
//
// It owns the configurations and the processes. It does not own what is sent, nor what is made of the figures. A proxy that is
// not installed is no error: it is left out, and that is said.
//
// Concurrency: a Running belongs to the goroutine that started it; Stop waits for the process.
package peers
