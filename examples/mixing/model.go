package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/estimate"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// model is a machine with what is known of its modes.
type model struct {
	name   string
	m      *boltzmann.Machine
	labels func() (estimate.Labels, error)
	names  []string  // of the modes
	middle [][]uint8 // states in the middle of the modes
	start  []uint8   // start state of all chains
	logZ   float64   // NaN: too many units to enumerate
	masses []float64 // exact, of the modes and of none; nil: too many units
}

// builtin are the models with names: what their strength is, and its default.
var builtin = []struct {
	name, strength string
	value          float64
	build          func(x float64) (*model, error)
}{
	{"wta", "coupling a", 4, wta}, {"cw", "inverse temperature β", 2, curieWeiss}, {"hopfield", "inverse temperature β", 2.5, hopfield},
}

// load makes a built-in model of that strength (0: its default) or reads a file.
func load(name string, strength float64) (*model, error) {
	if math.IsNaN(strength) || math.IsInf(strength, 0) || strength < 0 {
		return nil, fmt.Errorf("-strength %v: must be > 0 (0: the default of the model)", strength)
	}
	var names []string
	for _, b := range builtin {
		if names = append(names, b.name); b.name != name {
			continue
		}
		if strength == 0 {
			strength = b.value
		}
		mod, err := b.build(strength)
		if err != nil {
			return nil, err
		}
		mod.name = fmt.Sprintf("%s (%s = %g)", name, b.strength, strength)
		return mod, mod.solve()
	}
	if filepath.Ext(name) != ".json" {
		return nil, fmt.Errorf("-model %q: must be %s or a .json file", name, strings.Join(names, ", "))
	}
	if strength != 0 {
		return nil, fmt.Errorf("-strength %v with a file: couplings are taken as they are", strength)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mod, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	mod.name = strings.TrimSuffix(filepath.Base(name), ".json")
	return mod, mod.solve()
}

// wta is three groups of four units of which one wins, with odds of 7:3:1.
func wta(a float64) (*model, error) {
	m, err := models.WTA(3, 4, a, .25, 0, -.25)
	if err != nil {
		return nil, err
	}
	middle := [][]uint8{
		{1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}}
	return &model{m: m, names: []string{"group 1", "group 2", "group 3"}, middle: middle, start: middle[1],
		labels: func() (estimate.Labels, error) {
			return estimate.Groups([][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}}, 3, 1)
		}}, nil
}

// curieWeiss is a magnet of 20 spins.
func curieWeiss(beta float64) (*model, error) {
	const n = 20
	m, err := models.CurieWeiss(n, beta)
	if err != nil {
		return nil, err
	}
	off := make([]uint8, n)
	return (&model{m: m, names: []string{"all off", "all on"}, start: off}).around([][]uint8{off, turned(off)}, n/4), nil
}

// hopfield is 16 units with two patterns, which are modes together with their inverses.
func hopfield(beta float64) (*model, error) {
	a := []uint8{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	b := []uint8{1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}
	m, err := models.Hopfield([][]uint8{a, b}, beta)
	if err != nil {
		return nil, err
	}
	return (&model{m: m, names: []string{"pattern 1", "pattern 2", "inverse of 1", "inverse of 2"}, start: a}).
		around([][]uint8{a, b, turned(a), turned(b)}, 3), nil
}

func turned(z []uint8) []uint8 {
	out := make([]uint8, len(z))
	for k, on := range z {
		out[k] = 1 - on
	}
	return out
}

// around sets the labels to patterns with a radius.
func (mod *model) around(patterns [][]uint8, radius int) *model {
	mod.middle = patterns
	mod.labels = func() (estimate.Labels, error) { return estimate.Patterns(patterns, radius) }
	return mod
}

// machineFile is the JSON format of a machine: p(z) ∝ exp(½ zᵀWz + bᵀz) over z in {0,1}^N.
type machineFile struct {
	W     [][]float64 `json:"W"`     // N×N, symmetric, zero diagonal
	B     []float64   `json:"b"`     // N
	Modes [][]int     `json:"modes"` // states in the middle of the modes; default: the lowest minima of the energy
}

const (
	maxFile  = 64 << 20 // bytes of a model file
	maxFound = 8        // modes found if the file names none
)

func read(r io.Reader) (*model, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("file of more than %d MB", maxFile>>20)
	}
	var f machineFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf(`%w: must be a JSON object {"W": [[…], …], "b": […]} of numbers, and "modes": [[0, 1, …], …] if wanted`, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object: must be one object and nothing else")
	}
	if bytes.Contains(b, []byte("null")) { // which encoding/json reads as 0 or as nothing
		return nil, errors.New("null: must be a number")
	}
	n := len(f.B)
	if n < 2 {
		return nil, fmt.Errorf(`"b" has %d numbers: must have one for each of 2 or more units`, n)
	}
	if len(f.W) != n {
		return nil, fmt.Errorf(`"W" has %d rows: must have %d, as many as "b"`, len(f.W), n)
	}
	w := mat.NewDense(n, n, nil)
	for i, row := range f.W {
		if len(row) != n {
			return nil, fmt.Errorf(`row %d of "W" has %d numbers: must have %d`, i, len(row), n)
		}
		w.SetRow(i, row)
	}
	m, err := boltzmann.New(w, f.B)
	if err != nil {
		return nil, err
	}
	mod := &model{m: m}
	patterns, err := mod.patterns(f.Modes)
	if err != nil {
		return nil, err
	}
	nearest := n
	for i, p := range patterns {
		for j, q := range patterns[:i] {
			d := distance(p, q)
			if d == 0 {
				return nil, fmt.Errorf(`"modes" %d and %d are equal: must differ`, j, i)
			}
			nearest = min(nearest, d)
		}
		mod.names = append(mod.names, fmt.Sprintf("mode %d", i+1))
	}
	mod.start = patterns[0]
	return mod.around(patterns, min((nearest-1)/2, n/4)), nil
}

