// Package tempering holds the classical samplers that cross energy barriers by raising the
// temperature. They work for every sampling.Model, are sampling.Samplers, and are what
// spiking samplers are compared with on multimodal laws. It also has the tempering that
// spiking networks do themselves: oscillations of their background.
//
// # Conventions
//
// A ladder is 1 = β_0 > β_1 > … ≥ 0; level k has the law p_k(z) ∝ exp(−β_k E(z)), E =
// Model.Energy [nats]. Every kernel is made of heat-bath visits of single units,
//
//	p(z_k=1|rest) = σ(β u_k),   u_k = Model.Logit,
//
// N of which are a sweep. Log-weights g_k estimate log Z(β_k) + const [nats].
//
// # Samplers
//
//	Simulated    one chain over levels, weights given   Marinari, Parisi 1992
//	AST          the same, weights learned              Wang, Landau 2001; Salakhutdinov 2010
//	CAST         a Gibbs chain exchanging with an AST   Salakhutdinov 2010
//	Parallel     one replica per level, swaps           Swendsen, Wang 1986; Geyer 1991
//	Transitions  up the ladder, down, accept or not     Neal 1996
//
// All leave the target exactly stationary, except AST and CAST in Adaptive mode. [Anneal]
// is an optimiser. How a chain moves between modes is for estimate.Modes to record.
//
// # Time and cost
//
// Time counts sweeps at β = 1, for Parallel the same as scans; Cost counts all sweeps.
// Visit i of a sweep at β = 1 flips at i/N of it; the change that follows a sweep, the
// end of an excursion or a swap, flips up to N units at once at the end of the sweep, at
// whole times, where a unit may flip twice. Advance therefore moves in whole sweeps and
// needs room for 2N flips. Results per unit of Time hide the price: compare by Cost.
//
// # Speed
//
// With the option Quantised, Parallel, Simulated, AST and CAST run on the vectorised kernels
// of boltzmann.FastChains, Parallel with all replicas together: some ten times faster, and
// exact for the machine that boltzmann.Quantise makes of the model.
//
// # Stopping and going on
//
// Samplers implement encoding.BinaryMarshaler and BinaryUnmarshaler, with the random
// source in it if it is rand.ChaCha8 (rng.Stream), rand.PCG or another that can be
// marshalled. A restored chain goes on bit for bit. After an error of Advance a sampler
// must be Reset or restored.
//
// # Choosing a ladder
//
// Equal rejection rates between neighbours are best, and [Parallel.Adapt] finds them. With
// S = Σ r_i/(1−r_i) over the K−1 pairs and ideal exploration within levels, replicas make
// 1/(2+2S) round trips per scan in all with DEO, 1/(2(K−1)+2S) with SEO; about 2Λ levels
// are best, Λ ≈ Σ r_i the communication barrier. β = 0 helps only an adapted ladder: most
// of the barrier lies close to it.
//
// # Oscillating backgrounds
//
// The rate of the background sets the slope of a neuron's activation function: m times the
// rate is the temperature T ≈ √m. A rhythm ([RaisedCosine], …; [Oscillation], [NewLIF])
// heats and cools a network of LIF neurons again and again: hot phases cross barriers, and
// samples are read in cold ones ([ColdWindow], [NewWindowed]). [ProfileGibbs] is the same
// schedule without the neurons.
//
// It is periodic annealing, not simulated tempering: there is no accept step and there are
// no level weights. Within modes the cold samples have T = 1, but the log odds between
// modes are divided by a freeze-out temperature between 1 and the highest ([FreezeOut]):
// show it beside every count of switches. A cycle brings at most about one independent
// sample. Heating also makes all units more active ([Map]: δ); [Calibrated] compensation
// takes that away.
//
// In a network T is the ratio of σ g_tot, not of σ ([Diffusion]). Rates of one receptor
// alone, or of two that do not balance, move the mean potential: an oscillating bias
// ([Oscillation.Check]). The noise follows the rate through a low-pass of τ_syn/2: 3.6° at
// 2 Hz, 14° at 8 Hz for τ_syn = 10 ms; above some 30 Hz it has the mean rate.
//
// Sources: Kirkpatrick, Gelatt and Vecchi 1983, Science 220:671 (annealing); Swendsen and
// Wang 1986, Phys Rev Lett 57:2607; Geyer 1991, Comput. Sci. Stat. 23:156; Hukushima and
// Nemoto 1996, J Phys Soc Jpn 65:1604 (replica exchange); Marinari and Parisi 1992,
// Europhys Lett 19:451 (simulated tempering); Neal 1996, Stat. Comput. 6:353 (tempered
// transitions); Okabe et al. 2001, Chem Phys Lett 335:435 (DEO); Wang and Landau 2001, Phys
// Rev Lett 86:2050; Belardinelli and Pereyra 2007, Phys Rev E 75:046701 (1/t gain);
// Salakhutdinov 2010, ICML (AST, CAST); Syed, Bouchard-Côté, Deligiannidis and Doucet
// 2022, J R Stat Soc B 84:321 (DEO, barrier, ladder adaptation); Korcsak-Gorzo et al. 2022,
// PLoS Comput. Biol. 18:e1009753 (oscillations).
package tempering
