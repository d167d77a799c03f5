// Package analysis judges a canary: evidence goes in, a verdict comes out.
//
// # What is promised
//
// For one rollout let H0 say: at every moment and for every judged check, the probability that a request is bad on the
// canary is at most rho * p_stable(now) + delta. If requests are routed at random with the probability the caller states,
// then P(the judge ever says fail for a critical check | H0) <= Alpha, for arbitrary load, error rates, latencies and weights
// that change over time, however often one looks and whenever one stops.
//
// Assumptions:
//
//   - Assignment is random with the stated probability given everything that went before: an independent draw for each
//     request, or a salted hash of a user key with many users.
//   - Outcomes within one burst window may depend on each other in any way, but not across more than Check.Windows-1
//     windows. The burst guard, and the discount for clusters that were seen in earlier windows, bound that damage; under
//     clusters the promise is measured, not a theorem. Where the theorem holds, neither of them breaks it.
//   - Outcomes are seen within a short bounded time.
//
// # How
//
// Every check is a stream of good and bad requests of both variants and is judged by two betting e-processes: one bets
// that the canary is worse than allowed (harm), one that it is not (safe). An absolute check is a stream of the canary alone,
// against a number; nothing is assumed about the assignment there. An e-process is the wealth of a gambler who
// starts with 1 in a game that is not in his favour under the hypothesis he bets against; to be rich is evidence.
//
//   - J. Ville, Étude critique de la notion de collectif, 1939: P(sup E >= 1/a) <= a.
//   - I. Waudby-Smith, A. Ramdas, Estimating means of bounded random variables by betting, JRSS B, 2023.
//   - N. Karampatziakis, P. Mineiro, A. Ramdas, Off-policy confidence sequences, ICML 2021: weighting by the known
//     probability of the assignment.
//   - S. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals
//     of Statistics, 2021: mixtures over the size of the bet.
//   - R. Turner, A. Ly, P. Grünwald, Generic e-variables for exact sequential k-sample tests that allow for optional
//     stopping, 2021: two streams of counts compared block by block.
//
// # What it owns
//
// The package owns the statistics and the words that explain them. It does not count requests, read a clock, know what a step
// or a weight is for, or decide what is done about a verdict.
//
// Concurrency: nothing here locks or starts a goroutine. One goroutine at a time uses a Judge; a Verdict and a State are
// values of their own and may be passed on.
package analysis
