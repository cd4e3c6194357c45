package ensemble

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/lif"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func check(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

// TestNewErrors: what cannot work is refused at construction, with the place and what is
// allowed.
func TestNewErrors(t *testing.T) {
	four := betaMachines(1, 4, 4)
	taps := func(unit int, list ...Tap) [][]Tap {
		all := make([][]Tap, 16)
		for k := range all {
			all[k] = []Tap{{(k + 4) % 16, .001}}
		}
		all[unit] = list
		return all
	}
	setup := func(change func(*lif.Setup)) lif.Setup {
		s := lif.TutorialCUBA()
		change(&s)
		return s
	}
	plain := *must(lif.StoredCalibration(lif.TutorialCUBA()))
	plain.Pair = nil
	if _, err := New(four, Options{KExc: 6, KInh: 6, Calibration: &plain, Translation: lif.Published, Wiring: rng.Stream(1, "wiring")}); err != nil {
		t.Errorf("Published needs no pair table: %v", err)
	}
	for name, c := range map[string]struct {
		machines []*boltzmann.Machine
		o        Options
		words    []string
	}{
		"nothing":       {nil, Options{}, []string{"no machines"}},
		"one network":   {four[:1], Options{}, []string{"at least 2", "Source"}},
		"no machine":    {[]*boltzmann.Machine{four[0], nil}, Options{}, []string{"network 1", "no machine"}},
		"fan-in":        {four, Options{KExc: 7, KInh: 6}, []string{"network 0", "13", "12 neurons", "at most"}},
		"negative":      {four, Options{KExc: -1}, []string{"KExc = -1"}},
		"weight":        {four, Options{Weight: -1}, []string{"Weight = -1"}},
		"NaN":           {four, Options{WeightInh: math.NaN()}, []string{"WeightInh = NaN"}},
		"no wiring":     {four, Options{Wiring: nil}, []string{"Wiring"}},
		"no wiring 2":   {four, Options{Taps: taps(0, Tap{4, .001}), Source: Pool{Machines: four, KExc: 6, KInh: 6}}, []string{"Pool network 0", "Wiring"}},
		"no wiring 3":   {four, Options{Taps: taps(0, Tap{4, .001}), Source: NoiseNetwork{}}, []string{"NoiseNetwork", "Wiring"}},
		"rates":         {four, Options{Rates: [][]float64{{.5}}}, []string{"Rates of 1", "4"}},
		"a rate":        {four, Options{KExc: 6, KInh: 6, Rates: [][]float64{{.5, .5, .5, 2}, nil, nil, nil}}, []string{"network 0", "unit 3 is 2"}},
		"rates of one":  {four, Options{KExc: 6, KInh: 6, Rates: [][]float64{{.5}, nil, nil, nil}}, []string{"network 0", "1 units for 4"}},
		"dead sources":  {four, Options{KExc: 6, KInh: 6, Rates: [][]float64{make([]float64, 4), make([]float64, 4), make([]float64, 4), make([]float64, 4)}}, []string{"no variance"}},
		"self":          {four, Options{Taps: taps(5, Tap{5, .001})}, []string{"unit 5", "own network"}},
		"own network":   {four, Options{Taps: taps(5, Tap{6, .001})}, []string{"unit 5", "unit 6", "own network"}},
		"unconnected":   {four, Options{Taps: taps(9)}, []string{"unit 9", "no noise synapse"}},
		"no such tap":   {four, Options{Taps: taps(9, Tap{16, .001})}, []string{"neuron 16", "0 to 15"}},
		"tap of 0":      {four, Options{Taps: taps(9, Tap{1, 0})}, []string{"weight 0"}},
		"twice":         {four, Options{Taps: taps(9, Tap{1, .001}, Tap{1, .001})}, []string{"two connections", "1 to 9"}},
		"taps":          {four, Options{Taps: [][]Tap{}}, []string{"Taps of 0 units for 16"}},
		"delay":         {four, Options{Setup: setup(func(s *lif.Setup) { s.Delay = 0 })}, []string{"Delay"}},
		"static":        {four, Options{Setup: setup(func(s *lif.Setup) { s.Synapse = lif.Static })}, []string{"static", "renewing"}},
		"rectangular":   {four, Options{Setup: setup(func(s *lif.Setup) { s.PSP = lif.Rect })}, []string{"rectangular", "exponential"}},
		"uncalibrated":  {four, Options{Setup: setup(func(s *lif.Setup) { s.Neuron.Reset = -51 })}, []string{"Calibrat"}},
		"translation":   {four, Options{Translation: lif.TailCorrected}, []string{"tail-corrected", "Published"}},
		"distortion":    {four, Options{Distortion: Distortion{Spread: -1}}, []string{"Spread = -1"}},
		"small pool":    {four, Options{Source: Pool{Machines: four[:1]}}, []string{"Pool of 1", "2"}},
		"pool fan-in":   {four, Options{Source: Pool{Machines: four, KExc: 10, KInh: 10}}, []string{"Pool network 0", "20", "12 neurons"}},
		"no trains":     {four, Options{Source: PoissonPool{Rate: 50}}, []string{"Trains = 0"}},
		"fast trains":   {four, Options{Source: PoissonPool{Trains: 50, Rate: 5000}}, []string{"Rate = 5000"}},
		"noise network": {four, Options{Source: NoiseNetwork{Neurons: 5}}, []string{"Neurons = 5"}},
		"connectivity":  {four, Options{Source: NoiseNetwork{Connectivity: 2}}, []string{"Connectivity 2"}},
		"of other kind": {four, Options{Source: NoiseNetwork{}, Setup: lif.TutorialCOBA()}, []string{"CUBA both"}},
		"inhibition":    {four, Options{Source: NoiseNetwork{}, KExc: 20, KInh: 100}, []string{"100 noise synapses", "77 neurons"}},
		"no reference":  {four, Options{KExc: 6, KInh: 6, Calibration: &plain, Setup: setup(func(s *lif.Setup) { s.Noise = lif.Background{} })}, []string{"no background"}},
		"no pair table": {four, Options{KExc: 6, KInh: 6, Calibration: &plain}, []string{"no pair table", "Published"}},
		"noise neurons": {four, Options{Source: NoiseNetwork{Params: lif.Params{C: 1}}}, []string{"NoiseNetwork.Params", "TauM = 0"}},
		"resting":       {four, Options{Source: NoiseNetwork{Rest: math.NaN()}}, []string{"resting", "NaN"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.HasPrefix(name, "no wiring") {
				c.o.Wiring = rng.Stream(1, "wiring")
			}
			_, err := New(c.machines, c.o)
			check(t, err, c.words...)
		})
	}
}

