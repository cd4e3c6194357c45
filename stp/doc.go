// Package stp is the short-term plasticity of synapses after Tsodyks and Markram (1997),
// which lets generative spiking networks mix (Leng et al. 2018): the synapses of whichever
// neurons are on grow weak, so that the mode a network sits in becomes shallow and it goes
// on to others.
//
// A synapse has a share R of its resource and a utilisation u. Between spikes
//
//	dR/dt = (1 − R)/τ_rec,  du/dt = −u/τ_fac
//
// and a spike uses u ← u + U (1 − u), brings s·u·R times the weight, and takes u·R from R.
// In events, with R_n and u_n the values used at spike n and h the time since then
// (Markram et al. 1998, eqs. 1 and 2; Maass and Markram 2002):
//
//	R_{n+1} = 1 + (R_n (1 − u_n) − 1) e^{−h/τ_rec}
//	u_{n+1} = U + u_n (1 − U) e^{−h/τ_fac}
//
// The recovery of R uses the old u. The first spike finds R = 1, u = U. The state is one of
// the sender, not of the synapse.
//
// With U = 1, τ_rec = τ_syn, τ_fac = 0 and s = 1 the synapse is renewing: after every spike
// the synaptic variable is the weight, whatever came before. What a setting does to a
// network is told by two gains relative to that, see [Params.Gains].
package stp