func distance(p, q []uint8) (d int) {
	for k := range p {
		d += int(p[k] ^ q[k])
	}
	return d
}

// patterns are the given states, or else the lowest minima of the energy that steepest
// descent finds from all states, or from random ones where there are many.
func (mod *model) patterns(given [][]int) ([][]uint8, error) {
	n := mod.m.Dim()
	var out [][]uint8
	for i, p := range given {
		z := make([]uint8, len(p))
		for k, on := range p {
			if on != 0 && on != 1 {
				return nil, fmt.Errorf(`unit %d of mode %d is %d: must be 0 or 1`, k, i, on)
			}
			z[k] = uint8(on)
		}
		if len(z) != n {
			return nil, fmt.Errorf(`mode %d has %d units: must have %d`, i, len(z), n)
		}
		out = append(out, z)
	}
	if len(out) == 1 || len(out) > 1000 {
		return nil, fmt.Errorf(`%d "modes": must be 2 to 1000, or none`, len(out))
	}
	if len(out) > 0 {
		return out, nil
	}
	seen := map[string]bool{}
	z := make([]uint8, n)
	field := sampling.NewField(mod.m)
	r := rand.New(rng.Stream(0, "minima"))
	starts := 1 << min(n, 14)
	if n > 14 {
		starts = min(starts, max(64, int(4e8/float64(n*n))))
	}
	for s := range starts {
		density := r.Float64()
		for k := range z {
			if n <= 14 {
				z[k] = uint8(s >> k & 1)
			} else if z[k] = 0; r.Float64() < density {
				z[k] = 1
			}
		}
		descend(field, z)
		if !seen[string(z)] {
			seen[string(z)] = true
			out = append(out, slices.Clone(z))
		}
	}
	slices.SortStableFunc(out, func(a, b []uint8) int { return cmp.Compare(mod.m.Energy(a), mod.m.Energy(b)) })
	if len(out) == 1 {
		return nil, errors.New(`the energy has one minimum only: give "modes", two or more states`)
	}
	return out[:min(len(out), maxFound)], nil
}

// descend moves z to a minimum of the energy, by the best single flip each time.
func descend(f *sampling.Field, z []uint8) {
	f.Reset(z)
	for {
		best, gain := -1, 1e-12
		for k, u := range f.U {
			if z[k] == 1 {
				u = -u
			}
			if u > gain {
				best, gain = k, u
			}
		}
		if best < 0 {
			return
		}
		z[best] ^= 1
		f.Flipped(z, best)
	}
}

// Limits of enumeration: of the law of the states, and of log Z.
const maxLaw, maxLogZ = 20, 25

// solve computes log Z and the masses as far as enumeration goes.
func (mod *model) solve() error {
	mod.logZ = math.NaN()
	n := mod.m.Dim()
	if n <= maxLogZ {
		e, err := boltzmann.Enumerate(mod.m)
		if err != nil {
			return err
		}
		mod.logZ = e.LogZ
	}
	if n > maxLaw {
		return nil
	}
	p, err := boltzmann.Joint(mod.m)
	if err != nil {
		return err
	}
	labels, err := mod.labels()
	if err != nil {
		return err
	}
	z := make([]uint8, n)
	if err := labels.Reset(z); err != nil {
		return err
	}
	mod.masses = make([]float64, labels.Modes()+1)
	for s, i := 0, 0; ; { // states in the order of a Gray code, one flip each
		l := labels.Label()
		if l < 0 {
			l = labels.Modes()
		}
		mod.masses[l] += p[s]
		if i++; i == 1<<n {
			break
		}
		k := bits.TrailingZeros(uint(i))
		s ^= 1 << k
		z[k] ^= 1
		labels.Flipped(k, z[k])
	}
	total := 0.0
	for _, x := range mod.masses {
		total += x
	}
	for k := range mod.masses {
		mod.masses[k] /= total
	}
	return nil
}
