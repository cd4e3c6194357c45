package dynamics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLookAhead: matched neurons put out their drive without lag, whatever the time constants;
// u is the explicit Euler solution, and ŭ is of the state before the step.
func TestLookAhead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const n, batch, dt = 7, 3, .1
	tauM, tauR := make([]float64, n), make([]float64, n)
	for i := range n {
		tauM[i], tauR[i] = 5+10*r.Float64(), 10*r.Float64()
	}
	matched := []float64{20}
	for _, c := range []struct{ m, r []float64 }{{matched, matched}, {tauM, tauR}, {tauM, tauM}, {matched, []float64{0}}, {matched, tauR}} {
		l, err := NewLookAhead[float64](n, c.m, c.r, dt)
		if err != nil {
			t.Fatal(err)
		}
		u, drive, ahead := make([]float64, n*batch), make([]float64, n*batch), make([]float64, n*batch)
		for range 30 {
			for i := range drive {
				drive[i] = r.NormFloat64()
			}
			old := slices.Clone(u)
			look := make([]float64, len(u))
			l.Look(look, u, drive)
			l.Step(ahead, u, drive)
			if !slices.Equal(look, ahead) {
				t.Fatalf("Look gives %v, Step %v", look, ahead)
			}
			for i := range u {
				tm, tr := c.m[min(i%n, len(c.m)-1)], c.r[min(i%n, len(c.r)-1)]
				dot := (drive[i] - old[i]) / tm
				if math.Abs(ahead[i]-(old[i]+tr*dot)) > 1e-14 || math.Abs(u[i]-(old[i]+dt*dot)) > 1e-14 {
					t.Fatalf("unit %d: ŭ %v, u %v", i, ahead[i], u[i])
				}
				if tm == tr && math.Abs(ahead[i]-drive[i]) > 1e-14 {
					t.Fatalf("matched unit %d: ŭ %v: must be the drive %v", i, ahead[i], drive[i])
				}
			}
		}
	}
	l, err := NewLookAhead[float32](2, matched, matched, dt)
	if err != nil {
		t.Fatal(err)
	}
	u, x := []float32{1, 2}, []float32{3, 4}
	l.Step(x, u, x) // in place
	if x[0] != 3 || x[1] != 4 || math.Abs(float64(u[0])-1.01) > 1e-7 {
		t.Errorf("in place: ŭ %v, u %v", x, u)
	}
	if a := testing.AllocsPerRun(10, func() { l.Step(x, u, x) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func TestLowPass(t *testing.T) {
	explicit, err := NewLowPass[float64](10, 2, true)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := NewLowPass[float64](10, 2, false)
	if err != nil {
		t.Fatal(err)
	}
	none, err := NewLowPass[float64](0, 2, true)
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1, -2}
	a, b, c, d := make([]float64, 2), make([]float64, 2), make([]float64, 2), make([]float64, 2)
	for range 5 {
		explicit.Step(a, x)
		exact.Step(b, x)
		none.Step(c, x)
		LowPass[float64]{}.Step(d, x)
	}
	for i, v := range x {
		if want := v * (1 - math.Pow(.8, 5)); math.Abs(a[i]-want) > 1e-15 {
			t.Errorf("explicit: %v: must be %v", a[i], want)
		}
		if want := -v * math.Expm1(-1); math.Abs(b[i]-want) > 1e-15 {
			t.Errorf("exact: %v: must be %v", b[i], want)
		}
		if c[i] != v || d[i] != v {
			t.Errorf("no filter: %v, %v: must be %v", c[i], d[i], v)
		}
	}
	if !explicit.Filters() || none.Filters() {
		t.Error("Filters")
	}
}

func TestDelay(t *testing.T) {
	for _, steps := range []int{0, 1, 4} {
		d, err := NewDelay[float32](2, steps)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 2 {
			for i := range 10 {
				x := []float32{float32(i + 1), float32(-i - 1)}
				d.Step(x, x)
				want := float32(max(i+1-steps, 0))
				if x[0] != want || x[1] != -want {
					t.Errorf("round %d, delay %d: step %d gives %v: must be %v", round, steps, i, x, want)
				}
			}
			d.Reset()
		}
	}
}

func TestBlockRefusals(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	one := []float64{1}
	for name, f := range map[string]func() error{
		"no neurons":    func() error { _, err := NewLookAhead[float64](0, one, one, 1); return err },
		"step":          func() error { _, err := NewLookAhead[float64](1, one, one, 0); return err },
		"step too long": func() error { _, err := NewLookAhead[float64](1, one, one, 1.01); return err },
		"tauM":          func() error { _, err := NewLookAhead[float64](2, []float64{1, nan}, one, .1); return err },
		"tauM negative": func() error { _, err := NewLookAhead[float64](1, []float64{-1}, one, .1); return err },
		"tauR negative": func() error { _, err := NewLookAhead[float64](1, one, []float64{-1}, .1); return err },
		"tauR infinite": func() error { _, err := NewLookAhead[float64](1, one, []float64{inf}, .1); return err },
		"lengths":       func() error { _, err := NewLookAhead[float64](3, []float64{1, 1}, one, .1); return err },
		"none":          func() error { _, err := NewLookAhead[float64](3, nil, one, .1); return err },
		"filter":        func() error { _, err := NewLowPass[float64](-1, 1, false); return err },
		"filter NaN":    func() error { _, err := NewLowPass[float64](nan, 1, false); return err },
		"filter step":   func() error { _, err := NewLowPass[float64](1, 0, false); return err },
		"filter fast":   func() error { _, err := NewLowPass[float64](1, 2, true); return err },
		"delay":         func() error { _, err := NewDelay[float64](1, -1); return err },
		"delay of none": func() error { _, err := NewDelay[float64](0, 1); return err },
		"white":         func() error { _, err := NewWhite[float64](-1, 1); return err },
		"white NaN":     func() error { _, err := NewWhite[float64](nan, 1); return err },
		"white step":    func() error { _, err := NewWhite[float64](1, 0); return err },
		"OU":            func() error { _, err := NewOU[float64](inf, 1, 1); return err },
		"OU time":       func() error { _, err := NewOU[float64](1, 0, 1); return err },
		"shot rate":     func() error { _, err := NewShot[float64](Poisson{Rate: -1, Weight: 1}, 1, false); return err },
		"shot weight":   func() error { _, err := NewShot[float64](Poisson{Rate: 1, Weight: nan}, 1, false); return err },
		"shot step":     func() error { _, err := NewShot[float64](Poisson{Rate: 1e6, Weight: 1}, 1e3, false); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
