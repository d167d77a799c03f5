// Package admin is the operator's side of Haldane over HTTP: health, metrics, the state of services and rollouts, the
// commands that change them, and the stream of events.
//
// It owns two listeners with one set of routes: a unix socket, whose peer is trusted because the file system says who may
// connect, and a TCP listener, where changes need a token. It owns the rules that keep browsers and strangers out (Host,
// Origin, token, content type) and the shape of every answer. It does not decide anything about rollouts: it hands
// commands on and shows what it is given.
//
// Concurrency: New opens nothing and starts nothing. Listen opens the listeners. Run serves, owns every goroutine it
// starts, and returns once all of them have ended. All handlers may run at the same time; what Options hands in is called
// from many goroutines at once.
package admin
