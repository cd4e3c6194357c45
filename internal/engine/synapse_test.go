package engine

import (
	"fmt"
	"github.com/spikesampling/spikesampling/internal/kernel"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/dynamics"
	"github.com/spikesampling/spikesampling/sampling/rng"
	"github.com/spikesampling/spikesampling/stp"
)

// Two neurons spike at their own pace, without noise; two others, far below threshold,
// listen to both: excitee through excitatory and inhibitee through inhibitory synapses.
const excitee, inhibitee = 0, 2

var senders = []struct {
	unit         int
	rest, weight float64
}{{1, -49, 0.003}, {3, -47, 0.001}}

func senderNet() Config {
	c := Config{
		N: 4, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.01, TauE: 10, TauI: 4, Theta: -50, Reset: -55, RevE: 0, RevI: -90,
		Rest: []float64{-70, 0, -70, 0}, Weights: make([]float64, 16),
	}
	for _, s := range senders {
		c.Rest[s.unit] = s.rest
		c.Weights[s.unit*c.N+excitee], c.Weights[s.unit*c.N+inhibitee] = s.weight, -s.weight
	}
	return c
}

// follow runs e step by step and calls check after every step with the steps at which the
// spikes of each sender so far were due at their targets.
func follow(t *testing.T, e *Engine, steps int64, check func(step int64, arrived [][]int64)) {
	t.Helper()
	e.Reset(nil, nil)
	due, arrived := make([][]int64, len(senders)), make([][]int64, len(senders))
	buf := make([]sampling.Flip, 0, 2*e.cfg.N)
	for n := int64(1); n <= steps; n++ {
		for _, f := range e.Run(n, buf) {
			j := int(f.Unit) / 2 // senders are units 1 and 3
			if senders[j].unit != int(f.Unit) {
				t.Fatalf("neuron %d spiked", f.Unit)
			}
			if f.On == 1 {
				due[j] = append(due[j], n+int64(e.cfg.Delay))
			}
		}
		for j, d := range due {
			for ; len(d) > 0 && d[0] <= n; d = d[1:] {
				arrived[j] = append(arrived[j], d[0])
			}
			due[j] = d
		}
		check(n, arrived)
	}
	if len(arrived[0]) < 4 || len(arrived[0]) == len(arrived[1]) {
		t.Fatalf("%d and %d spikes arrived", len(arrived[0]), len(arrived[1]))
	}
}

// TestDelay: a spike is in the synaptic current after exactly Delay steps, on the side of
// its sign, and then decays; a renewing sender's share is at its weight again after each
// of its spikes, a static one's spikes add up. The longest delay has two spikes of a sender
// on their way at a time.
func TestDelay(t *testing.T) {
	for _, static := range []bool{false, true} {
		for _, precise := range []bool{false, true} {
			for _, delay := range []int{1, 2, 7, 700} {
				t.Run(fmt.Sprintf("static=%v/precise=%v/delay=%d", static, precise, delay), func(t *testing.T) {
					c := senderNet()
					c.Static, c.Precise, c.Delay = static, precise, delay
					e := newEngine(t, c)
					follow(t, e, 4000, func(n int64, arrived [][]int64) {
						wantE, wantI := 0.0, 0.0
						for j, as := range arrived {
							for i, a := range as {
								if static || i == len(as)-1 {
									wantE += senders[j].weight * math.Exp(-float64(n-a)*c.Dt/c.TauE)
									wantI += senders[j].weight * math.Exp(-float64(n-a)*c.Dt/c.TauI)
								}
							}
						}
						exc, inh := e.Synapses()
						for k := range exc {
							want := [2]float64{}
							switch k {
							case excitee:
								want[0] = wantE
							case inhibitee:
								want[1] = wantI
							}
							near(t, fmt.Sprintf("excitation of %d at step %d", k, n), exc[k], want[0], 1e-14)
							near(t, fmt.Sprintf("inhibition of %d at step %d", k, n), inh[k], want[1], 1e-14)
						}
					})
				})
			}
		}
	}
}

