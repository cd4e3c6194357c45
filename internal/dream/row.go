package dream

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/spikesampling/spikesampling/internal/compare"
)

// number is a number that is null in JSON where it does not exist.
type number = compare.Number

// Equal is the score at the budget of a currency: of the samples that it buys.
type Equal struct {
	Samples number `json:"samples"` // of a chain, mean
	ISL     number `json:"isl"`
	SD      number `json:"sd"` // over chains
}

// Trial is a setting with its ISL and its ink on validation images.
type Trial struct {
	Setting string `json:"setting"`
	ISL     number `json:"isl"`
	Ink     number `json:"ink"`
}

// ChainRow is the result of one chain.
type ChainRow struct {
	Start     int       `json:"start"` // number of the start image
	ISL       number    `json:"isl"`   // of all samples
	Switches  float64   `json:"switches_per_1000"`
	Entropy   float64   `json:"class_entropy"`
	Visited   int       `json:"classes_visited"`
	Occupancy []float64 `json:"occupancy"`
	// AllMS is the biological time after which every class had been visited, null if not all
	// were.
	AllMS number `json:"all_classes_ms"`
}

// Row is the result of a sampler: means over its chains, and standard deviations over them.
type Row struct {
	Name    string `json:"name"`
	Setting string `json:"setting,omitempty"`
	// ISL by number of samples [nats per image].
	ISL   map[string]number `json:"isl"`
	ISLSD map[string]number `json:"isl_sd"`
	// On are the ISL of all samples on other test images.
	On         map[string]number `json:"isl_on,omitempty"`
	OnSD       map[string]number `json:"isl_on_sd,omitempty"`
	Switches   float64           `json:"switches_per_1000"`
	SwitchesSD number            `json:"switches_per_1000_sd"`
	Entropy    float64           `json:"class_entropy"`
	EntropySD  number            `json:"class_entropy_sd"`
	Occupancy  []float64         `json:"occupancy"`
	Visited    float64           `json:"classes_visited"`
	// Ink is the mean number of pixels that are on, relative to the test images.
	Ink number `json:"ink"`
	// What all samples of one chain cost, mean; setup comes on top.
	Sweeps float64 `json:"sweeps"`
	BioMS  float64 `json:"bio_ms"`
	WallS  float64 `json:"wall_s"`
	Setup  float64 `json:"setup_sweeps"`
	SetupS float64 `json:"setup_wall_s"`
	Copies int     `json:"copies"`
	// Equal is the score at an equal budget: of "sweeps" and "bio" one sweep, or its
	// biological time, a sample; of "wall" the wall time of the plastic network.
	Equal  map[string]Equal `json:"equal"`
	Tried  []Trial          `json:"tried,omitempty"` // settings, on validation images
	Chains []ChainRow       `json:"chains"`
	Note   string           `json:"note,omitempty"`

	Sampler Sampler     `json:"-"`
	Runs    []*Chain    `json:"-"`
	Judged  [][]uint8   `json:"-"` // class of every sample, by chain
	Marks   []int       `json:"-"` // numbers of samples of Curves
	Curves  [][]float64 `json:"-"` // ISL at the marks, by chain
}

