package lif

import (
	"fmt"
	"math"
)

// fitLogistic fits p = 1/(1+exp(−(e−v)/α)) by weighted least squares to the points with p
// inside (0.05, 0.95), weights 1/(p(1−p)). Standard errors are the larger of those from
// the points' own standard errors and from the residuals.
func fitLogistic(pts []Point) (*Calibration, error) {
	var in []Point
	for _, q := range pts {
		if q.P > 0.05 && q.P < 0.95 {
			in = append(in, q)
		}
	}
	if len(in) < 10 {
		return nil, fmt.Errorf("lif: %d points of the activation function lie in (0.05, 0.95): at least 10 are needed", len(in))
	}
	// Start: a straight line through the logits, x = a + s e.
	var n, se, sx, see, sex float64
	for _, q := range in {
		x := math.Log(q.P / (1 - q.P))
		n++
		se += q.E
		sx += x
		see += q.E * q.E
		sex += q.E * x
	}
	mean := se / n
	slope := (sex - mean*sx) / (see - mean*se)
	if !(slope > 0) {
		return nil, fmt.Errorf("lif: %w: it falls with the resting potential", ErrFit)
	}
	v, alpha := mean-sx/n/slope, 1/slope

	// Gauss-Newton in (v, ln α), halving steps that do not help.
	cost := func(v, alpha float64) float64 {
		c := 0.0
		for _, q := range in {
			d := q.P - 1/(1+math.Exp(-(q.E-v)/alpha))
			c += d * d / (q.P * (1 - q.P))
		}
		return c
	}
	var a11, a12, a22 float64
	best := cost(v, alpha)
	for range 100 {
		var b1, b2 float64
		a11, a12, a22 = 0, 0, 0
		for _, q := range in {
			x := (q.E - v) / alpha
			p := 1 / (1 + math.Exp(-x))
			w := 1 / (q.P * (1 - q.P))
			j1, j2 := -p*(1-p)/alpha, -p*(1-p)*x
			a11 += w * j1 * j1
			a12 += w * j1 * j2
			a22 += w * j2 * j2
			b1 += w * j1 * (q.P - p)
			b2 += w * j2 * (q.P - p)
		}
		det := a11*a22 - a12*a12
		d1, d2 := (a22*b1-a12*b2)/det, (a11*b2-a12*b1)/det
		scale := 1.0
		for ; scale > 1e-6; scale /= 2 {
			if c := cost(v+scale*d1, alpha*math.Exp(scale*d2)); c <= best {
				best = c
				break
			}
		}
		if scale <= 1e-6 || (math.Abs(d1) < 1e-12*alpha && math.Abs(d2) < 1e-12) {
			break
		}
		v, alpha = v+scale*d1, alpha*math.Exp(scale*d2)
	}

	c := &Calibration{VHalf: v, Alpha: alpha}
	// Sandwich of the points' variances, and the residual variance, whichever is larger.
	det := a11*a22 - a12*a12
	var s11, s22, rss, sum2 float64
	for _, q := range in {
		x := (q.E - v) / alpha
		p := 1 / (1 + math.Exp(-x))
		w := 1 / (q.P * (1 - q.P))
		j1, j2 := -p*(1-p)/alpha, -p*(1-p)*x
		g1, g2 := w*(a22*j1-a12*j2)/det, w*(a11*j2-a12*j1)/det
		s11 += g1 * g1 * q.SE * q.SE
		s22 += g2 * g2 * q.SE * q.SE
		d := q.P - p
		rss += w * d * d
		sum2 += d * d
	}
	rv := rss / (n - 2)
	c.VHalfSE = math.Sqrt(math.Max(s11, rv*a22/det))
	c.AlphaSE = alpha * math.Sqrt(math.Max(s22, rv*a11/det))
	c.RMS = math.Sqrt(sum2 / n)
	if c.RMS > maxRMS {
		return nil, fmt.Errorf("lif: %w: rms residual %.3f exceeds %v", ErrFit, c.RMS, maxRMS)
	}
	return c, nil
}
