// Package rawhttp plays HTTP/1.1 exchanges byte by byte through the real binary, between a client and an endpoint that may
// both be broken or hostile, and holds everything that comes out on either side against the RFCs.
//
// It owns the cases (testdata/*.cases, each with the rule it stands for), the language they are written in, the player, and an
// oracle: a strict parser of RFC 9112, written apart from the proxy's own, so that the two cannot share a mistake. It knows
// nothing of how the proxy works.
//
// Concurrency: a lane (one process and its endpoint) plays one case at a time; lanes are independent of each other.
package rawhttp
