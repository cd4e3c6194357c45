// Package lif samples from Boltzmann machines with networks of leaky integrate-and-fire
// neurons.
package lif
