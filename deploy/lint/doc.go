// Package lint reads what is deployed as those read it who deploy it: Kubernetes' own types, the loaders of Docker, of Compose and of
// goreleaser, and systemd's own check.
//
// It owns tests and nothing else, in a module of its own, so that the product does not carry what they need.
//
// Concurrency: none.
package lint
