// Package compare runs samplers of one law side by side and reports how well each moves
// between its modes, in three currencies at once:
//
//	sweeps           N updates each, at every temperature and of every replica: the work
//	biological time  [ms] of a spiking network; a sweep stands for one refractory time
//	wall time        of this machine, one processor
//
// A sampler that runs K replicas does K sweeps of work in the biological time of one, and
// says so (Copies). Whatever was spent before, on a ladder or on weights, is reported beside
// the budget (Setup). No single currency is fair: a claim that one sampler beats another has
// to hold in all three, and its mode masses have to be right.
//
// All chains start in the same state. A chain that is stuck there then has the wrong masses,
// while chains that start apart and are stuck have masses that say nothing.
package compare
