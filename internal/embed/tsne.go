package embed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// MaxPoints is the most points TSNE takes: it needs their number squared of memory and, in
// every iteration, of time.
const MaxPoints = 2000

// TSNEOptions configures TSNE. The zero value of each field is its default.
type TSNEOptions struct {
	Perplexity float64 // effective number of neighbours, in [1, (n−1)/3]; default 30, or (n−1)/3 of few points
	// Exaggeration is the factor of p in the first Early iterations; default 12 and 250.
	Exaggeration float64
	Early        int
	Iterations   int     // in all; default 1000
	Rate         float64 // learning rate; default n/(4·Exaggeration), at least 50
	// OnProgress, if set, is called after every iteration.
	OnProgress func(iteration int)
}

func (o TSNEOptions) filled(n int) (TSNEOptions, error) {
	most := float64(n-1) / 3
	if o.Perplexity == 0 {
		o.Perplexity = max(1, min(30, most))
	}
	if o.Exaggeration == 0 {
		o.Exaggeration = 12
	}
	if o.Early == 0 {
		o.Early = 250
	}
	if o.Iterations == 0 {
		o.Iterations = 1000
	}
	if o.Rate == 0 {
		o.Rate = max(50, float64(n)/(4*o.Exaggeration))
	}
	var errs []error
	fault := func(ok bool, name string, v any, must string) {
		if !ok {
			errs = append(errs, fmt.Errorf("embed: TSNE: %s = %v: must be %s", name, v, must))
		}
	}
	fault(o.Perplexity >= 1 && o.Perplexity <= max(1, most), "Perplexity", o.Perplexity, fmt.Sprintf("1 to a third of the other points, %.4g (0: default)", max(1, most)))
	fault(o.Exaggeration >= 1 && o.Exaggeration <= 1000, "Exaggeration", o.Exaggeration, "1 to 1000 (0: default 12)")
	fault(o.Early >= 0, "Early", o.Early, "≥ 0 (0: default 250)")
	fault(o.Iterations >= 1, "Iterations", o.Iterations, "≥ 1 (0: default 1000)")
	fault(o.Rate > 0 && !math.IsInf(o.Rate, 0), "Rate", o.Rate, "finite and > 0 (0: default)")
	return o, errors.Join(errs...)
}

// TSNE embeds the points x, 3 to MaxPoints, of equal length and finite, in a plane. It
// returns their places and D(p‖q) there [nats]. The points begin on their first two
// principal components, shrunk to a standard deviation of 1e-4, with a hundredth of that
// added at random from src, so that equal points can part. The result depends on src, not
// on the number of processors.
func TSNE(ctx context.Context, x [][]float64, src rand.Source, o TSNEOptions) (y [][2]float64, kl float64, err error) {
	if err := check(x, 3, MaxPoints); err != nil {
		return nil, math.NaN(), err
	}
	if src == nil {
		return nil, math.NaN(), errors.New("embed: TSNE without a random source (nil)")
	}
	n := len(x)
	if o, err = o.filled(n); err != nil {
		return nil, math.NaN(), err
	}
	s := &descent{n: n, y: make([][2]float64, n), grad: make([][2]float64, n), z: make([]float64, n), attract: make([][2]float64, n)}
	if s.p, err = affinities(x, o.Perplexity); err != nil {
		return nil, math.NaN(), err
	}
	if err := s.start(x, rand.New(src)); err != nil {
		return nil, math.NaN(), err
	}
	step, gain := make([][2]float64, n), make([][2]float64, n)
	for i := range gain {
		gain[i] = [2]float64{1, 1}
	}
	for t := range o.Iterations {
		if err := ctx.Err(); err != nil {
			return nil, math.NaN(), err
		}
		factor, momentum := 1.0, 0.8
		if t < o.Early {
			factor, momentum = o.Exaggeration, 0.5
		}
		s.gradient(factor)
		for i := range s.y {
			for a := range 2 {
				// Gains as in the authors' code: larger where the last step goes down the gradient.
				if s.grad[i][a]*step[i][a] < 0 {
					gain[i][a] += 0.2
				} else {
					gain[i][a] = max(0.01, 0.8*gain[i][a])
				}
				step[i][a] = momentum*step[i][a] - o.Rate*gain[i][a]*s.grad[i][a]
				s.y[i][a] += step[i][a]
			}
		}
		s.centre()
		if o.OnProgress != nil {
			o.OnProgress(t + 1)
		}
	}
	kl = s.divergence()
	if math.IsNaN(kl) || math.IsInf(kl, 0) {
		return nil, kl, fmt.Errorf("embed: TSNE diverged: Rate = %v must be smaller", o.Rate)
	}
	return s.y, kl, nil
}

// descent is the state of the embedding.
type descent struct {
	n       int
	p       []float64 // [i·n + j], sums to 1
	y       [][2]float64
	grad    [][2]float64
	attract [][2]float64 // of every point, scratch
	z       []float64    // Σ_j w_ij of every point
}

