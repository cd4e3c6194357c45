package tempering

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/interp"
)

// Adapted returns the ladder of k levels with the ends of l and, as far as can be known,
// equal rejection rates, and the communication barrier Λ (Syed et al. 2022, sec. 5.4).
// rejection are the rates of the len(l)−1 neighbouring pairs of l, in [0, 1]. Their partial
// sums from the hot end estimate Λ(β), the barrier between the lowest level and β; it is
// interpolated by a monotone cubic and cut into equal parts. For efficiency k should be
// about 2Λ.
func (l Ladder) Adapted(rejection []float64, k int) (Ladder, float64, error) {
	if err := l.Validate(); err != nil {
		return nil, 0, err
	}
	n := len(l)
	if len(rejection) != n-1 {
		return nil, 0, fmt.Errorf("tempering: %d rejection rates for %d levels: must be %d", len(rejection), n, n-1)
	}
	if err := checkSpan(k, l[n-1]); err != nil {
		return nil, 0, err
	}
	// By rising β. The small slope keeps Λ(β) invertible where nothing is rejected.
	const slope = 1e-9
	beta, sum := make([]float64, n), make([]float64, n)
	barrier := 0.0
	for i := range n {
		level := n - 1 - i
		beta[i] = l[level]
		if i > 0 {
			r := rejection[level]
			if !(r >= 0 && r <= 1) {
				return nil, 0, fmt.Errorf("tempering: rejection rate of pair %d is %v: must be in [0, 1]", level, r)
			}
			barrier += r
			sum[i] = sum[i-1] + r + slope*(beta[i]-beta[i-1])
		}
	}
	var f interp.FritschButland
	if err := f.Fit(beta, sum); err != nil {
		return nil, 0, fmt.Errorf("tempering: %w", err)
	}
	out := make(Ladder, k)
	out[0], out[k-1] = 1, l[n-1]
	for i := 1; i < k-1; i++ {
		out[i] = invert(f.Predict, beta[0], 1, sum[n-1]*float64(k-1-i)/float64(k-1))
	}
	return out, barrier, out.Validate()
}

// invert is the x in [a, b] where rising f takes the value y, by bisection.
func invert(f func(float64) float64, a, b, y float64) float64 {
	for range 64 {
		if mid := a + (b-a)/2; f(mid) < y {
			a = mid
		} else {
			b = mid
		}
	}
	return b
}

// AdaptOptions configures Parallel.Adapt. The zero value is the default.
type AdaptOptions struct {
	Rounds int // rounds, each of twice the scans of the last; default 8
	Scans  int // scans of the first round; default 128
}

// Adapt moves the levels to equal rejection rates (Syed et al. 2022, algorithm 4): in
// rounds of doubling length it measures the rates and takes Ladder.Adapted. It returns the
// barrier Λ measured in the last round. It needs a Reset before; its scans take no Time,
// but Cost, and move the chains without flips. If ctx ends it, the ladder is that of the
// last round completed.
func (p *Parallel) Adapt(ctx context.Context, o AdaptOptions) (barrier float64, err error) {
	if o.Rounds == 0 {
		o.Rounds = 8
	}
	if o.Scans == 0 {
		o.Scans = 128
	}
	if o.Rounds < 0 || o.Rounds > 40 {
		return 0, fmt.Errorf("tempering: Rounds = %d: must be 1 to 40 (0: default 8)", o.Rounds)
	}
	if o.Scans < 64 || o.Scans > 1<<20 {
		return 0, fmt.Errorf("tempering: Scans = %d: must be 64 to 2^20 (0: default 128)", o.Scans)
	}
	if p.r == nil {
		return 0, errNotReset
	}
	for round := range o.Rounds {
		p.x.clearCounts()
		for range o.Scans << round {
			if err := ctx.Err(); err != nil {
				return barrier, err
			}
			if err := p.silentScan(); err != nil {
				p.r = nil
				return barrier, err
			}
		}
		ladder, b, err := p.ladder.Adapted(p.x.rejections(), len(p.ladder))
		if err != nil {
			return barrier, err
		}
		p.ladder, barrier = ladder, b
	}
	p.x.clearCounts()
	return barrier, nil
}

// silentScan is a scan that takes no Time and reports no flips.
func (p *Parallel) silentScan() error {
	if p.fast != nil {
		return p.fastScan()
	}
	if err := p.cold().sweep(1, p.scan, p.r); err != nil {
		return err
	}
	p.cost++
	return p.hotAndSwap()
}
