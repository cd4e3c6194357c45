package tempering

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/interp"

	"github.com/spikesampling/spikesampling/lif"
)

// MapPoint is the activation function p_on = 1/(1 + exp(−(E − VHalf)/Alpha)) measured at
// one factor of the background rates.
type MapPoint struct {
	Factor  float64 `json:"factor"`
	VHalf   float64 `json:"v_half"`    // [mV]
	Alpha   float64 `json:"alpha"`     // [mV]
	VHalfSE float64 `json:"v_half_se"` // standard errors [mV]
	AlphaSE float64 `json:"alpha_se"`
}

// Map is what the background rate of a setup does to its neurons, measured: α(m) and
// v_½(m) at some factors m, interpolated in √m, in which both are nearly straight. A
// network with parameters for m = 1 has at m the log odds
//
//	(b + Σ W z)/T + δ,   T = α(m)/α(1),   δ = (v_½(1) − v_½(m))/α(m):
//
// coloured noise crosses threshold again in each of its excursions, so v_½ lies below
// threshold by about 0.8 α, and heating makes every unit more excitable too.
//
// All functions of m are NaN outside Range.
type Map struct {
	setup        lif.Setup
	points       []MapPoint
	vHalf, alpha interp.FritschButland // over √m
	one          lif.Moments           // at m = 1 and the resting potential v_½(1)
}

// newMap checks the points and interpolates.
func newMap(s lif.Setup, pts []MapPoint) (*Map, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if len(pts) < 3 {
		return nil, fmt.Errorf("tempering: map of %d points: must be at least 3", len(pts))
	}
	var x, v, a []float64
	for i, p := range pts {
		if !(p.Factor > 0) || !finite(p.Factor) || i > 0 && p.Factor <= pts[i-1].Factor {
			return nil, fmt.Errorf("tempering: factor %d of the map is %v: factors must be finite, > 0 and ascend", i, p.Factor)
		}
		if !(p.Alpha > 0) || !finite(p.Alpha) || !finite(p.VHalf) || !(p.VHalfSE >= 0 && p.AlphaSE >= 0) {
			return nil, fmt.Errorf("tempering: at factor %v the map has v_half = %v ± %v, alpha = %v ± %v mV: must be finite, alpha > 0",
				p.Factor, p.VHalf, p.VHalfSE, p.Alpha, p.AlphaSE)
		}
		x, v, a = append(x, math.Sqrt(p.Factor)), append(v, p.VHalf), append(a, p.Alpha)
	}
	if !(x[0] <= 1 && x[len(x)-1] >= 1) {
		return nil, fmt.Errorf("tempering: map from factor %v to %v: 1 must be within", pts[0].Factor, pts[len(pts)-1].Factor)
	}
	m := &Map{setup: s, points: slices.Clone(pts)}
	if err := errors.Join(m.vHalf.Fit(x, v), m.alpha.Fit(x, a)); err != nil {
		return nil, fmt.Errorf("tempering: map: %w", err)
	}
	var err error
	m.one, err = s.FreePotential(m.VHalf(1))
	return m, err
}

// Setup is the setup the map belongs to.
func (m *Map) Setup() lif.Setup { return scaled(m.setup, 1, 1) }

// Points are the measured points.
func (m *Map) Points() []MapPoint { return slices.Clone(m.points) }

// Range is the span of factors that was measured.
func (m *Map) Range() (lo, hi float64) { return m.points[0].Factor, m.points[len(m.points)-1].Factor }

func (m *Map) at(f *interp.FritschButland, factor float64) float64 {
	if lo, hi := m.Range(); !(factor >= lo && factor <= hi) {
		return math.NaN()
	}
	return f.Predict(math.Sqrt(factor))
}

// VHalf is the half-activation potential v_½(factor) [mV].
func (m *Map) VHalf(factor float64) float64 { return m.at(&m.vHalf, factor) }

// Alpha is the width α(factor) of the activation function [mV].
func (m *Map) Alpha(factor float64) float64 { return m.at(&m.alpha, factor) }

// Temperature is that of biases, α(factor)/α(1).
func (m *Map) Temperature(factor float64) float64 { return m.Alpha(factor) / m.Alpha(1) }

