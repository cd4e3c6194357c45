// Package lumped solves random-scan Gibbs sampling exactly on models whose units fall into
// groups of exchangeable units: relaxation time and mean first-passage times, for tests of
// samplers and statements about mixing.
//
// The state of the lumped chain is the number m_g of units on in every group g of n_g. A
// visit draws one of the N units uniformly and then its value from its conditional, so
//
//	P(m → m + e_g) = (n_g − m_g)/N · σ(E(m) − E(m + e_g)),
//	P(m → m − e_g) = m_g/N · σ(E(m) − E(m − e_g)),
//	π(m) ∝ Π_g C(n_g, m_g) exp(−E(m)).
//
// Times are in sweeps of N visits. The relaxation time is 1/(N(1−λ)) with λ the second
// largest eigenvalue of P on functions of m. In a machine with groups that are equivalent
// it is that of the full chain if the slowest mode is an exchange between groups.
//
// Everything is computed from transition probabilities between different states, by
// elimination without subtraction (Grassmann, Taksar and Heyman 1985, Oper Res 33:1107): a
// time of 10^10 sweeps is as accurate as one of 10, where an eigenvalue 1 − 10^−12 in
// double precision would not be.
package lumped
