// Package dynamics is the core that every simulated model shares: exact propagators of
// linear subthreshold systems, exponential filters, noise definitions and the clock.
// It imports nothing else of the library.
//
// Between two inputs a leaky integrate-and-fire neuron with exponential synapses is the
// linear system
//
//	τ_m dx/dt = −x + I/g_l ,   τ_s dI/dt = −I ,
//
// whose solution over any dt is a fixed linear map (Rotter & Diesmann 1999): stepping it
// makes no error, however large dt is. Times are in ms, rates in Hz.
package dynamics