// TestRectangular: a spike's input is on at full weight for exactly Refractory steps. The
// membrane of a current-based neuron is then a sum of rising and falling exponentials,
// that of a conductance-based one goes from one exponential to the next.
func TestRectangular(t *testing.T) {
	for _, conductance := range []bool{false, true} {
		for _, precise := range []bool{false, true} {
			for _, delay := range []int{1, 2, 7, 700} {
				t.Run(fmt.Sprintf("conductance=%v/precise=%v/delay=%d", conductance, precise, delay), func(t *testing.T) {
					c := senderNet()
					c.Rectangular, c.Conductance, c.Precise, c.Delay = true, conductance, precise, delay
					e := newEngine(t, c)
					tauM := c.C / c.GLeak
					ue, ui := -70.0, -70.0 // conductance-based
					on := 0
					follow(t, e, 4000, func(n int64, arrived [][]int64) {
						pulses, open := 0.0, 0.0
						for j, as := range arrived {
							w := senders[j].weight
							for _, a := range as {
								// In the steps a+1 … a+Refractory.
								steps := float64(n - a)
								pulses -= w * math.Expm1(-steps*c.Dt/tauM)
								if off := steps - float64(c.Refractory); off > 0 {
									pulses += w * math.Expm1(-off*c.Dt/tauM)
								}
								if steps >= 1 && steps <= float64(c.Refractory) {
									open += w
									on++
								}
							}
						}
						wantE, wantI := -70+pulses/c.GLeak, -70-pulses/c.GLeak
						if conductance {
							g := c.GLeak + open
							decay := math.Exp(-c.Dt * g / c.C)
							e, i := (c.GLeak*-70+open*c.RevE)/g, (c.GLeak*-70+open*c.RevI)/g
							ue, ui = e+(ue-e)*decay, i+(ui-i)*decay
							wantE, wantI = ue, ui
						}
						near(t, fmt.Sprintf("excited potential at step %d", n), e.Potential()[excitee], wantE, 1e-10)
						near(t, fmt.Sprintf("inhibited potential at step %d", n), e.Potential()[inhibitee], wantI, 1e-10)
					})
					if on < 300 {
						t.Errorf("input was on for %d steps", on)
					}
				})
			}
		}
	}
}

// TestShortestInterval: under strong drive a neuron fires every Refractory+1 steps.
func TestShortestInterval(t *testing.T) {
	for _, refractory := range []int{1, 2, 10} {
		c := senderNet()
		c.N, c.Refractory, c.Rest, c.Weights = 1, refractory, []float64{1e6}, nil
		e := newEngine(t, c)
		e.Reset(nil, nil)
		ons := []int{}
		for _, f := range e.Run(200, make([]sampling.Flip, 0, 1000)) {
			if f.On == 1 {
				ons = append(ons, int(math.Round(f.Time/c.Dt)))
			}
		}
		for i, step := range ons {
			if want := 1 + i*(refractory+1); step != want {
				t.Fatalf("refractory for %d steps: spike %d at step %d: must be %d", refractory, i, step, want)
			}
		}
		if len(ons) < 200/(refractory+1) {
			t.Errorf("%d spikes", len(ons))
		}
	}
}