func TestUseErrors(t *testing.T) {
	machines := betaMachines(1, 6, 4)
	e := must(New(machines, Options{KExc: 8, KInh: 8, Wiring: rng.Stream(1, "wiring")}))
	check(t, e.Reset(nil, nil), "source is nil")
	check(t, e.Reset(make([]uint8, 3), nil), "3 units", "24")
	_, err := e.Advance(10, nil)
	check(t, err, "buffer")
	_, err = e.Train(ctx, TrainOptions{})
	check(t, err, "Reset")
	if err := e.Reset(nil, rng.Stream(1, "kick")); err != nil {
		t.Fatal(err)
	}
	check(t, e.Clamp(6, nil), "network 6")
	check(t, e.Clamp(0, map[int]uint8{4: 1}), "unit 4", "0 to 3")
	check(t, e.Clamp(0, map[int]uint8{0: 2}), "to 2", "0 or 1")
	for range 8 { // the first one, whatever the order of the map
		check(t, e.Clamp(0, map[int]uint8{1: 2, -1: 0, 5: 1, 7: 0}), "unit -1")
	}
	check(t, e.Clamp(0, map[int]uint8{0: 1, 1: 1, 2: 0, 3: 0}), "one must be free")
	check(t, e.SetMachines(machines[:2]), "2 machines for 6")
	check(t, e.SetMachines([]*boltzmann.Machine{machines[0], pair(0, 0, 0), nil, nil, nil, nil}), "network 1", "4 units")
	print, was := must(e.MarshalBinary()), must(e.Machine(0)).Weight(0, 1)
	huge := append([]*boltzmann.Machine{}, machines...)
	huge[0] = must(boltzmann.New(mat.NewSymDense(4, []float64{0, 5e307, 0, 0, 5e307, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), make([]float64, 4)))
	check(t, e.SetMachines(huge), "overflows")
	if string(must(e.MarshalBinary())) != string(print) || must(e.Machine(0)).Weight(0, 1) != was {
		t.Error("refused machines changed the ensemble")
	}
	check(t, e.Calibrate(ctx, CalibrateOptions{}), "each other's noise")
	check(t, e.Calibrate(ctx, CalibrateOptions{Points: 2}), "Points = 2")
	_, err = e.Machine(6)
	check(t, err, "network 6")
	_, err = e.NoiseCorrelation(-1, nil)
	check(t, err, "network -1")
	_, err = e.NoiseCorrelation(0, mat.NewSymDense(3, nil))
	check(t, err, "3 units", "24")
	check(t, e.UnmarshalBinary([]byte("x")), "damaged")

	always := [][]uint8{{1, 0, 1, 0}, {1, 1, 0, 0}}
	six := func(p [][]uint8) [][][]uint8 { return [][][]uint8{p, p, p, p, p, p} }
	for _, c := range []struct {
		o     TrainOptions
		words []string
	}{
		{TrainOptions{Data: [][][]uint8{always}}, []string{"Data of 1", "6"}},
		{TrainOptions{Data: six(always)}, []string{"unit 0 is on with probability 1", "Clip", "unit 3"}},
		{TrainOptions{Data: six([][]uint8{{1, 0, 0, 1, 0}})}, []string{"5 units for 4"}},
		{TrainOptions{Data: six([][]uint8{{1, 0}, {1}})}, []string{"pattern 1", "1 units"}},
		{TrainOptions{Data: six([][]uint8{{1, 2}})}, []string{"pattern 0", "is 2"}},
		{TrainOptions{Data: six(nil)}, []string{"no patterns"}},
		{TrainOptions{Steps: -1}, []string{"Steps = -1"}},
		{TrainOptions{Done: 301}, []string{"Done = 301"}},
		{TrainOptions{Duration: 50}, []string{"Duration = 50"}},
		{TrainOptions{Rate: -1}, []string{"Rate = -1"}},
		{TrainOptions{Clip: .5}, []string{"Clip = 0.5"}},
		{TrainOptions{Settle: 200}, []string{"Settle = 200"}},
		{TrainOptions{Warmup: math.NaN()}, []string{"Warmup"}},
	} {
		_, err := e.Train(ctx, c.o)
		check(t, err, c.words...)
	}
	h, err := e.Train(ctx, TrainOptions{Steps: 1, Duration: 500})
	if err != nil || len(h.Warnings) != 1 || !strings.Contains(h.Warnings[0], "100 refractory times") {
		t.Errorf("short steps: %v, %v", h.Warnings, err)
	}
	if err := e.Clamp(1, map[int]uint8{0: 1}); err != nil {
		t.Fatal(err)
	}
	_, err = e.Train(ctx, TrainOptions{Steps: 1})
	check(t, err, "network 1", "held")
}

// TestDead: an ensemble that cannot go on says so.
func TestDead(t *testing.T) {
	biased := func(b float64) []*boltzmann.Machine {
		list := make([]*boltzmann.Machine, 6)
		for i := range list {
			list[i] = must(boltzmann.New(mat.NewSymDense(2, nil), []float64{b, b}))
		}
		return list
	}
	even := make([][]float64, 6)
	for i := range even {
		even[i] = []float64{.5, .5}
	}
	for b, want := range map[float64]error{-30: ErrQuiescent, 30: ErrSaturated} {
		e := must(New(biased(b), Options{KExc: 4, KInh: 4, Rates: even, Wiring: rng.Stream(1, "wiring")}))
		if err := e.Reset(nil, rng.Stream(1, "kick")); err != nil {
			t.Fatal(err)
		}
		if err := e.run(ctx, 3000, nil); !errors.Is(err, want) || e.Time() > 2300 {
			t.Errorf("b = %v: %v at %v ms, want %v", b, err, e.Time(), want)
		}
	}
	// A long step leaves a gap of a twentieth between the spikes of a unit that is held on.
	coarse := lif.TutorialCUBA()
	cal := *must(lif.StoredCalibration(coarse))
	coarse.Dt, coarse.Delay = .5, .5
	fast := must(New(biased(30), Options{Setup: coarse, Calibration: &cal, KExc: 4, KInh: 4, Rates: even, Wiring: rng.Stream(1, "wiring")}))
	if err := fast.Reset(nil, rng.Stream(1, "kick")); err != nil {
		t.Fatal(err)
	}
	if err := fast.run(ctx, 3000, nil); !errors.Is(err, ErrSaturated) {
		t.Errorf("steps of .5 ms: %v, want %v", err, ErrSaturated)
	}
	// Where nobody rests above threshold a silent start remains silent.
	e := must(New(biased(-3), Options{KExc: 4, KInh: 4, Rates: even, Wiring: rng.Stream(1, "wiring")}))
	if err := e.Reset(make([]uint8, 12), nil); err != nil {
		t.Fatal(err)
	}
	if err := e.run(ctx, 3000, nil); !errors.Is(err, ErrQuiescent) || e.Spikes() != 0 {
		t.Errorf("silent start: %v, %d spikes", err, e.Spikes())
	}
}

// TestDistortionRound: rounding keeps within Max.
func TestDistortionRound(t *testing.T) {
	for _, c := range []struct {
		step, max, x, want float64
		coupling           bool
	}{
		{.1, 1.5, 1.46, 1.5, true}, {.1, 1.5, 7, 1.5, true}, {.1, 1.5, -7, -1.5, true}, {.1, 1.5, 7, 7, false},
		{.4, 1.5, 1.5, 1.2, true}, {.4, 0, 1.5, 1.6, true}, {0, 1.5, 2, 1.5, true}, {0, 0, 2, 2, true}, {.1, 1.5, .04, 0, true},
	} {
		if got := (Distortion{Step: c.step, Max: c.max}).round(c.x, c.coupling); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v in steps of %v up to %v: %v, want %v", c.x, c.step, c.max, got, c.want)
		}
	}
}
