package ensemble

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
)

// network is one sampling network of the ensemble.
type network struct {
	first, n int // its units are first, ..., first+n−1
	target   *boltzmann.Machine
	w, b     []float64 // couplings n×n, symmetric, and biases now
	clamp    []int8    // value that a unit is held at, −1 if it is free
	held     bool      // some unit is

	// What translation made of w and b:
	weights []float64 // [from*n+to] nA or µS
	drive   []float64 // [to*n+from] what a sender held on adds, less than its coupling asks for
	bias    []float64
}

func newNetwork(m *boltzmann.Machine, first int) *network {
	n := m.Dim()
	net := &network{first: first, n: n, target: m, b: m.B(), w: make([]float64, n*n),
		clamp: make([]int8, n), weights: make([]float64, n*n), drive: make([]float64, n*n), bias: make([]float64, n)}
	for i := range n {
		net.clamp[i] = -1
		for j := range n {
			net.w[i*n+j] = m.Weight(i, j)
		}
	}
	return net
}

// machine is the machine that the network is set to.
func (n *network) machine() (*boltzmann.Machine, error) {
	return boltzmann.New(mat.NewSymDense(n.n, n.w), n.b)
}

// set takes over couplings and biases.
func (n *network) set(m *boltzmann.Machine) {
	n.b = m.B()
	for i := range n.n {
		for j := range n.n {
			n.w[i*n.n+j] = m.Weight(i, j)
		}
	}
}

// nominal turns a wanted log odds ratio into the coupling of the published translation.
type nominal struct {
	lo, hi float64   // range of the table
	at     []float64 // nominal coupling on a grid over it; nil: couplings are as they are
}

const nominalGrid = 1024

func newNominal(t *lif.PairTable) (*nominal, error) {
	if t == nil {
		return nil, errors.New("ensemble: the calibration has no pair table: calibrate with Pairs ≥ 0, or take the Published translation")
	}
	lo, hi := t.Range()
	if !(lo < 0 && hi > 0) {
		return nil, fmt.Errorf("ensemble: the calibration's pair table has no range: calibrate longer, or take the Published translation")
	}
	n := &nominal{lo: lo, hi: hi, at: make([]float64, nominalGrid+1)}
	for i := range n.at {
		w, err := t.Invert(math.Max(lo, math.Min(hi, lo+(hi-lo)*float64(i)/nominalGrid)))
		if err != nil {
			return nil, err
		}
		n.at[i] = w
	}
	return n, nil
}

// of is the nominal coupling; beyond the table its ratio to w is that at the edge.
func (n *nominal) of(w float64) float64 {
	switch {
	case n.at == nil || w == 0:
		return w
	case w <= n.lo:
		return w * n.at[0] / n.lo
	case w >= n.hi:
		return w * n.at[nominalGrid] / n.hi
	}
	x := (w - n.lo) / (n.hi - n.lo) * nominalGrid
	i := min(int(x), nominalGrid-1)
	return n.at[i] + (x-float64(i))*(n.at[i+1]-n.at[i])
}

// driveWidth is how far beyond half activation a unit is put that is held [α].
const driveWidth = 20

// translate makes weights of w and b as they are on the hardware.
func (e *Ensemble) translate(n *network) {
	d := e.opt.Distortion
	for k := range n.n {
		n.bias[k] = d.round(n.b[k], false)
		u := &e.units[n.first+k]
		exc, inh := e.perWeight[n.first+k][0], e.perWeight[n.first+k][1]
		for j := range n.n {
			w := d.round(n.w[k*n.n+j], true)
			if w == 0 || j == k {
				n.weights[j*n.n+k], n.drive[k*n.n+j] = 0, 0
				continue
			}
			per := exc
			if w < 0 {
				per = inh
			}
			x := e.nominal.of(w) / per
			n.weights[j*n.n+k] = x
			n.drive[k*n.n+j] = w - e.burst(u, x)
		}
	}
}

// burst is the mean drive [α] by a synapse of weight w onto unit u whose sender is held on:
// a sawtooth that every spike renews.
func (e *Ensemble) burst(u *Unit, w float64) float64 {
	p := e.opt.Setup.Neuron
	tau, d := p.TauSynE, 1.0
	if p.Kind == lif.COBA {
		d = p.EExc - u.Free.Mean
	}
	if w < 0 {
		tau = p.TauSynI
		if p.Kind == lif.COBA {
			d = u.Free.Mean - p.EInh
		}
	}
	alpha := u.Alpha * p.GLeak() / u.Free.GTot
	return w * tau * -math.Expm1(-e.interval/tau) / e.interval * d / u.Free.GTot / alpha
}

// rests writes the resting potentials of the network's units.
func (e *Ensemble) rests(n *network) {
	for k := range n.n {
		u := &e.units[n.first+k]
		x := n.bias[k]
		switch {
		case n.clamp[k] >= 0:
			x = driveWidth * (2*float64(n.clamp[k]) - 1)
		case n.held:
			for j, v := range n.clamp {
				if v == 1 {
					x += n.drive[k*n.n+j]
				}
			}
		}
		e.rest[n.first+k] = u.VHalf + u.Alpha*(x+e.offset[n.first+k])
	}
}
