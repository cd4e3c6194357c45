package dream

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// two is a machine of six pixels, no labels and three hidden units: the first or the last
// three pixels are on, and a judge that says which are more.
func two(t testing.TB, a float64) *Subject {
	t.Helper()
	w := mat.NewDense(6, 3, nil)
	for i := range 6 {
		for j := range 3 {
			w.Set(i, j, a*(1-2*float64(i/3)))
		}
	}
	// Symmetric under exchange of the halves and h → 1 − h.
	r, err := boltzmann.NewRBM(w, []float64{-1.5 * a, -1.5 * a, -1.5 * a, 1.5 * a, 1.5 * a, 1.5 * a}, []float64{0, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSubject(r, 6, lif.TutorialCOBA(), []string{"first", "last"}, judge)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStart: the label unit of the class is on, and hidden units are as they are likely to be.
func TestStart(t *testing.T) {
	r, err := boltzmann.NewRBM(mat.NewDense(4, 2, []float64{1, -1, 0, 0, 0, 0, 3, -3}), make([]float64, 4), []float64{-2, 2})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSubject(r, 2, lif.TutorialCOBA(), []string{"a", "b"}, judge)
	if err != nil {
		t.Fatal(err)
	}
	for class, want := range map[int][]uint8{-1: {1, 0, 0, 0, 0, 1}, 0: {1, 0, 1, 0, 0, 1}, 1: {1, 0, 0, 1, 1, 0}} {
		if got, err := s.Start([]uint8{1, 0}, class); err != nil || !slices.Equal(got, want) {
			t.Errorf("class %d: %v, must be %v, %v", class, got, want, err)
		}
	}
}

func judge(images [][]uint8) ([]uint8, error) {
	out := make([]uint8, len(images))
	for i, z := range images {
		if z[3]+z[4]+z[5] > z[0]+z[1]+z[2] {
			out[i] = 1
		}
	}
	return out, nil
}

// TestRuns: short runs do not count, and a return is no visit of another class. The number of
// switches is that of estimate.Modes with a filter of as many samples.
func TestRuns(t *testing.T) {
	for _, c := range []struct {
		in    string
		class string
		at    []int
	}{
		{"", "", nil},
		{"00", "", nil},
		{"000", "0", []int{0}},
		{"0001000", "0", []int{0}},
		{"0001100011100", "01", []int{0, 8}},
		{"111010222", "12", []int{0, 6}},
		{"000111000", "010", []int{0, 3, 6}},
	} {
		var in []uint8
		for _, r := range c.in {
			in = append(in, uint8(r-'0'))
		}
		class, at := Runs(in)
		got := ""
		for _, k := range class {
			got += string(rune('0' + k))
		}
		if got != c.class || !slices.Equal(at, c.at) {
			t.Errorf("%s: %s at %v, want %s at %v", c.in, got, at, c.class, c.at)
		}
	}
	r := rng.Stream(5, "runs")
	classes := make([]uint8, 5000)
	for i := range classes {
		classes[i] = uint8(r.Uint64() % 2)
	}
	m, err := estimate.NewModes(estimate.LabelFunc(2, func(z []uint8) int { return int(z[0]) }), estimate.ModesOptions{MinRun: MinRun})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Begin(0, classes[:1]); err != nil {
		t.Fatal(err)
	}
	for i, c := range classes {
		if i > 0 && c != classes[i-1] {
			m.Record([]sampling.Flip{{Time: float64(i), On: c}}, float64(i))
		}
	}
	m.Record(nil, float64(len(classes)))
	if class, _ := Runs(classes); int64(len(class)-1) != m.Switches() || m.Switches() < 100 {
		t.Errorf("%d switches, modes count %d", len(class)-1, m.Switches())
	}
}

func TestEntropy(t *testing.T) {
	p := Shares([]uint8{0, 1, 1, 3}, 4)
	if !slices.Equal(p, []float64{.25, .5, 0, .25}) || math.Abs(Entropy(p)-1.5*math.Ln2) > 1e-15 {
		t.Errorf("%v, %v", p, Entropy(p))
	}
}

// TestISL: a test image h pixels from the only sample, and one that is a sample.
func TestISL(t *testing.T) {
	x := Images{Pixels: [][]uint8{{1, 1, 0, 0}, {1, 0, 0, 0}}}
	got, err := x.ISL([][]uint8{{1, 0, 0, 0}})
	on, off := math.Log(.95), math.Log(.05)
	if want := (3*on + off + 4*on) / 2; err != nil || math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v, %v", got, want, err)
	}
	if got, err = x.ISL(nil); !math.IsNaN(got) || err != nil {
		t.Errorf("without samples %v, %v", got, err)
	}
	if ink := x.Ink([][]uint8{{1, 1, 1, 0}, {0, 0, 0, 0}}); ink != 1 {
		t.Errorf("ink %v", ink)
	}
	if ink := x.Ink([][]uint8{{1, 1, 1, 0}}); ink != 2 { // 3 pixels to 1.5
		t.Errorf("ink %v of pictures with twice as many pixels", ink)
	}
}

func TestEvenly(t *testing.T) {
	var z [][]uint8
	for i := range 10 {
		z = append(z, []uint8{uint8(i)})
	}
	if got := Evenly(z, 5); !reflect.DeepEqual(got, [][]uint8{{1}, {3}, {5}, {7}, {9}}) {
		t.Errorf("%v", got)
	}
	if got := Evenly(z, 20); len(got) != 10 {
		t.Errorf("%v", got)
	}
	k := &thinned{most: 8, every: 1}
	for i := range 100 {
		k.add([]uint8{uint8(i + 1)})
	}
	for i, x := range k.z { // 100/16 kept, as 8 of every 8th halve
		if int(x[0]) != k.every*(i+1) {
			t.Errorf("kept %v of every %d", k.z, k.every)
			break
		}
	}
	if len(k.z) < 4 || len(k.z) >= 8 {
		t.Errorf("%d kept", len(k.z))
	}
	if got := Marks(1234); !slices.Equal(got, []int{10, 20, 50, 100, 200, 500, 1000, 1234}) {
		t.Errorf("%v", got)
	}
	if got := Marks(5); !slices.Equal(got, []int{5}) {
		t.Errorf("%v", got)
	}
}

// TestTape: the state at every multiple, with what happened at that time.
func TestTape(t *testing.T) {
	var got []uint8
	r := &tape{every: 10, take: func(z []uint8) { got = append(got, z[0]) }}
	if err := r.Begin(5, []uint8{0}); err != nil {
		t.Fatal(err)
	}
	r.Record([]sampling.Flip{{Time: 15, On: 1}, {Time: 31, On: 0}}, 34) // samples at 15, 25, 35, …
	r.Record([]sampling.Flip{{Time: 36, On: 1}}, 45)
	if !slices.Equal(got, []uint8{1, 1, 0, 1}) {
		t.Errorf("%v", got)
	}
}

// exact are the probabilities that the judge says "last", and that unit 0 is on.
func exact(t *testing.T, s *Subject) (last, first float64) {
	p, err := boltzmann.Joint(s.machine)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]uint8, 9)
	for i, w := range p {
		for k := range z {
			z[k] = uint8(i >> k & 1)
		}
		c, _ := judge([][]uint8{z[:6]})
		last += w * float64(c[0])
		first += w * float64(z[0])
	}
	return last, first
}

