package lif

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// Point is one measured point of an activation function.
type Point struct {
	E  float64 `json:"e"`  // resting potential [mV]
	P  float64 `json:"p"`  // share of time refractory
	SE float64 `json:"se"` // its standard error
}

// Calibration is the logistic activation function of a setup,
// p_on(E) = 1/(1+exp(−(E−VHalf)/Alpha)), and the measured effect of its synapses.
// It marshals to JSON.
type Calibration struct {
	VHalf   float64    `json:"v_half"`    // resting potential at which p_on = ½ [mV]
	Alpha   float64    `json:"alpha"`     // width: one unit of bias [mV of E]
	VHalfSE float64    `json:"v_half_se"` // standard errors of the fit [mV]; 0 for an analytic one
	AlphaSE float64    `json:"alpha_se"`
	RMS     float64    `json:"rms"` // residual of the fit, root mean square over the fitted points
	Points  []Point    `json:"points,omitempty"`
	Pair    *PairTable `json:"pair,omitempty"`
	Hash    string     `json:"hash"` // of the setup it belongs to
}

// P is the fitted activation at resting potential e [mV].
func (c *Calibration) P(e float64) float64 { return 1 / (1 + math.Exp(-(e-c.VHalf)/c.Alpha)) }

// CalibrateOptions says how an activation function is measured. Zero values are the
// documented defaults.
type CalibrateOptions struct {
	Points   int     // resting potentials measured; default 60
	Duration float64 // biological time of each [ms]; default 1e5
	Warmup   float64 // discarded before [ms]; default 500
	// Pairs is the biological time for which each coupling of the pair table is
	// measured [ms]; default 2e6, a negative value leaves the table out.
	Pairs    float64
	Seed     uint64
	Parallel int // default GOMAXPROCS; never changes the result
}

func (o CalibrateOptions) withDefaults() (CalibrateOptions, error) {
	if o.Points == 0 {
		o.Points = 60
	}
	if o.Duration == 0 {
		o.Duration = 1e5
	}
	if o.Warmup == 0 {
		o.Warmup = 500
	}
	if o.Pairs == 0 {
		o.Pairs = 2e6
	}
	if o.Parallel == 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	var errs []error
	if o.Points < 10 {
		errs = append(errs, fmt.Errorf("lif: Points = %d: must be ≥ 10 (0: default 60)", o.Points))
	}
	if !(o.Duration >= 1000) || math.IsInf(o.Duration, 0) {
		errs = append(errs, fmt.Errorf("lif: Duration = %v ms: must be finite and ≥ 1000 (0: default 1e5)", o.Duration))
	}
	if !(o.Warmup > 0) || math.IsInf(o.Warmup, 0) {
		errs = append(errs, fmt.Errorf("lif: Warmup = %v ms: must be finite and > 0 (0: default 500)", o.Warmup))
	}
	if math.IsNaN(o.Pairs) || math.IsInf(o.Pairs, 0) || (o.Pairs > 0 && o.Pairs < 1e4) {
		errs = append(errs, fmt.Errorf("lif: Pairs = %v ms: must be ≥ 1e4 (0: default 2e6, negative: no pair table)", o.Pairs))
	}
	if o.Parallel < 0 {
		errs = append(errs, fmt.Errorf("lif: Parallel = %d: must be ≥ 1 (0: GOMAXPROCS)", o.Parallel))
	}
	return o, errors.Join(errs...)
}

// Validate reports what is wrong with the options.
func (o CalibrateOptions) Validate() error {
	_, err := o.withDefaults()
	return err
}

// maxRMS is the largest residual of the logistic fit that a calibration may have.
const maxRMS = 0.03

// ErrFit is wrapped when an activation function is not logistic enough to sample with.
var ErrFit = errors.New("activation function is not logistic")

