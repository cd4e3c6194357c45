// Package models holds the machines on which samplers are tested and compared: given by a
// formula, so that any program can rebuild them, and small or symmetric enough to be solved
// exactly.
//
//	RBMS        restricted, dense couplings         exact: min(nv, nh) ≤ 25
//	BMS         frustrated, dense couplings         exact: n ≤ 25
//	WTA         groups that exclude each other      exact: counts of units on per group
//	CurieWeiss  two modes, all units equivalent     exact: number of units on
//	Mattis      the same with any pattern ± as modes
//	Hopfield    several patterns and their inverses as modes
//	AutoEncoder layers that reconstruct each other  exact: 2^12 states given the input
//
// All are at inverse temperature 1 in the convention of package boltzmann. Their exact
// log Z, moments, relaxation and passage times are in the tests.
//
// Sources: Curie-Weiss: Kochmański, Paszkiewicz and Wolski 2013, Eur J Phys 34:1555; Mattis
// 1976, Phys Lett A 56:421; Hopfield 1982, PNAS 79:2554. RBMS, BMS, WTA and AutoEncoder are this
// library's own.
package models
