// Package bayes reads Bayesian and Markov networks, answers questions about them exactly,
// and translates them into distributions over binary units for the samplers of the
// library.
//
//	n, err := bayes.ReadFile("asia.bif")
//	ev, err := bayes.ParseEvidence("xray=yes,dysp=yes")
//	exact, err := n.Posterior(ev)                     // by variable elimination
//	target, err := n.Translate(ev, bayes.Options{})   // target.Model is a sampling.Model
//
// # Conventions
//
// A [Network] is p(x) ∝ Π_f f(x_f). The last variable of a factor's scope changes fastest
// in its table; in a conditional table that is the child. Logarithms are natural. Joint
// distributions that are returned have their first variable fastest, as all state indices
// of the library.
//
// # From a network to binary units
//
// Translate proceeds as follows (steps 1 and 4 after Pecevski, Buesing and Maass 2011,
// PLoS Comput Biol 7:e1002294, who give Bayesian networks to spiking neurons).
//
// 1. Condition. Factors keep only the entries that agree with the evidence. This lowers
// their order, and many queries become pairwise.
//
// 2. Eliminate deterministic variables. A conditional table of zeros and ones makes its
// variable v a function of its parents, v = f(a). As an energy that is infinite; but
// Σ_v [v = f(a)] g(v, b) = g(f(a), b) is not. v loses its units and is read out as f(a).
//
// 3. Replace the zeros that are left by ε times the largest entry of their factor. With φ
// the product of the factors before and φ_ε after, and Z and Z_ε their sums over all
// states, the total variation between p = φ/Z and p_ε = φ_ε/Z_ε is exactly
//
//	TV = Σ_x max(0, p(x) − p_ε(x)) = 1 − Z/Z_ε.
//
// For where φ > 0 nothing was replaced, so that φ_ε = φ and p ≥ p_ε because Z ≤ Z_ε;
// where φ = 0, p = 0 ≤ p_ε. The sum is over φ > 0, where both sides are known: Σ φ/Z = 1
// and Σ φ/Z_ε = Z/Z_ε. Both sums come from variable elimination, ε is the largest power
// of 2 with TV ≤ Options.MaxError, and TV is reported as Target.RegularisationError.
//
// 4. Encode. A variable with two states gets one unit, one with a single state none. A
// variable with r > 2 states gets r units, of which one should be on. Its reference state
// takes part in no interaction: log f is written relative to it, so that a variable with
// no unit on looks like its reference state to all others. On top of that every one of
// the r units has a bias c and every two of them the coupling −M. c makes the odds of no
// unit against one unit on Options.NoneOdds (given that the other variables are defined),
// and M makes a second unit unlikely whatever the others do, log odds ≤ −6.
//
// States with no or several units on for some variable are undefined and Readout.Value is
// -1. A state in which every variable is defined has the weight φ_ε times the factor
// exp(c) for every one-hot variable, the same for all such states. Therefore the law of
// the units, given that every variable is defined (Target.Defined), is p_ε without any
// error, whatever c and M are. They only decide how fast a sampler moves and how much
// of its time counts. Conditioning each variable on its own being defined is not exact.
//
// The result is log p as a sum of products of units, a boltzmann.HigherOrder machine. If
// its order is at most 2 it is an ordinary Boltzmann machine; otherwise Target.Pairwise
// adds auxiliary units.
//
// # Files
//
// BIF ([ReadBIF], [Network.WriteBIF]) and UAI ([ReadUAI], [Network.WriteUAI],
// [ReadUAIEvidence]). Built in are [ASIA], [Vision] and [Alarm].
package bayes
