// Package sampling holds what every sampler of the library shares: the model and
// sampler interfaces, the run loop and parallel chains.
//
// A sampler is a process z(t) in {0,1}^N that is piecewise constant in time. Time is
// biological time [ms] for spiking networks and [sweeps] for Gibbs-type samplers; in
// both, the share of time spent in a state estimates its probability. A sampler
// therefore reports only what changes (a [Flip]), and an estimator (a [Recorder])
// weights every state by its dwell time: recording costs per change, not per unit and
// step.
//
//	s, err := boltzmann.NewGibbs(machine, boltzmann.GibbsOptions{})
//	err = s.Reset(nil, rng.Stream(42, "gibbs"))
//	m := estimate.NewMarginals(s.Dim())
//	err = sampling.Run(ctx, s, sampling.Schedule{Warmup: 1e3, Duration: 1e6}, m)
//
// Randomness enters only through the [math/rand/v2.Source] given to Reset. The same
// source gives the same flips, bit for bit, whatever GOMAXPROCS and whatever is
// recorded.
package sampling
