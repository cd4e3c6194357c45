// Package latent is Latent Equilibrium (LE), learning in networks of slow neurons that look
// ahead: P. Haider, B. Ellenberger, L. Kriener, J. Jordan, W. Senn and M. A. Petrovici, Latent
// Equilibrium: A unified learning theory for arbitrarily fast computation with arbitrarily slow
// neurons, NeurIPS 2021, arXiv 2110.14549.
//
// The authors' public code carries a notice that the procedures are registered for patent
// protection. Whoever uses this model commercially should ask them.
//
// # Model
//
// Layers l = 1, …, L of membrane potentials u_l and prospective potentials ŭ_l go down the energy
//
//	E = ½ Σ_l |ŭ_l − W_l φ(ŭ_{l−1}) − b_l|² + ½β |y − r_L|²
//
// by the equations of motion
//
//	τ_m du_l/dt = −u_l + W_l r_{l−1} + b_l + γ e_l            (1)
//	ŭ_l = u_l + τ_r du_l/dt,   r_l = φ_l(ŭ_l)                 (2)
//	e_l = φ_l'(ŭ_l) ⊙ W_{l+1}ᵀ e_{l+1}   (l < L)              (3)
//	e_L = β φ_L'(ŭ_L) ⊙ (y − r_L)   (0 without a target)      (4)
//	dW_l/dt = η_l e_l r_{l−1}ᵀ,   db_l/dt = η_l e_l           (5)
//
// With τ_r = τ_m the lag of the membranes is undone: rates and errors are at equilibrium all the
// time, and plasticity can always be on. For weak nudges (5) is error backpropagation.
//
// # Steps
//
// A step computes drives, ŭ before u moves, rates and errors all from what was there before it
// (Parallel), then lets the weights learn from the new errors and the presynaptic rates that
// made the drives. Two facts follow. In matched LE (τ_r = τ_m) u, τ and dt drop out: ŭ is the
// drive, and a step is one Jacobi iteration, so presentation time counts in steps. And in a
// network of L layers rates need L steps to arrive, errors L more: with fewer than 2L steps a
// presentation, learning is wrong.
//
// # Constants
//
//	field      default of Haider2021   meaning
//	Dt         0.1 ms                  step (0.01 ms in Fig. 2b)
//	TauM       10 ms                   membrane time constant τ_m (20 ms in Fig. 2b)
//	TauR       10 ms                   prospective time constant τ_r
//	Beta       0.1                     nudging strength β
//	Gamma      1                       weight of the error in the membrane
//	Steps      100                     steps of a presentation
//	Rate       16                      η·Dt·Steps, learning rate summed over a presentation
//	WeightSD   0.05                    standard deviation of the first weights, as BiasSD
//
// Sources: the paper; the constants are those of its public code.
//
// # Other learners and samplers
//
// [Backprop] is the control: the same layers trained by error backpropagation with the same
// steps. [Energy] (see [Network.NewEnergy]) is the energy above as a system of the shared core, whose law exp(−E/T) a
// Langevin sampler draws from: neurons that look ahead move in the preconditioner
// P = (τ_m − τ_r) + τ_r JᵀJ, J = ∂e/∂u, and their noise has to fit it (see package dynamics).
// [Directed] draws from the directed model by noise on the way up.
package latent
