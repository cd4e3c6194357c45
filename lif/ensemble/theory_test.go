package ensemble

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestDeadTime is acceptance items 1 and 2: the formulas.
func TestDeadTime(t *testing.T) {
	for _, c := range []struct{ p, trace, u float64 }{
		{.5, .4507993471, 3.644430}, {.2, .7588384570, 2.678134}, {.8, .2340797355, 2.425489},
	} {
		mean, v, u, err := DeadTimeMoments(c.p, 10, 10, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := v / (c.p / 10 * 10 / 2); math.Abs(got-c.trace) > 1e-9 {
			t.Errorf("p = %v: trace variance over Poisson %.10f, want %.10f", c.p, got, c.trace)
		}
		if got := 40 * u; math.Abs(got-c.u) > 1e-5 { // 20 + 20 sources
			t.Errorf("p = %v: potential variance %.6f, want %.6f", c.p, got, c.u)
		}
		if math.Abs(mean-c.p) > 1e-12 {
			t.Errorf("p = %v: mean %v", c.p, mean)
		}
	}
	// Many weak sources are a Poisson background: Campbell's theorem in package lif.
	s := lif.TutorialCUBA()
	free, _ := s.FreePotential(-50)
	rate, w, q := s.Noise.Exc[0].Rate/1000, s.Noise.Exc[0].Weight, s.Neuron
	v := 2 * w * w / q.C / q.C * poisson(rate).potential(q.TauSynE, q.TauM)
	if math.Abs(math.Sqrt(v)/free.SD-1) > 1e-12 {
		t.Errorf("Poisson: σ = %v, want %v", math.Sqrt(v), free.SD)
	}
	if _, x, _, _ := DeadTimeMoments(1e-9, 10, 10, 1); math.Abs(x/(1e-10*5)-1) > 1e-6 {
		t.Errorf("rare spikes: %v", x)
	}
	// A train that is always on is periodic: the trace is a sawtooth.
	_, x, _, _ := DeadTimeMoments(1, 10, 10, 1)
	r := 1 / -math.Expm1(-1)
	if want := r*r*-math.Expm1(-2)/2 - 1; math.Abs(x-want) > 1e-9 {
		t.Errorf("periodic: %v, want %v", x, want)
	}
	// Equal time constants are the limit of close ones.
	_, _, a, _ := DeadTimeMoments(.3, 10, 10, 10)
	_, _, b, _ := DeadTimeMoments(.3, 10, 10, 10.2)
	_, _, c, _ := DeadTimeMoments(.3, 10, 10, 9.8)
	if !(a > 0) || math.Abs(a/((b+c)/2)-1) > 1e-3 {
		t.Errorf("equal time constants: %v between %v and %v", a, c, b)
	}
	if _, _, x, _ := DeadTimeMoments(0, 10, 10, 1); x != 0 {
		t.Errorf("silent source: %v", x)
	}
}

// TestDeadTimeSimulated is acceptance item 2 by simulation: dead-time trains into 40
// exponential synapses and a membrane, dt = .1, within 2 % (standard error .35 %).
func TestDeadTimeSimulated(t *testing.T) {
	const steps, dt, tauRef = 20_000_000, 0.1, 10.0
	for _, p := range []float64{.5, .2, .8} {
		r := rand.New(rng.Stream(1, "dead time", int(100*p)))
		input := make([]int8, steps)
		for k := range 40 {
			for x := 0.0; ; {
				x += tauRef + r.ExpFloat64()*tauRef*(1-p)/p
				i := int(x / dt)
				if i >= steps {
					break
				}
				input[i] += int8(1 - 2*(k%2))
			}
		}
		ps, pm := math.Exp(-dt/10), math.Exp(-dt)
		ke := 10. / 9 * (ps - pm)
		var i, u, sum, sum2 float64
		for _, x := range input {
			u = u*pm + i*ke
			i = i*ps + float64(x)
			sum += u
			sum2 += u * u
		}
		got := sum2/steps - sum/steps*sum/steps
		_, _, want, _ := DeadTimeMoments(p, tauRef, 10, 1)
		if math.Abs(got/(40*want)-1) > .02 {
			t.Errorf("p = %v: variance %v, want %v", p, got, 40*want)
		}
	}
}

// TestShift is acceptance items 3 and 4.
func TestShift(t *testing.T) {
	for rho, want := range map[float64]float64{.3: .196463, .5: math.Ln2 / 2, -.5: -math.Ln2 / 2, 0: 0} {
		if got := StaticShift(rho); math.Abs(got-want) > 1e-6 {
			t.Errorf("f₀(%v) = %v, want %v", rho, got, want)
		}
	}
	if dW, db := SharedInputShift(.3); math.Abs(dW-4*.82*.196463) > 1e-5 || db != -dW/2 {
		t.Errorf("shift %v, %v", dW, db)
	}
	// A coupling x in {−1,1} is (4x, −2x per unit and partner) in {0,1}: the joint of the core
	// specification's case 2 shifted by EquivalentShift is that of the spin machine shifted
	// by f(ρ) in its couplings alone.
	w := mat.NewSymDense(3, []float64{0, 1, -.5, 1, 0, .75, -.5, .75, 0})
	m := must(boltzmann.New(w, []float64{-.2, -.4, .1}))
	rho := mat.NewSymDense(3, []float64{1, .3, -.2, .3, 1, .1, -.2, .1, 1})
	dW, db, err := EquivalentShift(rho)
	if err != nil {
		t.Fatal(err)
	}
	minus := func(m *boltzmann.Machine) *boltzmann.Machine { // m shifted
		dw, d := mat.NewSymDense(3, nil), make([]float64, 3)
		for i := range 3 {
			d[i] = -db[i]
			for j := range i {
				dw.SetSym(i, j, -dW.At(i, j))
			}
		}
		return must(Compensate(m, dw, d))
	}
	shifted := minus(m)
	J, h, _ := m.Spin()
	for i := range 3 {
		for j := range i {
			J.SetSym(i, j, J.At(i, j)+Dynamics*StaticShift(rho.At(i, j)))
		}
	}
	spin, _, err := boltzmann.FromSpin(J, h)
	if err != nil {
		t.Fatal(err)
	}
	a, b := must(boltzmann.Joint(shifted)), must(boltzmann.Joint(spin))
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-12 {
			t.Errorf("state %d: %v, want %v", i, a[i], b[i])
		}
	}
	back := must(boltzmann.Joint(must(Compensate(shifted, dW, db))))
	for i, p := range must(boltzmann.Joint(m)) {
		if math.Abs(back[i]-p) > 1e-12 {
			t.Errorf("compensated: state %d: %v, want %v", i, back[i], p)
		}
	}
}