// TestKinds: every kind runs in every setting, counts its work as it should, and the exact
// ones have the law of the machine.
func TestKinds(t *testing.T) {
	s := two(t, 1)
	start, err := s.Start([]uint8{1, 1, 1, 0, 0, 0}, -1)
	if err != nil {
		t.Fatal(err)
	}
	last, first := exact(t, s)
	for _, k := range s.Kinds(Plasticities[:2]...) {
		for i, f := range k.Settings {
			smp, err := f()
			if err != nil {
				t.Fatalf("%s: %v", k.Name, err)
			}
			n := 300
			if i == 0 {
				n = 4000
			}
			c, err := Run(context.Background(), smp, Options{Samples: n, Starts: [][]uint8{start, start}, Seed: 3})
			if err != nil {
				t.Fatalf("%s: %v", k.Name, err)
			}
			if smp.Name != k.Name || len(c) != 2 || len(c[0].States) != n || len(c[0].Spent) != n || len(c[0].States[0]) != 9 {
				t.Fatalf("%s: %d chains, %d states, %d costs", smp.Name, len(c), len(c[0].States), len(c[0].Spent))
			}
			if reflect.DeepEqual(c[0].States, c[1].States) {
				t.Errorf("%s: both chains are the same", smp.Name)
			}
			end := c[0].Spent[n-1]
			perSample := map[string]float64{"gibbs-10": 10, "pt": float64(smp.Copies), "ast": -1, "ast-adaptive": -1, "anneal": 1 / .3, "lif-osc": 1 / .3}[k.Name]
			if perSample == 0 {
				perSample = 1
			}
			if perSample > 0 && math.Abs(end.Sweeps/float64(n)/perSample-1) > .15 || end.Sweeps < float64(n) {
				t.Errorf("%s: %v sweeps for %d samples", smp.Name, end.Sweeps, n)
			}
			if math.Abs(end.BioMS*float64(max(1, smp.Copies))/end.Sweeps-TauRef) > 1e-9 {
				t.Errorf("%s: %v ms for %v sweeps of %d copies", smp.Name, end.BioMS, end.Sweeps, smp.Copies)
			}
			switch k.Name {
			case "ast":
				if c[0].Setup.Sweeps < 1e5 {
					t.Errorf("adaptation cost %v sweeps", c[0].Setup.Sweeps)
				}
				if first := c[0].Spent[0].Sweeps; first > c[0].Setup.Sweeps/10 { // comes on top
					t.Errorf("the first sample cost %v sweeps", first)
				}
			case "gibbs", "gibbs-10", "pt":
			default:
				continue
			}
			if i > 0 {
				continue
			}
			gotLast, gotFirst := 0.0, 0.0
			for _, x := range c {
				classes, _ := judge(Pixels(x.States, 6))
				gotLast += Shares(classes, 2)[1] / 2
				for _, z := range x.States {
					gotFirst += float64(z[0]) / float64(2*n)
				}
			}
			// 8000 samples with an autocorrelation time up to about 10: 5 standard errors.
			if math.Abs(gotLast-last) > .09 || math.Abs(gotFirst-first) > .09 {
				t.Errorf("%s: %.3f and %.3f, exact %.3f and %.3f", smp.Name, gotLast, gotFirst, last, first)
			}
		}
	}
}

