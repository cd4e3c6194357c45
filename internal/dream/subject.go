package dream

import (
	"fmt"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
)

// Subject is what dreams: a trained machine, and the neurons that a spiking network for it is
// made of.
type Subject struct {
	RBM     *boltzmann.RBM
	Pixels  int       // the first visible units; label units may follow
	Setup   lif.Setup // with renewing synapses
	Classes []string  // names
	// Judge gives the class of images.
	Judge func(images [][]uint8) ([]uint8, error)

	machine *boltzmann.Machine // the same in dense form
}

// NewSubject returns a subject.
func NewSubject(r *boltzmann.RBM, pixels int, s lif.Setup, classes []string, judge func(images [][]uint8) ([]uint8, error)) (*Subject, error) {
	if r == nil || judge == nil {
		return nil, fmt.Errorf("dream: no machine or no judge: must have both")
	}
	if pixels < 1 || pixels > r.Visible() {
		return nil, fmt.Errorf("dream: %d pixels of %d visible units: must be 1 to %d", pixels, r.Visible(), r.Visible())
	}
	if len(classes) < 2 {
		return nil, fmt.Errorf("dream: %d classes: must be at least 2", len(classes))
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	m, err := r.Machine()
	if err != nil {
		return nil, err
	}
	return &Subject{RBM: r, Pixels: pixels, Setup: s, Classes: classes, Judge: judge, machine: m}, nil
}

// Start is the state of all units that show an image, with the unit of its class on if there
// are label units (class < 0: none), and every hidden unit in its more probable state.
func (s *Subject) Start(image []uint8, class int) ([]uint8, error) {
	if err := sampling.CheckState(image, s.Pixels); err != nil {
		return nil, fmt.Errorf("dream: start image: %w", err)
	}
	nv := s.RBM.Visible()
	if class >= nv-s.Pixels {
		return nil, fmt.Errorf("dream: start in class %d: the machine has %d label units", class, nv-s.Pixels)
	}
	z := make([]uint8, s.RBM.Dim())
	copy(z, image)
	if class >= 0 {
		z[s.Pixels+class] = 1
	}
	p := make([]float64, s.RBM.Hidden())
	s.RBM.GivenVisible(p, z[:nv])
	for j, q := range p {
		if q > 0.5 {
			z[nv+j] = 1
		}
	}
	return z, nil
}

// Shown is the picture of a state: the probability of every pixel given its hidden units.
func (s *Subject) Shown(z []uint8) []float64 {
	p := make([]float64, s.RBM.Visible())
	s.RBM.GivenHidden(p, z[s.RBM.Visible():])
	return p[:s.Pixels]
}
