// Package estimate turns a chain into numbers with error bars: marginals, moments, joint
// distributions, posteriors of categorical variables, modes and how a chain moves between
// them, distances to an exact law, likelihoods of samples, and convergence diagnostics.
//
// # Recorders
//
// [Marginals], [Moments], [Joint], [Values], [Modes] and [Curve] are recorders: they see the flips
// of a piecewise constant process z(t) and weight every state by its dwell time, so
//
//	p̂_k = (time spent in state k) / (time recorded).
//
// The state before the first flip counts. Recording costs per flip, never per unit and
// time step. Begin may be called again, for a chain that continues: the stretches add up
// as if there were no gap. Merge adds the record of another chain; it is associative, and
// the estimates are those of the pooled time. All recorders encode to JSON and back. An
// estimate over no time is NaN.
//
// # State index
//
// In every table over units, bit k of the index is the k-th listed unit: the first listed
// unit is the least significant bit. In a table over categorical variables the first
// variable varies fastest (mixed radix).
//
// # Monte-Carlo error of a table
//
// A [Table] keeps its time in blocks of equal width. With T_bk the time of state k in
// block b, T_b = Σ_k T_bk and T = Σ_b T_b, the blocks being nearly independent once they
// are much longer than the correlation time,
//
//	Var(p̂_k) = Σ_b (T_bk - p̂_k T_b)² / (T² - Σ_b T_b²)
//	n_eff    = (1 - Σ_k p̂_k²) / Σ_k Var(p̂_k)
//
// (for equal blocks the usual variance of a mean of block means; low by about correlation
// time over block width, a few per cent at n_eff = 1000). The finite-sample floor
// of D = Σ_k p̂_k log(p̂_k/p_k), its mean when the chain samples p exactly, is by expansion
// to second order
//
//	floor = ½ Σ_k Var(p̂_k)/p_k,
//
// which is (K-1)/(2n) for n independent draws from K states. The error of D is a
// delete-one-block jackknife with unequal weights (Busing, Meijer and van der Leeden 1999,
// Stat. Comput. 9:3). Near the floor D is quadratic in p̂ - p and the jackknife is on the
// large side, by up to √2.
//
// # Diagnostics
//
// [Rhat], [ESSBulk], [ESSTail], [ESSMean] and [MCSE] follow Vehtari, Gelman, Simpson,
// Carpenter and Bürkner 2021 (Bayesian Anal. 16:667) over series [chain][draw]: chains
// split in halves (an odd middle draw is dropped), average ranks,
// z = Φ⁻¹((r - 3/8)/(S + 1/4)), autocovariances divided by the number of draws, Geyer's
// initial monotone sequence (Geyer 1992, Stat. Sci. 7:473), and an autocorrelation time of
// at least 1/log10 S.
//
// A stuck chain looks good to all of them: chains that share one wrong mode have R-hat 1
// and a large ESS. Start chains apart, and look at [Modes] as well: occupancies, switches,
// and the autocorrelation time of a mode's indicator.
//
// # Likelihood of samples
//
// [ISL] and [CSL] score samples of any origin by the log-likelihood of test states under a
// mixture: of Bernoulli kernels around visible samples, or of p(x|h) over hidden ones.
package estimate
