// Package faults breaks things around the built binary while requests flow, and counts what the clients notice: origins
// that are killed, hang, cut their answers short or are slow; reloads, stops, few descriptors, a full disk, slow clients.
//
// It owns the faults, the load and the origins, which are processes of their own so that they can be killed. It has no code
// outside its tests. What each fault may cost is written in its test.
//
// Concurrency: the tests run one after the other, because they measure times and memory.
package faults