// TestShiftProperties: the shift is odd, grows with ρ, and leaves unit correlations out.
func TestShiftProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(-.99, .99).Draw(t, "a"), rapid.Float64Range(-.99, .99).Draw(t, "b")
		x, dx := SharedInputShift(a)
		y, _ := SharedInputShift(b)
		minus, _ := SharedInputShift(-a)
		if math.Abs(x+minus) > 1e-9 || (a < b) != (x < y) && a != b && math.Abs(a-b) > 1e-12 || dx != -x/2 {
			t.Errorf("ρ = %v, %v: %v, %v", a, b, x, y)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, tm := rapid.Float64Range(.001, .999).Draw(t, "p"), rapid.Float64Range(.1, 50).Draw(t, "tauM")
		ref, syn := rapid.Float64Range(.5, 30).Draw(t, "tauRef"), rapid.Float64Range(.5, 30).Draw(t, "tauSyn")
		mean, v, u, err := DeadTimeMoments(p, ref, syn, tm)
		if err != nil || !(v > 0) || v > p/ref*syn/2 || !(u > 0) || math.Abs(mean-p/ref*syn) > 1e-9*mean {
			t.Errorf("p = %v, %v %v %v: %v %v %v, %v", p, ref, syn, tm, mean, v, u, err)
		}
	})
}

func TestTheoryErrors(t *testing.T) {
	for _, c := range [][4]float64{{-1, 10, 10, 1}, {math.NaN(), 10, 10, 1}, {2, 10, 10, 1}, {.5, 0, 10, 1}, {.5, 10, math.Inf(1), 1}, {.5, 10, 10, -1}} {
		if _, _, _, err := DeadTimeMoments(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
	for _, c := range []struct {
		rho  mat.Symmetric
		word string
	}{{nil, "no correlations"}, {mat.NewSymDense(2, []float64{1, 1, 1, 1}), "between"}, {mat.NewSymDense(2, []float64{1, math.NaN(), math.NaN(), 1}), "between"}} {
		if _, _, err := EquivalentShift(c.rho); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v", err)
		}
	}
	if _, err := Compensate(pair(0, 0, 0), mat.NewSymDense(3, nil), []float64{0, 0}); err == nil {
		t.Error("shift of another size: no error")
	}
}
