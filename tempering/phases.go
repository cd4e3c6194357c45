package tempering

import (
	"errors"
	"fmt"
	"math"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// SwitchPhases records at which phase of the cycle a chain goes from one mode to another,
// as place cells that flicker between maps do. A switch is at the middle between the last
// time in the old mode and the first in the new one; a visit shorter than minRun is none.
// It looks at all phases: the passing modes of hot phases are counted too.
type SwitchPhases struct {
	labels estimate.Labels
	period float64
	minRun float64

	begun  bool
	now    float64
	stale  bool    // units have flipped at time now
	label  int     // of the present run
	runAt  float64 // its begin
	seen   bool    // it is long enough
	mode   int     // of the last run that was, −1 before the first
	left   float64 // its last time
	phases []float64
}

var _ sampling.Estimator[*SwitchPhases] = (*SwitchPhases)(nil)

// NewSwitchPhases returns a recorder of the switches between those modes, which needs
// labels of its own, in cycles of that period. Period and minRun ≥ 0 are in the sampler's
// unit of time; phases count from time 0 of the sampler.
func NewSwitchPhases(labels estimate.Labels, period, minRun float64) (*SwitchPhases, error) {
	var errs []error
	if labels == nil {
		errs = append(errs, errors.New("tempering: switch phases without Labels"))
	}
	errs = append(errs, checkPeriod(period), checkFinite("minRun", minRun))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &SwitchPhases{labels: labels, period: period, minRun: minRun}, nil
}

// Begin implements sampling.Recorder. From one stretch to the next there is no switch.
func (s *SwitchPhases) Begin(t float64, z []uint8) error {
	if !finite(t) {
		return fmt.Errorf("tempering: stretch begins at time %v: must be finite", t)
	}
	if err := s.labels.Reset(z); err != nil {
		return err
	}
	s.begun, s.now, s.stale, s.seen, s.mode = true, t, false, false, -1
	s.label, s.runAt = s.labels.Label(), t
	return nil
}

// Record implements sampling.Recorder. It panics before Begin.
func (s *SwitchPhases) Record(flips []sampling.Flip, t float64) {
	if !s.begun {
		panic("tempering: Record before Begin")
	}
	for _, f := range flips {
		s.until(f.Time)
		s.labels.Flipped(int(f.Unit), f.On)
		s.stale = true
	}
	s.until(t)
}

// until accounts for the state from now to t. States that last no time have no label.
func (s *SwitchPhases) until(t float64) {
	if t <= s.now {
		return
	}
	if s.stale {
		s.stale = false
		if l := s.labels.Label(); l != s.label {
			s.label, s.runAt, s.seen = l, s.now, false
		}
	}
	s.now = t
	if s.label < 0 {
		return
	}
	if !s.seen && t-s.runAt >= s.minRun {
		s.seen = true
		if s.mode >= 0 && s.mode != s.label {
			s.phases = append(s.phases, PhaseOf((s.left+s.runAt)/2, s.period))
		}
		s.mode = s.label
	}
	if s.seen {
		s.left = t
	}
}

// Merge adds the switches of o, which must have equal period and minRun.
func (s *SwitchPhases) Merge(o *SwitchPhases) error {
	if s == o || s.period != o.period || s.minRun != o.minRun {
		return errors.New("tempering: merge of switch phases with themselves or of another period or minRun")
	}
	s.phases = append(s.phases, o.phases...)
	return nil
}

// Switches is the number of switches.
func (s *SwitchPhases) Switches() int { return len(s.phases) }

// Histogram is the number of switches in each of n equal parts of the cycle.
func (s *SwitchPhases) Histogram(n int) ([]int, error) {
	if n < 1 {
		return nil, fmt.Errorf("tempering: phase histogram of %d bins: must be at least 1", n)
	}
	h := make([]int, n)
	for _, x := range s.phases {
		h[min(int(x*float64(n)), n-1)]++
	}
	return h, nil
}

// Share is the share of switches in a phase window, NaN without switches.
func (s *SwitchPhases) Share(w PhaseWindow) (float64, error) {
	if err := w.Validate(); err != nil {
		return math.NaN(), err
	}
	in := 0
	for _, x := range s.phases {
		if w.Keep(x) {
			in++
		}
	}
	return float64(in) / float64(len(s.phases)), nil
}