// TestCompare: settings are the best on validation images, all is scored, and the same seed
// gives the same but for wall time.
func TestCompare(t *testing.T) {
	s := two(t, 2)
	start, _ := s.Start([]uint8{1, 1, 1, 0, 0, 0}, -1)
	kinds, err := Choose(s.Kinds(), "gibbs, pt,lif,lif-stp")
	if err != nil {
		t.Fatal(err)
	}
	images := Images{"test", [][]uint8{{1, 1, 1, 0, 0, 0}, {0, 0, 0, 1, 1, 1}}}
	plan := Plan{Kinds: kinds, Samples: 300, Starts: [][]uint8{start, start, start}, Seed: 1, Validation: images,
		Tests: []Images{images, {"first only", images.Pixels[:1]}}, At: []int{100}}
	var told atomic.Int64
	plan.Tell = func(string, sampling.Progress) { told.Add(1) }
	var before []*Row
	for range 2 {
		rows, wall, err := s.Compare(context.Background(), plan)
		if err != nil || len(rows) != 4 || wall <= 0 || told.Load() == 0 {
			t.Fatalf("%d rows, wall %v, %v", len(rows), wall, err)
		}
		for i, r := range rows {
			if r.Name != kinds[i].Name || len(r.ISL) != 2 || len(r.Chains) != 3 || len(r.On) != 1 || !(r.WallS > 0) || len(r.Equal) != 3 {
				t.Errorf("%+v", r)
			}
			if n := len(kinds[i].Settings); n > 1 && len(r.Tried) != n || n == 1 && r.Tried != nil {
				t.Errorf("%s: tried %v", r.Name, r.Tried)
			}
			if e := r.Equal["sweeps"]; r.Name == "pt" && float64(e.Samples) > 300/float64(r.Copies)+1 || r.Name == "lif" && e.Samples != 300 {
				t.Errorf("%s: %v samples for 300 sweeps", r.Name, e.Samples)
			}
			if e := r.Equal["bio"]; e.Samples != 300 || e.ISL != r.ISL["300"] {
				t.Errorf("%s: %+v for equal biological time", r.Name, e)
			}
			if sum := r.Occupancy[0] + r.Occupancy[1]; math.Abs(sum-1) > 1e-9 {
				t.Errorf("%s: shares %v", r.Name, r.Occupancy)
			}
			if before != nil {
				a, b := *before[i], *r
				if !reflect.DeepEqual(a.ISL, b.ISL) || !reflect.DeepEqual(a.Chains, b.Chains) && !math.IsNaN(float64(a.Chains[0].AllMS)+float64(a.Chains[1].AllMS)+float64(a.Chains[2].AllMS)) || a.Setting != b.Setting || a.Switches != b.Switches {
					t.Errorf("%s: another result: %+v, %+v", r.Name, a, b)
				}
			}
		}
		before = rows
		if text := Table(rows, 100, 300); strings.Count(text, "\n") != 6 || !strings.Contains(text, "ISL(100)") || strings.Contains(text, "NaN") {
			t.Errorf("%s", text)
		}
	}
	if _, err := s.Strips(before, 2, 5).Figure(); err == nil { // 6 pixels are no square
		t.Error("strips of a size that is wrong")
	}
}

