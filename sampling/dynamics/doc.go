// Package dynamics is the core that every simulated model shares: systems of differential
// equations and the rules that step them, with noise or without; neurons that look ahead;
// filters, delays and noise sources; exact propagators of linear systems, their stationary
// laws, and the clock. It imports nothing else of the library.
//
// # Systems
//
// A [System] is dx/dt = f(x, t) for a batch of states. A [Stepper] advances it by one of
// several rules; at a temperature above 0 the system must say what its noise is ([Diffusive])
// or go down an energy ([Energetic]). At temperature 0 the same code runs, no random number is
// drawn, and the bits are those of the system without noise. [Linear] and [Gaussian] are
// systems whose laws are known in closed form; they are what the rules are tested against.
//
// Models with a rule of their own, such as networks with latent equilibrium, are made of the
// same parts: [LookAhead], [LowPass], [Delay], and the sources [White], [OU], [Shot] and
// [Bernoulli].
//
// # Spiking neurons
//
// Between two inputs a leaky integrate-and-fire neuron with exponential synapses is the
// linear system
//
//	τ_m dx/dt = −x + I/g_l ,   τ_s dI/dt = −I ,
//
// whose solution over any dt is a fixed linear map (Rotter & Diesmann 1999): stepping it
// makes no error, however large dt is. The spiking engine is a specialised stepper of it, with
// the [Propagator], [Poisson] sources and [Clock] of this package.
//
// Times are in ms, rates in Hz.
package dynamics
