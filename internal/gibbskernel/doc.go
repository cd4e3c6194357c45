// Package gibbskernel holds the inner loops of fast Gibbs sampling in fixed point, and of
// training, in portable Go and in AVX2 assembly. All paths give the same bits.
//
// # Fixed point
//
// Weights, biases and fields are whole numbers in units of a grid g, so the field
//
//	x_k = b_k + Σ_j W_kj z_j
//
// is exact, whatever the order of the sum and whether it was computed or corrected. A
// weight has |W| ≤ [MaxWeight], so that two of them add up in 16 bits, and every field
// |x| < [MaxField]. Arrays of fields are padded to groups of 16 units; a padding unit has
// field [Never] and is never on.
//
// # Randomness and acceptance
//
// A chain draws from 8 xoroshiro128+ generators (Blackman and Vigna 2018), memory 8 first
// words, then 8 second ones. A group of 16 units takes one output of each; the 32-bit
// words of units 2i and 2i+1 are the low and high half of the i-th. This layout does not
// depend on the width of vectors, nor on how many chains run together.
//
// A word w becomes a uniform number u and its log odds a threshold, before the field is
// known: with v = (w mod 2³¹ + ½)/2³²,
//
//	ℓ = ± log2((1−v)/v),   − iff w ≥ 2³¹,
//	T = floor((ℓ − o)·inv), clamped to ±2³⁰,   inv = log 2/(β g),
//
// and the unit is on iff x > T, which is u < σ(βgx + o log 2) for the u of log odds
// ℓ log 2; o is an offset that does not scale with β. Working with the smaller of u and
// 1−u keeps rare outcomes right down to 2⁻³², beyond which (|log odds| > 22.9) they do not
// happen. [Threshold] is the reference; multiplications and additions are separate in all
// paths (no FMA). Its tests add up all words and bound the error of the probability.
//
// # Training
//
// [Sum], [Scatter], [Learn] and [Turn] are the steps of learning, on couplings in float32
// kept in tiles of 32 columns (see [Tile]); [Sigmoid] are the probabilities of its gradient,
// and [Fixed] turns float32 fields into those of [Draw].
package gibbskernel