// Measure runs the sampler and scores it on the test images, the first of which are those of
// the curve. at are numbers of samples to report beside that of all.
func (s *Subject) Measure(ctx context.Context, smp Sampler, o Options, tests []Images, at ...int) (*Row, error) {
	r := &Row{Name: smp.Name, Setting: smp.Setting, Sampler: smp, Copies: max(1, smp.Copies),
		ISL: map[string]number{}, ISLSD: map[string]number{}, Equal: map[string]Equal{}, Occupancy: make([]float64, len(s.Classes))}
	var err error
	if r.Runs, err = Run(ctx, smp, o); err != nil {
		return nil, err
	}
	n := len(r.Runs)
	r.Marks, r.Curves = Marks(o.Samples), make([][]float64, n)
	r.Judged, r.Chains = make([][]uint8, n), make([]ChainRow, n)
	on := make([][]float64, len(tests))
	for t := range on {
		on[t] = make([]float64, n)
	}
	inks := make([]float64, n)
	if err := each(ctx, n, func(i int) error {
		pixels := Pixels(r.Runs[i].States, s.Pixels)
		var err error
		if r.Judged[i], err = s.Judge(pixels); err != nil {
			return err
		}
		for _, m := range r.Marks {
			isl, err := tests[0].ISL(pixels[:m])
			if err != nil {
				return err
			}
			r.Curves[i] = append(r.Curves[i], isl)
		}
		for t := range tests[1:] {
			if on[1+t][i], err = tests[1+t].ISL(pixels); err != nil {
				return err
			}
		}
		r.Chains[i] = s.chainRow(i, r.Judged[i], r.Runs[i])
		r.Chains[i].ISL = number(r.Curves[i][len(r.Marks)-1])
		inks[i] = tests[0].Ink(pixels)
		return nil
	}); err != nil {
		return nil, err
	}
	mean, _ := meanSD(inks)
	r.Ink = number(mean)
	for k, m := range r.Marks {
		if k == len(r.Marks)-1 || slices.Contains(at, m) {
			mean, sd := r.at(k)
			r.ISL[strconv.Itoa(m)], r.ISLSD[strconv.Itoa(m)] = number(mean), number(sd)
		}
	}
	for t := range tests[1:] {
		if r.On == nil {
			r.On, r.OnSD = map[string]number{}, map[string]number{}
		}
		mean, sd := meanSD(on[1+t])
		r.On[tests[1+t].Name], r.OnSD[tests[1+t].Name] = number(mean), number(sd)
	}
	r.means()
	for _, c := range []struct {
		name string
		of   func(compare.Cost) float64
	}{{"sweeps", func(c compare.Cost) float64 { return c.Sweeps }}, {"bio", func(c compare.Cost) float64 { return c.BioMS / TauRef }}} {
		if err := s.equal(r, c.name, tests[0], func(i int) [][]uint8 {
			return r.Runs[i].States[:r.Runs[i].within(float64(o.Samples), c.of)]
		}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// at is the ISL at mark k over the chains.
func (r *Row) at(k int) (mean, sd float64) {
	x := make([]float64, len(r.Curves))
	for i, c := range r.Curves {
		x[i] = c[k]
	}
	return meanSD(x)
}

// Last is the ISL of all samples over the chains.
func (r *Row) Last() (mean, sd float64) { return r.at(len(r.Marks) - 1) }

// meanSD is the mean and the standard deviation, NaN of one number.
func meanSD(x []float64) (mean, sd float64) {
	if len(x) == 1 {
		return x[0], math.NaN()
	}
	return stat.MeanStdDev(x, nil)
}

func (s *Subject) chainRow(i int, judged []uint8, c *Chain) ChainRow {
	x := ChainRow{Start: i, Occupancy: Shares(judged, len(s.Classes)), AllMS: number(math.NaN())}
	x.Entropy = Entropy(x.Occupancy)
	class, at := Runs(judged)
	x.Switches = 1000 * float64(max(0, len(class)-1)) / float64(len(judged))
	seen := map[uint8]bool{}
	for k, v := range class {
		if !seen[v] {
			seen[v] = true
			if len(seen) == len(s.Classes) {
				x.AllMS = number(c.Spent[at[k]].BioMS)
			}
		}
	}
	x.Visited = len(seen)
	return x
}

// means are those over the chains.
func (r *Row) means() {
	n := float64(len(r.Chains))
	var switches, entropy []float64
	for i, c := range r.Chains {
		switches, entropy = append(switches, c.Switches), append(entropy, c.Entropy)
		floats.AddScaled(r.Occupancy, 1/n, c.Occupancy)
		r.Visited += float64(c.Visited) / n
		run := r.Runs[i]
		total := run.Spent[len(run.Spent)-1]
		r.Sweeps += total.Sweeps / n
		r.BioMS += total.BioMS / n
		r.WallS += total.Wall.Seconds() / n
		r.Setup += run.Setup.Sweeps / n
		r.SetupS += run.Setup.Wall.Seconds() / n
	}
	var sd float64
	r.Switches, sd = meanSD(switches)
	r.SwitchesSD = number(sd)
	r.Entropy, sd = meanSD(entropy)
	r.EntropySD = number(sd)
}

// equal scores the states that a budget buys.
func (s *Subject) equal(r *Row, name string, test Images, states func(chain int) [][]uint8) error {
	var e Equal
	isl := make([]float64, len(r.Runs))
	for i := range isl {
		z := states(i)
		e.Samples += number(float64(len(z)) / float64(len(isl)))
		var err error
		if isl[i], err = test.ISL(Pixels(z, s.Pixels)); err != nil {
			return err
		}
	}
	mean, sd := meanSD(isl)
	e.ISL, e.SD = number(mean), number(sd)
	r.Equal[name] = e
	return nil
}

// Longest is the wall time of the slowest chain, setup included.
func (r *Row) Longest() (wall time.Duration) {
	for _, c := range r.Runs {
		wall = max(wall, c.Setup.Wall+c.Spent[len(c.Spent)-1].Wall)
	}
	return wall
}

// EqualWall scores the row at a wall time, setup included: samplers that had used it by
// then at what they had, others in a run of that time, with their samples spread over all of
// it.
func (s *Subject) EqualWall(ctx context.Context, r *Row, o Options, test Images, wall time.Duration) error {
	if r.Longest() >= wall {
		return s.equal(r, "wall", test, func(i int) [][]uint8 {
			c := r.Runs[i]
			return c.States[:c.within((wall-c.Setup.Wall).Seconds(), func(x compare.Cost) float64 { return x.Wall.Seconds() })]
		})
	}
	z, err := RunFor(ctx, r.Sampler, o, wall)
	if err != nil {
		return err
	}
	return s.equal(r, "wall", test, func(i int) [][]uint8 { return Evenly(z[i], o.Samples) })
}