// TemperatureWeights is that of couplings, of excitatory and inhibitory synapses: with
// conductances a PSP gets faster as the membrane does, so it is 1 to 3 % below that of
// biases in the tutorial's set from factor 2 to 8. The PSPs are those of neurons at half
// activation at factor 1, in the diffusion limit.
func (m *Map) TemperatureWeights(factor float64) (exc, inh float64) {
	now, err := scaled(m.setup, factor, factor).FreePotential(m.VHalf(1))
	a := m.Alpha(factor)
	if err != nil || math.IsNaN(a) {
		return math.NaN(), math.NaN()
	}
	t := func(sign float64) float64 {
		return m.setup.Coupling(sign, m.Alpha(1), m.one) / m.setup.Coupling(sign, a, now)
	}
	return t(1), t(-1)
}

// Delta is δ(factor), the bias that all units get beside the temperature.
func (m *Map) Delta(factor float64) float64 { return -m.Shift(factor) / m.Alpha(factor) }

// Shift is v_½(factor) − v_½(1) [mV], what must be added to all resting potentials for δ
// to vanish.
func (m *Map) Shift(factor float64) float64 { return m.VHalf(factor) - m.VHalf(1) }

// Sigma is the free membrane potential at factor in the diffusion limit, of a neuron at
// half activation at factor 1: mean and standard deviation [mV] and effective membrane
// time constant [ms]. It is not bound to Range, only to factor ≥ 0.
func (m *Map) Sigma(factor float64) (mu, sigma, tauEff float64) {
	h, err := Diffusion(m.setup, m.VHalf(1), factor, factor)
	if err != nil {
		return math.NaN(), math.NaN(), math.NaN()
	}
	return h.Mean, h.SD, h.TauEff
}

// check refuses a map of another setup. Synapses between neurons play no part in it.
func (m *Map) check(s lif.Setup) error {
	if m == nil {
		return errors.New("tempering: no map")
	}
	if a, b := neuronHash(m.setup), neuronHash(s); a != b {
		return fmt.Errorf("tempering: the map belongs to another setup (hash %s, this one is %s): calibrate this setup", a, b)
	}
	return nil
}

// neuronHash identifies neuron, background and step of a setup.
func neuronHash(s lif.Setup) string {
	s.Synapse, s.PSP, s.Delay = lif.Renewing, lif.Exponential, s.Dt
	return s.Hash()
}

type mapJSON struct {
	Setup  lif.Setup  `json:"setup"`
	Points []MapPoint `json:"points"`
}

// MarshalJSON encodes setup and points.
func (m *Map) MarshalJSON() ([]byte, error) { return json.Marshal(mapJSON{m.setup, m.points}) }

// UnmarshalJSON restores a map.
func (m *Map) UnmarshalJSON(b []byte) error {
	var dec mapJSON
	if err := json.Unmarshal(b, &dec); err != nil {
		return fmt.Errorf("tempering: map: %w", err)
	}
	n, err := newMap(dec.Setup, dec.Points)
	if err != nil {
		return err
	}
	*m = *n
	return nil
}

// maps.json is remade by: go test ./tempering -run TestStoredMaps -remake
//
//go:embed maps.json
var mapsJSON []byte

var storedMaps = sync.OnceValues(func() (map[string]*Map, error) {
	var list []*Map
	if err := json.Unmarshal(mapsJSON, &list); err != nil {
		return nil, fmt.Errorf("tempering: stored maps: %w", err)
	}
	byHash := make(map[string]*Map, len(list))
	for _, m := range list {
		byHash[neuronHash(m.setup)] = m
	}
	return byHash, nil
})

// StoredMap is the map that comes with the library: there is one for the named sets
// tutorial-cuba, tutorial-coba, leng-cuba and leng-coba, whatever their synapses, from
// factor 0.25 to 16.
func StoredMap(s lif.Setup) (*Map, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	byHash, err := storedMaps()
	if err != nil {
		return nil, err
	}
	m, ok := byHash[neuronHash(s)]
	if !ok {
		return nil, errors.New("tempering: no stored map for this setup: must be a tutorial or Leng set with its own Dt; otherwise call Calibrate")
	}
	return m, nil
}