// TestNoiseCurrent: the noise current is the process x' = x e^{−dt/τ} + w·Poisson. Its mean,
// variance and autocorrelation, which is exp(−t/τ_syn), over 100 neurons × 20000 steps,
// within 4.5 standard errors (Bartlett's formulas for linear processes); no correlation
// of excitation with inhibition, which may share their random words, and of a neuron with
// the next. The fast engine's are conductances, far below threshold. 47 numbers of each
// engine: false alarm below 2e-3 for all, and the seed is fixed.
func TestNoiseCurrent(t *testing.T) {
	const neurons, warm, steps = 100, 1500, 20000
	one := []dynamics.Poisson{{Rate: 1000, Weight: 0.001}}
	for _, c := range []struct {
		name     string
		exc, inh []dynamics.Poisson
	}{
		{"one source each", one, []dynamics.Poisson{{Rate: 5000, Weight: 0.002}}},
		{"several sources", []dynamics.Poisson{{Rate: 1000, Weight: 0.001}, {Rate: 100, Weight: 0.004}, {Rate: 30, Weight: 0}}, one},
		{"one receptor", one, nil},
	} {
		run := func(t *testing.T, path kernel.Path, isFast bool) {
			cfg := Config{N: neurons, Dt: 0.1, Refractory: 100, Delay: 1, C: 0.2, GLeak: 0.2, TauE: 10, TauI: 3, Theta: -50, Reset: -55,
				Rest: make([]float64, neurons), NoThreshold: true, NoiseE: c.exc, NoiseI: c.inh}
			var e interface {
				Reset([]uint8, rand.Source)
				Run(int64, []sampling.Flip) []sampling.Flip
				Steps() int64
				Synapses() (exc, inh []float64)
			}
			if isFast {
				cfg.NoThreshold, cfg.Conductance = false, true
				cfg.Theta, cfg.RevE, cfg.RevI = 1e4, 0, -100
				e = fast(t, cfg, path)
			} else {
				e = newEngine(t, cfg)
			}
			e.Reset(make([]uint8, neurons), rng.Stream(11, c.name))
			buf := make([]sampling.Flip, 0, 2*neurons)
			e.Run(warm, buf)
			x := [2][]float64{make([]float64, 0, neurons*steps), make([]float64, 0, neurons*steps)}
			for range steps {
				e.Run(e.Steps()+1, buf)
				exc, inh := e.Synapses()
				x[0], x[1] = append(x[0], exc...), append(x[1], inh...)
			}
			n := float64(neurons * steps)
			var phi, variance [2]float64
			for i, src := range [][]dynamics.Poisson{c.exc, c.inh} {
				var mean, square, fourth float64 // cumulants of what arrives in a step
				for _, p := range src {
					m := p.Rate * cfg.Dt / 1000
					mean += m * p.Weight
					square += m * p.Weight * p.Weight
					fourth += m * math.Pow(p.Weight, 4)
				}
				tau := []float64{cfg.TauE, cfg.TauI}[i]
				f := math.Exp(-cfg.Dt / tau)
				mean /= 1 - f
				v := square / (1 - f*f)
				phi[i], variance[i] = f, v
				if v == 0 {
					continue
				}
				sum := 0.0
				for j := range x[i] {
					x[i][j] -= mean
					sum += x[i][j]
				}
				near(t, "mean", sum/n, 0, 4.5*math.Sqrt(v*(1+f)/(1-f)/n))
				c0 := covariance(x[i], x[i])
				near(t, "variance", c0, v, 4.5*v*math.Sqrt((2*(1+f*f)/(1-f*f)+fourth/square/square)/n))
				for _, lag := range []int{1, 3, 10, 30, 100, 200} {
					r := covariance(x[i][:len(x[i])-lag*neurons], x[i][lag*neurons:]) / c0
					f2l := math.Pow(f, 2*float64(lag))
					se := math.Sqrt(((1+f*f)*(1-f2l)/(1-f*f) - 2*float64(lag)*f2l) / n)
					near(t, fmt.Sprintf("autocorrelation at %d steps", lag), r, math.Exp(-float64(lag)*cfg.Dt/tau), 4.5*se)
				}
				near(t, "correlation with the next neuron", covariance(x[i][:len(x[i])-1], x[i][1:])/c0, 0,
					4.5*math.Sqrt((1+f*f)/(1-f*f)/n))
			}
			if variance[1] > 0 {
				ff := phi[0] * phi[1]
				near(t, "correlation of excitation and inhibition", covariance(x[0], x[1])/math.Sqrt(variance[0]*variance[1]), 0,
					4.5*math.Sqrt((1+ff)/(1-ff)/n))
			}
		}
		t.Run(c.name+"/double", func(t *testing.T) { run(t, 0, false) })
		if len(c.exc) > 1 {
			continue // not for the fast engine
		}
		for _, p := range kernel.Paths() {
			t.Run(c.name+"/"+p.String(), func(t *testing.T) { run(t, p, true) })
		}
	}
}