// TestBest: ink comes before the ISL, unless no setting has it right.
func TestBest(t *testing.T) {
	for _, c := range []struct {
		trials []Trial
		want   int
	}{
		{[]Trial{{ISL: -50, Ink: 1}, {ISL: -40, Ink: 1.1}, {ISL: -30, Ink: .5}}, 1},
		{[]Trial{{ISL: -30, Ink: .5}, {ISL: -50, Ink: 1}}, 1},
		{[]Trial{{ISL: -50, Ink: .5}, {ISL: -40, Ink: 2}}, 1},
	} {
		if got := best(c.trials, true); got != c.want {
			t.Errorf("%v: %d", c.trials, got)
		}
	}
	if got := best([]Trial{{ISL: -30, Ink: .5}, {ISL: -50, Ink: 1}}, false); got != 0 {
		t.Errorf("without regard to ink %d", got)
	}
}

// TestEnd: a context that ends stops everything at once, with its error.
func TestEnd(t *testing.T) {
	s := two(t, 1)
	start, _ := s.Start([]uint8{1, 1, 1, 0, 0, 0}, -1)
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	kinds, _ := Choose(s.Kinds(), "lif")
	begin := time.Now()
	rows, _, err := s.Compare(ctx, Plan{Kinds: kinds, Samples: 1e9, Starts: [][]uint8{start}, Tests: []Images{{"", [][]uint8{start[:6]}}}})
	if !errors.Is(err, context.DeadlineExceeded) || len(rows) != 0 || time.Since(begin) > 10*time.Second {
		t.Errorf("%d rows, %v after %v", len(rows), err, time.Since(begin))
	}
}

func TestRefused(t *testing.T) {
	s := two(t, 1)
	for _, c := range []struct {
		words string
		f     func() error
	}{
		{"no machine", func() error { _, err := NewSubject(nil, 1, s.Setup, s.Classes, judge); return err }},
		{"no judge", func() error { _, err := NewSubject(s.RBM, 6, s.Setup, s.Classes, nil); return err }},
		{"7 pixels", func() error { _, err := NewSubject(s.RBM, 7, s.Setup, s.Classes, judge); return err }},
		{"1 classes", func() error { _, err := NewSubject(s.RBM, 6, s.Setup, s.Classes[:1], judge); return err }},
		{"5 units", func() error { _, err := s.Start(make([]uint8, 5), -1); return err }},
		{"0 label units", func() error { _, err := s.Start(make([]uint8, 6), 0); return err }},
		{"nuts", func() error { _, err := Choose(s.Kinds(), "gibbs,nuts"); return err }},
		{"pt twice", func() error { _, err := Choose(s.Kinds(), "pt,gibbs,pt"); return err }},
		{"sustained", func() error { _, err := Plasticity{300, 2}.Params(s.Setup.Neuron); return err }},
		{"lif-osc", func() error {
			o := *s
			o.Setup = lif.Dold2019() // no stored map
			kinds, _ := Choose(o.Kinds(), "lif-osc")
			_, _, err := o.Pick(context.Background(), kinds[0], Options{Starts: [][]uint8{nil}}, Images{}, false)
			return err
		}},
	} {
		if err := c.f(); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v does not say %q", err, c.words)
		}
	}
}

// TestPlasticity: the setting has the gains it says.
func TestPlasticity(t *testing.T) {
	p, err := Plasticity{300, .75}.Params(lif.TutorialCOBA().Neuron)
	if err != nil {
		t.Fatal(err)
	}
	rested, sustained := p.Gains(10, 10)
	if math.Abs(rested-1/(1-math.Exp(-1))) > 1e-12 || math.Abs(sustained-.75) > 1e-12 || math.Abs(p.Scale*p.U-1) > 1e-12 {
		t.Errorf("gains %v and %v, scale %v", rested, sustained, p.Scale)
	}
}
