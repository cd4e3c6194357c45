// Package feedforward starts recurrent inference where it will end: one bottom-up pass with
// corrected gains puts a layered energy network almost at a fixed point of its relaxation
// (Y. Bengio, B. Scellier, O. Bilaniuk, J. Sacramento and W. Senn, Feedforward Initialization
// for Fast Inference of Deep Generative Networks is biologically plausible, arXiv 1606.01651).
//
// # Model
//
// Layers k = 0, …, N, h_0 = x held, symmetric couplings W_k (n_k×n_{k−1}), biases b_k, and the
// drive
//
//	a_k = b_k + W_k r(h_{k−1}) + W_{k+1}ᵀ r(h_{k+1})   (no last term for k = N).
//
//	Energy     E(h), but for −Σ r(h_k)ᵀ W_k r(h_{k−1}) − Σ b_kᵀ r(h_k)   fixed point h = f(a)
//	Boltzmann  −Σ H(h), the mean-field free energy; r(h) = h              f = σ
//	Clipped    ½ Σ h², h in [0, 1]; r(h) = h                              f = clip(·, 0, 1)
//	Leaky      ½ Σ h², h real; r linear, clip(·, 0, 1) or σ               f = argmin ½h² − a r(h)
//
// f of Leaky is a for linear r and clip(a, 0, 1) for a clipped one; for r = σ it solves
// h = a σ'(h), which has one solution, as h has the sign of a and σ' falls on either side of 0.
//
// # Initialisation
//
// Biases of layers below the top are split, b_k = b_k^bu + b_k^td. With gains g_k
//
//	h_k = f(g_k (W_k r(h_{k−1}) + b_k^bu)),   g_N = 1,   g_k = 2 for k < N.
//
// With ε_k = W_{k+1}ᵀ r(h_{k+1}) + b_k^td − (g_k − 1)(W_k r(h_{k−1}) + b_k^bu) the drive at that
// state is a_k = g_k(…) + ε_k, so that it is a fixed point if all ε_k = 0, and otherwise
// |f(a_k) − h_k| ≤ Lip(f) |ε_k|: layer k+1 has to reconstruct the drive of layer k.
// [Feedforward.Check] reports ε; [TrainConsistency] teaches it, [OptimalGains] fits the gains.
//
// How the bias is split, if nobody says: b_k^bu = b_k/g_k, which is one half for a gain of 2, and
// makes any gains exact where there is no top-down input. A network that learned its split
// uses that.
//
// # Beyond the paper
//
// A start near the mean-field solution is not a sample: its divergence from the law of a
// Boltzmann machine is what mean field leaves, and mean field starves minor modes. [Kernel]
// has the exact numbers for small machines. [State.Starts] makes start states for the samplers
// of packages boltzmann, lif and sampling, [Network.Given] the machine they sample.
//
// Everything works on batches, a sample a row, so that layers are matrix products.
//
//	constant             default   source
//	gains                2, …, 2, 1
//	tolerance            1e-4      max |f(a) − h|
//	Euler step ε         0.5       Scellier and Bengio 2017, public code
//	β of the nudge       0.5       the same
//
// Neighbours: doubled bottom-up weights in deep Boltzmann machines (Salakhutdinov and Hinton
// 2009), recognition networks (Salakhutdinov and Larochelle 2010), equilibrium propagation
// (Scellier and Bengio 2017, Front. Comput. Neurosci. 11:24) and its learned initialisation
// (O'Connor, Gavves and Welling 2019).
package feedforward
