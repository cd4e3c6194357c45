// Package lif samples from Boltzmann machines with networks of leaky integrate-and-fire
// neurons (Petrovici, Bill, Bytschok, Schemmel and Meier 2016, Phys. Rev. E 94:042312),
// and with the abstract stochastic units behind them (Buesing, Bill, Nessler and Maass
// 2011, PLoS Comput. Biol. 7:e1002211).
//
// # The neuron
//
//	C du/dt = g_l (E − u) + I(t)                               current-based (CUBA)
//	C du/dt = g_l (E − u) + g_e (E_e − u) + g_i (E_i − u)      conductance-based (COBA)
//	dx/dt = −x/τ_syn + Σ_spikes w δ(t − t_s)                   x = I, g_e or g_i
//
// At u ≥ θ the neuron spikes, is held at the reset potential for τ_ref, and integrates
// again. Poisson background makes its free membrane potential fluctuate with mean µ and
// standard deviation σ ([Setup.FreePotential]). The refractory state is the sample:
//
//	z_k(t) = 1  iff neuron k spiked in (t − τ_ref, t].
//
// # From a machine to a network
//
// The share of time a neuron is refractory is nearly logistic in its resting potential,
// p_on(E) = σ((E − v_½)/α) ([Calibrate]; [Setup.Activation] is its analytic form). A
// bias b becomes E = v_½ + α b, and a coupling W the synaptic weight whose postsynaptic
// potential has, over τ_ref, the area of a step of height α_eff W ([Setup.Translate]).
//
// Translations go beyond that. A single exponential PSP is front-loaded and outlasts
// τ_ref; two neurons coupled by the published rule sample a log odds ratio of up to 1.4 W.
// The default, [PairCalibrated], makes three corrections:
//
//   - couplings: the measured log odds ratio of two neurons, inverted;
//   - mean drive: a sender on with probability p drives its receiver by W p on average;
//   - response: the measured activation function instead of the logistic fit, whose low
//     end is off by a factor of two.
//
// The last two are means over the law of the machine, weighted by the receiver's
// sensitivity σ'(u).
//
// # Time
//
// The grid convention: a spike at t_n makes z = 1 for the steps n+1 ... n+τ_ref/Dt and the
// neuron integrates again in the step after, so the shortest interspike interval is
// τ_ref + Dt and z drops to 0 for one step in a burst: p_on ≤ τ_ref/(τ_ref + Dt). With
// Setup.Refractory = [Immediate] it integrates already in the last of those steps, and the
// shortest interval is τ_ref. With Setup.Precise, spikes have their time inside the step and
// a burst its own drift time.
//
// A unit that starts on has spiked a refractory time before it goes off, and its synapses
// begin in the state that this leaves, so a network stays near the state it starts in.
//
// Units are ms, mV, nF, µS, nA throughout; rates are in Hz. A synaptic weight is in µS
// (COBA) or nA (CUBA).
//
// # Limits
//
// A network of LIF neurons is an approximate sampler: it has a bias that more time does
// not remove, of about 2e-4 (5 units) to 4e-3 nats (10 units) for moderate couplings.
// Without noise it is a deterministic threshold network whose persistent states are local
// energy minima, and no distribution is claimed. [Neural] is exact.
package lif