// start puts the points where they begin.
func (s *descent) start(x [][]float64, r *rand.Rand) error {
	const sd = 1e-4
	k := min(2, len(x[0]))
	c, err := PCA(x, k)
	if err != nil {
		return err
	}
	at, err := c.Project(x)
	if err != nil {
		return err
	}
	scale := 0.0
	if c.Variance[0] > 0 {
		scale = sd / math.Sqrt(c.Variance[0])
	}
	for i := range s.y {
		for a := range 2 {
			if a < k {
				s.y[i][a] = scale * at[i][a]
			}
			s.y[i][a] += sd / 100 * r.NormFloat64()
		}
	}
	return nil
}

// gradient computes ∂D/∂y with p times factor, and the sums z.
func (s *descent) gradient(factor float64) {
	parallel(s.n, func(i int) {
		yi, p := s.y[i], s.p[i*s.n:(i+1)*s.n]
		var attract, repel [2]float64
		z := 0.0
		for j, yj := range s.y {
			d0, d1 := yi[0]-yj[0], yi[1]-yj[1]
			w := 1 / (1 + d0*d0 + d1*d1)
			z += w
			pw, ww := p[j]*w, w*w
			attract[0] += pw * d0
			attract[1] += pw * d1
			repel[0] += ww * d0
			repel[1] += ww * d1
		}
		s.z[i], s.attract[i], s.grad[i] = z-1, attract, repel // less the point itself
	})
	total := s.total()
	for i := range s.grad {
		for a := range 2 {
			s.grad[i][a] = 4 * (factor*s.attract[i][a] - s.grad[i][a]/total)
		}
	}
}

// total is Σ_k≠l w_kl, in an order that does not depend on the processors.
func (s *descent) total() (sum float64) {
	for _, z := range s.z {
		sum += z
	}
	return sum
}

// divergence is D(p‖q).
func (s *descent) divergence() float64 {
	part := make([]float64, s.n)
	parallel(s.n, func(i int) {
		s.z[i] = 0
		for j, yj := range s.y {
			if j == i {
				continue
			}
			d0, d1 := s.y[i][0]-yj[0], s.y[i][1]-yj[1]
			d := 1 + d0*d0 + d1*d1
			s.z[i] += 1 / d
			if p := s.p[i*s.n+j]; p > 0 {
				part[i] += p * (math.Log(p) + math.Log(d))
			}
		}
	})
	sum := 0.0
	for _, x := range part {
		sum += x
	}
	return sum + math.Log(s.total())
}

// centre moves the mean to 0: nothing else holds it.
func (s *descent) centre() {
	var mean [2]float64
	for _, y := range s.y {
		mean[0] += y[0] / float64(s.n)
		mean[1] += y[1] / float64(s.n)
	}
	for i := range s.y {
		s.y[i][0] -= mean[0]
		s.y[i][1] -= mean[1]
	}
}

// affinities are p_ij for a perplexity.
func affinities(x [][]float64, perplexity float64) ([]float64, error) {
	n := len(x)
	p := make([]float64, n*n)
	overflow := make([]bool, n)
	parallel(n, func(i int) {
		row := p[i*n : (i+1)*n]
		for j := range row {
			for a, v := range x[i] {
				row[j] += (v - x[j][a]) * (v - x[j][a])
			}
			overflow[i] = overflow[i] || math.IsInf(row[j], 0)
		}
		if !overflow[i] {
			conditional(row, i, math.Log(perplexity))
		}
	})
	for _, bad := range overflow {
		if bad {
			return nil, errors.New("embed: TSNE: distances overflow: must be smaller numbers")
		}
	}
	for i := range n {
		p[i*n+i] = 0
		for j := range i {
			v := (p[i*n+j] + p[j*n+i]) / (2 * float64(n))
			p[i*n+j], p[j*n+i] = v, v
		}
	}
	return p, nil
}

// conditional turns the squared distances of point i to all others into p_·|i of that
// entropy, as near as it can be: it is at least the logarithm of the number of nearest
// neighbours, which may all be equal points.
func conditional(row []float64, i int, entropy float64) {
	nearest, mean := math.Inf(1), 0.0
	for j, d := range row {
		if j != i {
			nearest = min(nearest, d)
			mean += d / float64(len(row)-1)
		}
	}
	// Distances relative to the nearest, in units in which b of order 1 is a start.
	unit := mean - nearest
	if unit <= 0 {
		unit = 1
	}
	d := make([]float64, len(row))
	for j := range row {
		d[j] = (row[j] - nearest) / unit
	}
	b, lo, hi := 1.0, 0.0, math.Inf(1)
	for range 100 {
		sum, moment := 0.0, 0.0
		for j, x := range d {
			if j == i {
				row[j] = 0
				continue
			}
			row[j] = math.Exp(-b * x)
			sum += row[j]
			moment += row[j] * x
		}
		h := math.Log(sum) + b*moment/sum
		for j := range row {
			row[j] /= sum
		}
		if math.Abs(h-entropy) < 1e-7 {
			return
		}
		if h > entropy {
			lo = b
		} else {
			hi = b
		}
		if math.IsInf(hi, 0) {
			b *= 2
		} else {
			b = (lo + hi) / 2
		}
	}
}

// parallel calls f(0), …, f(n−1) on all processors.
func parallel(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				f(i)
			}
		})
	}
	wg.Wait()
}
