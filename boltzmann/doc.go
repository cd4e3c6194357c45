// Package boltzmann holds Boltzmann machines, their exact solution by enumeration, and
// the Gibbs sampler: the targets and the yardstick of every spiking sampler.
//
// # Conventions
//
// States are z in {0,1}^N, and
//
//	p(z) = exp(−E(z))/Z,   E(z) = −½ zᵀWz − bᵀz,
//	u_k = b_k + Σ_j W_kj z_j = log p(z_k=1|rest)/p(z_k=0|rest),
//
// with W symmetric and of zero diagonal. Energies and log odds are in nats. A state has the
// index Σ_k z_k 2^k: bit k is unit k, unit 0 the least significant. The form with spins
// in {−1,1} is [Machine.Spin] and [FromSpin].
//
// # Models
//
//	Machine      pairwise couplings             New, FromSpin, REF
//	HigherOrder  terms c Π z_i of any order     NewHigherOrder, Expand
//	Layered, RBM layers, couplings between      NewLayered, NewRBM
//	             neighbours
//
// A product of factors (a Bayesian network, a factor graph) becomes a HigherOrder machine
// by Expand; conditioning first often lowers its order to 2, and then it is a Machine.
// Otherwise there are two reductions to a Machine with auxiliary units:
// [HigherOrder.Quadratic] is exact, [Auxiliary] (Pecevski et al. 2011) approximate.
//
// # Samplers
//
//	Gibbs       any Model, in double precision               Glauber, Geman and Geman
//	BlockGibbs  Layered and RBM, in double precision
//	Fast        the same two kernels for Machine, Layered    one chain, a sampling.Sampler
//	            and RBM in fixed point, vectorised
//	FastChains  many of these, each with its own β
//
// Fast and FastChains sample the machine that [Quantise] makes: weights rounded to 14 bits
// and sign, which they report and expose, so that exact answers can be had for that very
// machine. In return sums are exact and chains the same on every processor. The samplers of
// package tempering and [AIS] run on them by the option Quantised.
//
// # Limits
//
//	Enumerate             N ≤ 25 (EnumerateLimit: 30)   time 2^N
//	Joint                 N ≤ 20                        memory 2^N
//	Machine               N ≤ 32768                     memory N²
//	Layered.LogZ          even or odd layers ≤ 25       time 2^(the smaller)
//	Layered.Samples       even or odd layers ≤ 20       memory 2^(the smaller)
//	HigherOrder.Quadratic order ≤ 12                    up to 2^order units a term
//	Expand                20 units a factor
//	Auxiliary             10 units a factor             2^units auxiliary units a factor
//
// Where log Z cannot be enumerated, [AIS] and [ReverseAIS] bound it from both sides.
//
// Sources: Hinton and Sejnowski 1983 (Boltzmann machine); Sejnowski 1986 (higher-order
// Boltzmann machines, AIP Conf. Proc. 151); Geman and Geman 1984 (Gibbs sampler);
// Pecevski, Buesing and Maass 2011, PLoS Comput Biol 7:e1002294 (auxiliary units);
// Petrovici et al. 2016, Phys Rev E 94:042312 (spin form, LIF sampling).
package boltzmann
