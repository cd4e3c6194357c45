package ensemble

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// CalibrateOptions say how the activation functions of an ensemble's units are measured. The
// zero value of each field is its default.
type CalibrateOptions struct {
	Points   int     // resting potentials; default 11, from 4 α below half activation to 4 α above
	Duration float64 // at each [ms]; default 5000
	Warmup   float64 // before each [ms]; default 200
}

// Calibrate measures the activation function of every unit under the noise it has, one by
// one, with the couplings of the networks taken away, and calibrates it by the logistic
// function that fits best. It takes out what the analytic calibration cannot know: the mean
// and variance of a source whose activity is not what was assumed. The ensemble must have
// been Reset and goes on afterwards from where it then is; no random numbers are drawn. After
// an error the calibration is the one before.
//
// It needs a source that does not hear the networks: Pool, NoiseNetwork or PoissonPool.
func (e *Ensemble) Calibrate(ctx context.Context, o CalibrateOptions) error {
	if o.Points == 0 {
		o.Points = 11
	}
	if o.Duration == 0 {
		o.Duration = 5000
	}
	if o.Warmup == 0 {
		o.Warmup = 200
	}
	tauRef := e.opt.Setup.Neuron.TauRef
	switch {
	case o.Points < 5 || o.Points > 1000:
		return fmt.Errorf("ensemble: Calibrate: Points = %d: must be 5 to 1000", o.Points)
	case !(o.Duration >= 10*tauRef) || math.IsInf(o.Duration, 0):
		return fmt.Errorf("ensemble: Calibrate: Duration = %v ms: must be finite and at least 10 refractory times", o.Duration)
	case !(o.Warmup >= 0) || math.IsInf(o.Warmup, 0):
		return fmt.Errorf("ensemble: Calibrate: Warmup = %v ms: must be finite and ≥ 0", o.Warmup)
	}
	for _, c := range e.ideal {
		if c.From < e.dim {
			return errors.New("ensemble: Calibrate: the networks are each other's noise: needs a source that does not hear them")
		}
	}
	if err := e.net.SetConnections(e.connections(false)); err != nil {
		return err
	}
	before := e.Units()
	e.watch.off = true // at the highest potentials all units are on
	err := e.measure(ctx, o)
	e.watch.off = false
	if err != nil { // some units may be calibrated already
		for k, u := range before {
			e.setUnit(k, u)
		}
	}
	e.watch.begin(e.net.Time())
	return errors.Join(err, e.apply())
}

// reach is how far from the supposed half activation a scan goes [α], scans how often units
// that were not seen to rise are looked for further up or down.
const reach, scans = 4, 5

func (e *Ensemble) measure(ctx context.Context, o CalibrateOptions) error {
	missing := e.dim
	found := make([]bool, e.dim)
	centre := make([]float64, e.dim)
	for range scans {
		fits := make([]line, e.dim)
		for i := range o.Points {
			x := reach * (2*float64(i)/float64(o.Points-1) - 1)
			for k := range e.dim {
				e.rest[k] = e.units[k].VHalf + e.units[k].Alpha*(centre[k]+x+e.offset[k])
			}
			if err := e.net.SetRest(e.rest); err != nil {
				return err
			}
			mean := estimate.NewMarginals(e.dim)
			if err := e.run(ctx, o.Warmup, nil); err != nil {
				return err
			}
			if err := e.run(ctx, o.Duration, mean); err != nil {
				return err
			}
			for k, p := range mean.Mean() {
				fits[k].all += p
				if p > 0.02 && p < 0.97 { // where the activation is logistic
					fits[k].add(centre[k]+x, math.Log(p/(1-p)), p*(1-p))
				}
			}
		}
		for k, f := range fits {
			if found[k] {
				continue
			}
			slope, at, ok := f.fit()
			if !ok || math.Abs(at-centre[k]) > reach {
				centre[k] += 1.5 * reach * math.Copysign(1, float64(o.Points)/2-f.all)
				continue
			}
			u := e.units[k]
			u.VHalf += u.Alpha * at
			u.Alpha /= slope
			u.Free.SD /= slope
			e.setUnit(k, u)
			found[k], centre[k] = true, 0
			missing--
		}
		if missing == 0 {
			return nil
		}
	}
	return fmt.Errorf("ensemble: Calibrate: the activation of unit %d is not seen to rise anywhere near its analytic half: its noise is not what was assumed", slices.Index(found, false))
}

// line accumulates a weighted fit of a straight line.
type line struct{ n, w, x, y, xx, xy, all float64 }

func (l *line) add(x, y, w float64) {
	l.n++
	l.w += w
	l.x += w * x
	l.y += w * y
	l.xx += w * x * x
	l.xy += w * x * y
}

// fit is the slope and where the line is 0.
func (l *line) fit() (slope, zero float64, ok bool) {
	if l.n < 3 {
		return 0, 0, false
	}
	slope = (l.xy - l.x*l.y/l.w) / (l.xx - l.x*l.x/l.w)
	return slope, l.x/l.w - l.y/l.w/slope, slope > 0
}