// covariance is the mean product of two series of mean 0.
func covariance(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s / float64(len(a))
}

// TestStartSynapses: right after Reset the synapses are as units that are on left them:
// they spiked a refractory time before they go off.
func TestStartSynapses(t *testing.T) {
	for _, kind := range []string{"renewing", "delay", "plastic", "rectangular", "two tau", "statics"} {
		c := conductances(common(3, 1000))
		if kind != "two tau" && kind != "statics" {
			c.TauI = 10
		}
		weights := []float64{0, 0.01, -0.02, 0.03, 0, 0.04, -0.05, -0.06, 0}
		c.Weights = weights
		jump := 1.0
		switch kind {
		case "delay":
			c.Delay = 30
		case "plastic":
			c.Plasticity = &stp.Params{U: 0.5, TauRec: 100, Scale: 3}
			jump = 1.5
		case "rectangular":
			c.Rectangular = true
		case "statics":
			sparse(&c, 1)
			c.Statics, c.Sparse = c.Sparse, nil
		}
		for name, e := range map[string]interface {
			Reset([]uint8, rand.Source)
			Run(int64, []sampling.Flip) []sampling.Flip
			Synapses() (exc, inh []float64)
			State() []uint8
		}{"double": newEngine(t, c), "fast": fast(t, c, kernel.Portable)} {
			arrived, underway := 0, 0
			for seed := range 30 {
				e.Reset(nil, rng.Stream(uint64(seed), "start synapses"))
				on := slices.Clone(e.State())
				exc, inh := e.Synapses()
				exc, inh = slices.Clone(exc), slices.Clone(inh)
				var rect [2][]float64
				if x, ok := e.(*Engine); ok && c.Rectangular {
					rect = [2][]float64{slices.Clone(x.re), slices.Clone(x.ri)}
				}
				meanE, meanI := c.means(c.neuron(0))
				wantE, wantI := []float64{meanE, meanE, meanE}, []float64{meanI, meanI, meanI}
				done := [3]bool{}
				for _, f := range e.Run(100, make([]sampling.Flip, 0, 100)) {
					if f.On == 1 || on[f.Unit] == 0 || done[f.Unit] {
						continue
					}
					done[f.Unit] = true
					age := 10 - f.Time - float64(c.Delay)*c.Dt // since the spike arrived
					if age < -1e-9 {
						underway++
						continue
					}
					arrived++
					shareE, shareI := jump*math.Exp(-age/c.TauE), jump*math.Exp(-age/c.TauI)
					if c.Rectangular {
						shareE, shareI = 1, 1
					}
					for k, w := range weights[3*f.Unit:][:3] {
						wantE[k] += shareE * math.Max(w, 0)
						wantI[k] += shareI * math.Max(-w, 0)
					}
				}
				for k := range 3 {
					if done[k] != (on[k] == 1) {
						t.Fatalf("%s, %s: unit %d on %d, went off %v", kind, name, k, on[k], done[k])
					}
					if c.Rectangular {
						if name == "double" {
							near(t, "rectangular input", rect[0][k]+meanE, wantE[k], 1e-12)
							near(t, "rectangular input", rect[1][k]+meanI, wantI[k], 1e-12)
						}
						continue
					}
					near(t, kind+", "+name+": excitation", exc[k], wantE[k], 1e-6)
					near(t, kind+", "+name+": inhibition", inh[k], wantI[k], 1e-6)
				}
			}
			if arrived < 20 || kind == "delay" && underway < 5 {
				t.Errorf("%s, %s: %d arrived, %d under way", kind, name, arrived, underway)
			}
		}
	}
}
