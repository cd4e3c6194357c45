// Package circuit is the dendritic microcircuit with latent equilibrium of P. Haider,
// B. Ellenberger, L. Kriener, J. Jordan, W. Senn and M. A. Petrovici, NeurIPS 2021 (Figs. 3 and 5),
// after J. Sacramento, R. Ponte Costa, Y. Bengio and W. Senn, NeurIPS 2018.
//
// The authors' public code of latent equilibrium carries a notice that the procedures are
// registered for patent protection. Whoever uses this model commercially should ask them.
//
// # Model
//
// Pyramidal cells of layer l have a basal compartment v_b, an apical one v_a and a soma u; every
// hidden layer has as many interneurons as the layer above has pyramidal cells, which learn to
// predict them:
//
//	v_b = W_up r_below,  v_a = W_down r_above + W_pi r_inn,  v_d = W_ip r_pyr
//	hidden     G = g_l + g_b + g_a    u∞ = (g_b v_b + g_a v_a)/G
//	inter      G = g_l + g_d + g_som  u∞ = (g_d v_d + g_som ŭ_above)/G
//	output     G = g_l + g_b + g_som  u∞ = (g_b v_b + g_som u_tgt)/G, without a target g_b v_b/(g_l + g_b)
//	du/dt = G(u∞ − u),  ŭ = u + (du/dt)/G,  r = φ(ŭ),  φ(x) = log(1 + e^x)
//
// In the self-predicting state, where interneurons do as the cells above, what they send to the
// apical dendrites cancels what the layer above sends, and what is left there under a target is
// the error. Weights change with what dendrites do not predict of their soma:
//
//	dW_up/dt = η [φ(ŭ) − φ(v̂)] r_belowᵀ,   v̂ = g_b v_b/(g_l+g_b+g_a), of the output g_b v_b/(g_l+g_b)
//	dW_ip/dt = η [φ(ŭ_inn) − φ(g_d v_d/(g_l+g_d))] r_pyrᵀ
//	dW_pi/dt = −η v_a r_innᵀ
//
// With look-ahead ŭ is u∞: the circuit is at equilibrium as fast as signals go through it, one
// population a step. The original model has u in place of ŭ everywhere, and has to wait for its
// membranes.
//
// All populations move at once, from the rates of the step before.
//
// # Constants
//
//	Gl, Gb, Ga, Gd, Gsom  0.03, 0.1, 0.06, 0.1, 0.06 /ms  conductances
//	Dt                    0.1 ms                            step
//	Clip                  4 hidden, 5 output                largest |W_up|
//	first weights         uniform in [−1, 1]
//
// Sources: the paper; the constants are those of its public code.
package circuit
