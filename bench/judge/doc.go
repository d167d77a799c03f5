// Command judge plays releases to Haldane's judge and to the rules of other tools, and counts who is right.
//
// Every scenario is a law of traffic: how many requests arrive, how they fail, how long they take, and what is wrong with
// the canary, if anything. One run draws one such stream of requests, and all rules look at that same stream: Haldane sees
// it tick by tick, as its own loop does; the others see what a scraper would give them, minute by minute.
//
// The streams are drawn tick by tick (250 ms) and not request by request where the law is the same: the number of requests
// of a Poisson process that fail, or that go to the canary, is Poisson itself and independent of the rest. Requests are drawn
// one by one where they are not independent given the tick: latencies (each one is drawn), pods, sticky users, round robin.
// A request ends in the tick its latency puts it in; failures end in the tick in which they begin. Two things are not the
// same law: latencies come from a table of 16,384 quantiles, straight lines between them (the uppermost cell is drawn
// exactly), and the state of a pod that fails changes at the edge of a tick.
//
// It owns the laws, the peers' rules and the report. It does not own the judge (analysis) or the life of a rollout
// (rollout), which it uses as they are.
//
// Concurrency: a prepared scenario is read-only and shared; every run has a world, dice and rules of its own and stays on one
// goroutine. The same seed gives the same report, whatever the number of workers.
package main
