// Package scale measures the built binary with 10,000 services: what they take of memory, what a reload of all of them costs,
// and whether requests notice one.
//
// It owns the generated configuration and the targets. It knows the product only as its users do, as a binary. Nothing in the
// product imports it.
package scale
