package estimate_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
)

// coins is a sampler of independent units: every 1/n of a unit of time the next unit is
// drawn anew, 1 with its probability.
type coins struct {
	p    []float64
	r    *rand.Rand
	z    []uint8
	t    float64
	next int
}

func newCoins(p ...float64) *coins { return &coins{p: p} }

func (s *coins) Dim() int       { return len(s.p) }
func (s *coins) State() []uint8 { return s.z }
func (s *coins) Time() float64  { return s.t }

func (s *coins) Reset(start []uint8, src rand.Source) error {
	*s = coins{p: s.p, r: rand.New(src), z: make([]uint8, len(s.p))}
	copy(s.z, start)
	return nil
}

func (s *coins) Advance(t float64, buf []sampling.Flip) ([]sampling.Flip, error) {
	buf = buf[:0]
	for s.t < t && len(buf) < cap(buf) {
		s.t += 1 / float64(len(s.p))
		on := uint8(0)
		if s.r.Float64() < s.p[s.next] {
			on = 1
		}
		if on != s.z[s.next] {
			s.z[s.next] = on
			buf = append(buf, sampling.Flip{Time: s.t, Unit: int32(s.next), On: on})
		}
		s.next = (s.next + 1) % len(s.p)
	}
	return buf, nil
}

// run records four chains of three coins.
func run[E sampling.Estimator[E]](newEstimator func(chain int) (E, error)) E {
	e, err := sampling.Chains(context.Background(),
		func(int) (sampling.Sampler, error) { return newCoins(.5, .2, .9), nil },
		newEstimator,
		sampling.ChainOptions{Schedule: sampling.Schedule{Warmup: 10, Duration: 1e4}, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	return e
}

func ExampleMarginals() {
	m := run(func(int) (*estimate.Marginals, error) { return estimate.NewMarginals(3), nil })
	fmt.Printf("%.2f in %.0f sweeps\n", m.Mean(), m.Time())
	// Output: [0.50 0.20 0.90] in 40000 sweeps
}

func ExampleMoments() {
	m := run(func(int) (*estimate.Moments, error) { return estimate.NewMoments(3), nil })
	fmt.Printf("E z0·z2 = %.2f, Var z1 = %.2f\n", m.Second().At(0, 2), m.Cov().At(1, 1))
	// Output: E z0·z2 = 0.45, Var z1 = 0.16
}

func ExampleJoint() {
	j := run(func(int) (*estimate.Joint, error) { return estimate.NewJoint(0, 1) })
	fmt.Printf("P(00, 10, 01, 11) = %.2f\n", j.P()) // bit 0 of the index is unit 0
	d, err := j.DKL([]float64{.4, .4, .1, .1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("DKL near its floor:", d.X < 5*d.Floor)
	d, err = j.DKL([]float64{.25, .25, .25, .25})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("from uniform: %.3f, more than 20 MCSE away: %v\n", d.X, d.X > 20*d.MCSE)
	// Output:
	// P(00, 10, 01, 11) = [0.40 0.40 0.10 0.10]
	// DKL near its floor: true
	// from uniform: 0.197, more than 20 MCSE away: true
}

func ExampleModes() {
	m := run(func(int) (*estimate.Modes, error) {
		labels, err := estimate.Patterns([][]uint8{{1, 0, 1}, {0, 0, 1}}, 0)
		if err != nil {
			return nil, err
		}
		return estimate.NewModes(labels, estimate.ModesOptions{Step: .5})
	})
	fmt.Printf("occupancy %.2f, outside %.2f\n", m.Occupancy(), m.Outside())
	tau, err := m.IACT(0)
	if err != nil {
		log.Fatal(err)
	}
	odds, se, err := m.LogOdds(0, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("switches by the thousand: %v, autocorrelation time about a sweep: %v, log odds 0 within 4.5 errors: %v\n",
		m.Switches() > 1000, tau > .5 && tau < 2, math.Abs(odds) < 4.5*se)
	// Output:
	// occupancy [0.36 0.36], outside 0.28
	// switches by the thousand: true, autocorrelation time about a sweep: true, log odds 0 within 4.5 errors: true
}

func ExampleISL() {
	k, err := estimate.NewISL([][]uint8{{0, 0, 1, 1}, {0, 1, 1, 1}, {1, 0, 0, 0}})
	if err != nil {
		log.Fatal(err)
	}
	l, err := k.Score([][]uint8{{0, 0, 1, 1}, {1, 1, 1, 1}}, estimate.DefaultBeta)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f nats\n", l.Mean)
	// Output: -2.7233 nats
}

func ExampleValues() {
	v := run(func(int) (*estimate.Values, error) {
		return estimate.NewValues([]estimate.Variable{
			estimate.OneHot("which", 0, 1), // undefined while both or none are on
			{Name: "z2", Units: []int{2}},
		}, estimate.ValuesOptions{Condition: true})
	})
	s, err := v.Summary()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("defined %.1f of the time\n", s.Defined)
	for _, r := range s.Rows {
		fmt.Printf("P(%s = %d) = %.1f, MCSE below .01: %v, R-hat below 1.01: %v\n",
			r.Variable, r.Value, r.Estimate, r.MCSE < .01, r.Rhat < 1.01)
	}
	// Output:
	// defined 0.5 of the time
	// P(which = 0) = 0.8, MCSE below .01: true, R-hat below 1.01: true
	// P(which = 1) = 0.2, MCSE below .01: true, R-hat below 1.01: true
	// P(z2 = 0) = 0.1, MCSE below .01: true, R-hat below 1.01: true
	// P(z2 = 1) = 0.9, MCSE below .01: true, R-hat below 1.01: true
}

func ExampleCurve() {
	times, err := estimate.LogTimes(10, 1e4, 1)
	if err != nil {
		log.Fatal(err)
	}
	c := run(func(int) (*estimate.Curve, error) {
		return estimate.NewCurve([]float64{.4, .4, .1, .1}, times, 0, 1)
	})
	points, err := c.Points()
	if err != nil {
		log.Fatal(err)
	}
	for i, p := range points[1:] {
		fmt.Printf("D(%.0f) < D(%.0f): %v\n", p.Time, points[i].Time, p.Mean < points[i].Mean)
	}
	// Output:
	// D(100) < D(10): true
	// D(1000) < D(100): true
	// D(10000) < D(1000): true
}

func ExampleRhat() {
	chains := [][]float64{{1, 2, 1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 1}, {8, 9, 8, 9, 8, 9, 8, 9}}
	r, err := estimate.Rhat(chains)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f\n", r)
	// Output: 1.8
}

func ExampleDescribe() {
	d, err := estimate.Describe([][]float64{{1, 4, 2, 6, 3, 5}, {5, 2, 6, 1, 4, 3}})
	if err != nil {
		log.Fatal(err)
	}
	d.Name = "x"
	fmt.Println(d)
	// Output:
	//    mean  MCSE     sd  median  MAD  q5  q95  R-hat  ESS bulk  ESS tail
	//   x   3.5   0.5  1.784     3.5  1.5   1    6  1.087        13        13
}
