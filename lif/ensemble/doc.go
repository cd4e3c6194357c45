// Package ensemble builds networks that sample without noise: the units of several small
// sampling networks hear each other's spikes in place of random background (Dold, Bytschok,
// Kungl, Baumbach, Breitwieser, Senn, Schemmel, Meier and Petrovici 2019, "Stochasticity
// from function — why the Bayesian brain may need no noise", Neural Networks 119:200-213).
//
// # Model
//
// Every network m has its own machine, p_m ∝ exp(½ zᵀWz + bᵀz); nothing is claimed about the
// joint law of different networks. Its units are the neurons and renewing synapses of
// package lif without background. Unit i has besides static noise synapses from neurons
// outside its network, KExc of weight +w and KInh of weight −w. Random numbers are drawn for
// the wiring and the first state; from then on the trajectory is a function of the state.
// That the noise looks random is chaos: one spike more changes all trains within some 10 ms.
//
// # What correlations do
//
// A sampling neuron that is on with probability p fires with a dead time τ_ref: rate
// r = p/τ_ref, hazard λ = p/((1−p)τ_ref), φ(s) = e^{−sτ_ref}λ/(λ+s), m̂ = φ/(1−φ). Its spikes
// through two kernels e^{−at}, e^{−bt} have the covariance
//
//	V_ab = r/(a+b)·(1 + m̂(a) + m̂(b)) − r²/(ab),
//
// less than the r/(a+b) of a Poisson train. The noise of a sum of such trains is smaller and
// the activation function steeper: a lower temperature. The analytic calibration takes
// it into account ([DeadTimeMoments], [Ensemble.Units]).
//
// Noise that two units share correlates their free potentials by ρ. In terms of
// z' = 2z − 1 that acts as a coupling: ΔW' = f(ρ), Δb' = 0. For z in {0,1} it is
//
//	ΔW_ij = 4 f(ρ_ij),  Δb_i = −½ Σ_j ΔW_ij
//
// (Bytschok, Dold, Schemmel, Meier and Petrovici 2017, "Spike-based probabilistic inference
// with correlated noise"), so both have to be taken back, W alone makes it worse
// ([SharedInputShift], [EquivalentShift], [Ensemble.NoiseCorrelation]).
//
// Plasticity that compares wanted with sampled correlations takes back all of it, without
// knowing what it is: ΔW_ij = η(⟨z_i z_j⟩_target − ⟨z_i z_j⟩_sampled), Δb_i likewise
// ([Ensemble.Train]). It is local: both means are of pre- and postsynaptic refractory time.
//
// # Sources of noise
//
// [Mutual] is the ensemble proper. [Pool] is a second ensemble that only makes noise, for
// networks that are clamped or very different; [NoiseNetwork] a balanced random network
// (Jordan et al. 2019, "Deterministic networks for probabilistic computing", Sci. Rep.
// 9:18303). [PoissonPool] is a finite pool of random trains, a reference to study shared
// noise with; it alone draws numbers while it runs.
//
// # Limits
//
// Small ensembles do not get there: a dozen neurons stay at a divergence of 0.2 nats. The
// untrained ensemble is far from its targets (0.2 to 0.3 nats for four units), since the
// activity of the sources is not what the calibration assumes. Neurons must have some way
// to go from reset to threshold: where it is but a few thousandths of σ, as in
// lif.TutorialCOBA, they fire on the grid like clocks and the ensemble locks into a pattern
// (D above 1 nat, trained or not); a tenth of σ is enough (D of 0.01 after training with the
// reset 0.05 mV below threshold). Weights and biases are in the
// unit of the log odds of package lif's pair table, so trained minus wanted parameters are
// the negative shift.
package ensemble
