package tempering

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
)

// AnnealOptions configures Anneal. The zero value is the default.
type AnnealOptions struct {
	Start []uint8 // default: each unit a fair coin
	Scan  Scan    // default Sequential
}

// Anneal is simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983): one sweep at each
// inverse temperature of the schedule, finite and ≥ 0, usually rising. It returns the
// state of lowest energy it met, at any visit, and that energy. If ctx ends, it returns the
// best so far and ctx's error. It is no sampler: the state found has no known law.
func Anneal(ctx context.Context, m sampling.Model, schedule []float64, o AnnealOptions, src rand.Source) (best []uint8, energy float64, err error) {
	if err := errors.Join(checkModel(m), checkSchedule(schedule), checkScan(o.Scan)); err != nil {
		return nil, math.NaN(), err
	}
	if src == nil {
		return nil, math.NaN(), errors.New("tempering: random source is nil")
	}
	r := rand.New(src)
	c := newChain(m)
	if err := c.start(o.Start, r); err != nil {
		return nil, math.NaN(), err
	}
	n := m.Dim()
	best = append([]uint8(nil), c.z...)
	least := c.energy
	for _, beta := range schedule {
		if err = ctx.Err(); err != nil {
			break
		}
		for k := range n {
			if o.Scan == Random {
				k = r.IntN(n)
			}
			if _, err := c.visit(k, beta, r.Float64()); err != nil {
				return nil, math.NaN(), err
			}
			if c.energy < least {
				least = c.energy
				copy(best, c.z)
			}
		}
	}
	return best, m.Energy(best), err
}

func checkSchedule(schedule []float64) error {
	if len(schedule) == 0 {
		return errors.New("tempering: schedule is empty: must have at least one sweep")
	}
	for i, b := range schedule {
		if !finite(b) || b < 0 {
			return fmt.Errorf("tempering: β of sweep %d of the schedule is %v: must be finite and ≥ 0", i, b)
		}
	}
	return nil
}

// LinearSchedule returns inverse temperatures for n ≥ 2 sweeps, equally spaced between
// from and to, both finite and ≥ 0.
func LinearSchedule(n int, from, to float64) ([]float64, error) {
	return schedule(n, from, to, func(x float64) float64 { return from + x*(to-from) })
}

// GeometricSchedule returns inverse temperatures for n ≥ 2 sweeps, of constant ratio
// between from and to, both finite and > 0.
func GeometricSchedule(n int, from, to float64) ([]float64, error) {
	if from == 0 || to == 0 {
		return nil, fmt.Errorf("tempering: geometric schedule from %v to %v: both must be > 0", from, to)
	}
	return schedule(n, from, to, func(x float64) float64 { return from * math.Pow(to/from, x) })
}

func schedule(n int, from, to float64, f func(x float64) float64) ([]float64, error) {
	if n < 2 {
		return nil, fmt.Errorf("tempering: schedule of %d sweeps: must have at least 2", n)
	}
	if err := errors.Join(checkFinite("from", from), checkFinite("to", to)); err != nil {
		return nil, err
	}
	s := make([]float64, n)
	for i := range s {
		s[i] = f(float64(i) / float64(n-1))
	}
	s[n-1] = to
	return s, checkSchedule(s)
}
