package ensemble

import (
	"errors"
	"math"

	"github.com/spikesampling/spikesampling/lif"
)

// Unit is the calibration of a unit: its activation function is taken to be
// 1/(1+exp(−(E−VHalf)/Alpha)).
type Unit struct {
	VHalf, Alpha float64     // [mV] of resting potential
	Free         lif.Moments // its free potential at VHalf under its noise
}

// reference is what a calibration says independently of the amplitude of the noise.
type reference struct {
	alpha float64 // α_eff/σ
	half  float64 // (µ − θ)/σ at half activation
}

func newReference(s lif.Setup, c *lif.Calibration) (reference, error) {
	m, err := s.FreePotential(c.VHalf)
	if err != nil {
		return reference{}, err
	}
	if !(m.SD > 0) {
		return reference{}, errors.New("ensemble: Setup has no background: must have the one that it was calibrated with, to scale from")
	}
	return reference{
		alpha: c.Alpha * s.Neuron.GLeak() / m.GTot / m.SD,
		half:  (m.Mean - s.Neuron.Theta) / m.SD,
	}, nil
}

// unit is the calibration of a neuron whose noise is the trains with these weights: the
// same in terms of the free potential, α/σ and (µ−θ)/σ at half activation, as under the
// background that was calibrated. Where that potential is depends, in conductance-based
// neurons, on itself.
func (r reference) unit(q lif.Params, noise []tapped) Unit {
	ge, gi := 0.0, 0.0 // mean currents [nA] or conductances [µS]
	for _, t := range noise {
		if t.weight > 0 {
			ge += t.weight * t.rate * q.TauSynE
		} else {
			gi -= t.weight * t.rate * q.TauSynI
		}
	}
	gl := q.GLeak()
	m := lif.Moments{GTot: gl, Mean: q.Theta}
	de, di := 1.0, 1.0
	rounds := 1
	if q.Kind == lif.COBA {
		m.GTot, rounds = gl+ge+gi, 20
	}
	m.TauEff = q.C / m.GTot
	for range rounds {
		if q.Kind == lif.COBA {
			de, di = q.EExc-m.Mean, m.Mean-q.EInh
		}
		v := 0.0
		for _, t := range noise {
			d, tau := de, q.TauSynE
			if t.weight < 0 {
				d, tau = di, q.TauSynI
			}
			v += t.weight * t.weight * d * d / (q.C * q.C) * t.potential(tau, m.TauEff)
		}
		m.SD = math.Sqrt(math.Max(v, 0))
		m.Mean = q.Theta + r.half*m.SD
	}
	u := Unit{VHalf: m.Mean - (ge-gi)/gl, Alpha: r.alpha * m.SD * m.GTot / gl, Free: m}
	if q.Kind == lif.COBA {
		u.VHalf = (m.GTot*m.Mean - ge*q.EExc - gi*q.EInh) / gl
	}
	return u
}

// tapped is a train with the weight of its synapse.
type tapped struct {
	renewal
	weight float64
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