// Calibrate measures the activation function of s by simulation: free neurons at
// resting potentials spread over the range that the analytic activation function
// names, then a fit of the logistic function to the points inside (0.05, 0.95). With
// Pairs it also measures the pair table. The result depends on s and the seed only.
//
// Calibrate with the step, synapse and background you sample with; a calibration is
// refused for any other setup.
func Calibrate(ctx context.Context, s Setup, o CalibrateOptions) (*Calibration, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := s.requireNoise(); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	lo, hi, err := s.activeRange(0.01, 0.99)
	if err != nil {
		return nil, err
	}
	var pts []Point
	for try := 0; ; try++ {
		es := make([]float64, o.Points)
		for i := range es {
			es[i] = lo + (hi-lo)*float64(i)/float64(o.Points-1)
		}
		if pts, err = s.MeasureActivation(ctx, es, o); err != nil {
			return nil, err
		}
		low, high := pts[0].P < 0.05, pts[len(pts)-1].P > 0.95
		if low && high {
			break
		}
		if try == 4 {
			return nil, fmt.Errorf("lif: activation runs from %.3f to %.3f between E = %g and %g mV: both tails (below 0.05 and above 0.95) must be in reach",
				pts[0].P, pts[len(pts)-1].P, lo, hi)
		}
		w := hi - lo
		if !low {
			lo -= w / 2
		}
		if !high {
			hi += w / 2
		}
	}
	c, err := fitLogistic(pts)
	if err != nil {
		return nil, err
	}
	c.Points, c.Hash = pts, s.Hash()
	if o.Pairs > 0 {
		if c.Pair, err = measurePairs(ctx, s, c, o); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// CalibrateAnalytic is the calibration that the diffusion limit predicts: the logistic
// fit to the analytic activation function. It takes milliseconds, has no pair table, and
// is off by up to 0.2 α in VHalf and 7 % in Alpha: a check and a start, not a basis for
// sampling.
func CalibrateAnalytic(s Setup) (*Calibration, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := s.requireNoise(); err != nil {
		return nil, err
	}
	lo, hi, err := s.activeRange(0.01, 0.99)
	if err != nil {
		return nil, err
	}
	pts := make([]Point, 60)
	for i := range pts {
		e := lo + (hi-lo)*float64(i)/float64(len(pts)-1)
		p, err := s.activation(e)
		if err != nil {
			return nil, err
		}
		pts[i] = Point{E: e, P: p}
	}
	c, err := fitLogistic(pts)
	if err != nil {
		return nil, err
	}
	c.VHalfSE, c.AlphaSE = 0, 0
	c.Points, c.Hash = pts, s.Hash()
	return c, nil
}

// activeRange is where the analytic activation function runs from p0 to p1.
func (s Setup) activeRange(p0, p1 float64) (lo, hi float64, err error) {
	// dµ/dE = g_l/g_tot, so this is one standard deviation of the free potential in E.
	m := s.freePotential(s.Neuron.Theta)
	unit := m.SD * m.GTot / s.Neuron.GLeak()
	centre := s.Neuron.Theta + (s.Neuron.Theta-m.Mean)*m.GTot/s.Neuron.GLeak()
	find := func(p, sign float64) (float64, error) {
		near := centre
		var far float64
		for step := unit; ; step *= 2 {
			far = near + sign*step
			q, err := s.activation(far)
			if err != nil {
				return 0, err
			}
			if (q-p)*sign > 0 {
				break
			}
			if step > 1e4*unit {
				return 0, fmt.Errorf("lif: the activation function does not reach %v", p)
			}
			near = far
		}
		for range 30 {
			mid := (near + far) / 2
			q, err := s.activation(mid)
			if err != nil {
				return 0, err
			}
			if (q-p)*sign > 0 {
				far = mid
			} else {
				near = mid
			}
		}
		return far, nil
	}
	if lo, err = find(p0, -1); err != nil {
		return 0, 0, err
	}
	hi, err = find(p1, 1)
	return lo, hi, err
}

// group is the number of neurons simulated together; fixed, so that the number of
// workers does not matter.
const group = 10

// blocks is the number of parts of a measurement that its standard error is taken from.
const blocks = 20

// MeasureActivation simulates unconnected neurons at the resting potentials es [mV], each
// with its own noise, and returns the share of time they are refractory. It uses
// Duration, Warmup, Seed and Parallel of o.
func (s Setup) MeasureActivation(ctx context.Context, es []float64, o CalibrateOptions) ([]Point, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	for _, e := range es {
		if math.IsNaN(e) || math.IsInf(e, 0) {
			return nil, fmt.Errorf("lif: resting potential %v mV: must be finite", e)
		}
	}
	pts := make([]Point, len(es))
	groups := (len(es) + group - 1) / group
	err = parallel(ctx, groups, o.Parallel, func(g int) error {
		part := es[g*group : min((g+1)*group, len(es))]
		n, err := s.free(part, nil)
		if err != nil {
			return err
		}
		if err := n.Reset(nil, rng.Stream(o.Seed, "activation", g)); err != nil {
			return err
		}
		on := make([]moment, len(part))
		sch := sampling.Schedule{Warmup: o.Warmup, Duration: o.Duration / blocks}
		for range blocks {
			m := estimate.NewMarginals(len(part))
			if err := sampling.Run(ctx, n, sch, m); err != nil {
				return err
			}
			for k, p := range m.Mean() {
				on[k].add(p)
			}
			sch.Warmup = 0
		}
		for k := range part {
			pts[g*group+k] = Point{E: part[k], P: on[k].mean(), SE: on[k].se()}
		}
		return nil
	})
	return pts, err
}

// moment accumulates a mean and its standard error.
type moment struct{ n, s, s2 float64 }

func (m *moment) add(x float64) { m.n++; m.s += x; m.s2 += x * x }
func (m *moment) mean() float64 { return m.s / m.n }
func (m *moment) se() float64 {
	v := (m.s2/m.n - m.mean()*m.mean()) / (m.n - 1)
	return math.Sqrt(math.Max(v, 0))
}

// parallel calls f(0..n-1) on up to workers goroutines and returns the first error in
// order of the index.
func parallel(ctx context.Context, n, workers int, f func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := range next {
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = f(i)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
