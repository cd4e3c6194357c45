package boltzmann_test

import (
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/sampling"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

func ExampleEnumerate() {
	w := mat.NewSymDense(2, []float64{0, 1, 1, 0})
	m, err := boltzmann.New(w, []float64{-0.5, 0.25})
	if err != nil {
		log.Fatal(err)
	}
	exact, err := boltzmann.Enumerate(m)
	if err != nil {
		log.Fatal(err)
	}
	p, err := boltzmann.Joint(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("log Z %.4f, means %.4f, entropy %.4f\n", exact.LogZ, exact.Mean, exact.Entropy)
	fmt.Printf("p(z0=1, z1=0) = %.4f\n", p[0b01])
	// Output:
	// log Z 1.6109, means [0.5439 0.6792], entropy 1.2903
	// p(z0=1, z1=0) = 0.1211
}

func ExampleGibbs() {
	m := boltzmann.REF(5)
	g, err := boltzmann.NewGibbs(m, boltzmann.GibbsOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := g.Reset(nil, rng.Stream(42, "gibbs")); err != nil {
		log.Fatal(err)
	}
	const sweeps = 100000
	on := make([]float64, m.Dim())
	buf := make([]sampling.Flip, 0, 2*m.Dim())
	for g.Time() < sweeps {
		if _, err := g.Advance(g.Time()+1, buf); err != nil {
			log.Fatal(err)
		}
		for k, z := range g.State() {
			on[k] += float64(z) / sweeps
		}
	}
	exact, err := boltzmann.Enumerate(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sampled %.2f\n", on)
	fmt.Printf("exact   %.2f\n", exact.Mean)
	// Output:
	// sampled [0.50 0.33 0.41 0.52 0.55]
	// exact   [0.49 0.33 0.41 0.52 0.55]
}

// Two causes of an alarm: seeing one explains the alarm and makes the other less likely.
func ExampleMachine_Clamp() {
	burglary := boltzmann.Factor{Units: []int{0}, Table: []float64{0.7, 0.3}}
	earthquake := boltzmann.Factor{Units: []int{1}, Table: []float64{0.8, 0.2}}
	alarm := boltzmann.Factor{Units: []int{0, 1}, Table: []float64{0.05, 0.81, 0.715, 0.943}} // heard
	h, err := boltzmann.Expand(2, []boltzmann.Factor{burglary, earthquake, alarm})
	if err != nil {
		log.Fatal(err)
	}
	m, err := h.Machine()
	if err != nil {
		log.Fatal(err)
	}
	p, err := boltzmann.Enumerate(m)
	if err != nil {
		log.Fatal(err)
	}
	c, free, err := m.Clamp(map[int]uint8{1: 1})
	if err != nil {
		log.Fatal(err)
	}
	pe, err := boltzmann.Enumerate(c)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("p(burglary | alarm) = %.3f\n", p.Mean[0])
	fmt.Printf("p(unit %d | alarm, earthquake) = %.3f\n", free[0], pe.Mean[0])
	// Output:
	// p(burglary | alarm) = 0.662
	// p(unit 0 | alarm, earthquake) = 0.361
}

func ExampleHigherOrder_Quadratic() {
	h, err := boltzmann.NewHigherOrder(3, []boltzmann.Term{{Units: []int{0, 1, 2}, Coef: 2}})
	if err != nil {
		log.Fatal(err)
	}
	m, err := h.Quadratic()
	if err != nil {
		log.Fatal(err)
	}
	want, err := boltzmann.Joint(h)
	if err != nil {
		log.Fatal(err)
	}
	joint, err := boltzmann.Joint(m)
	if err != nil {
		log.Fatal(err)
	}
	got := make([]float64, 8)
	for s, p := range joint {
		got[s&7] += p
	}
	fmt.Println("units:", m.Dim())
	fmt.Printf("%.4f\n%.4f\n", want, got)
	// Output:
	// units: 4
	// [0.0695 0.0695 0.0695 0.0695 0.0695 0.0695 0.0695 0.5135]
	// [0.0695 0.0695 0.0695 0.0695 0.0695 0.0695 0.0695 0.5135]
}

func ExampleAuxiliary() {
	xor := boltzmann.Factor{Units: []int{0, 1, 2}, Table: []float64{0.9, 0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1}}
	m, err := boltzmann.Auxiliary(3, []boltzmann.Factor{xor}, boltzmann.AuxiliaryOptions{})
	if err != nil {
		log.Fatal(err)
	}
	joint, err := boltzmann.Joint(m)
	if err != nil {
		log.Fatal(err)
	}
	p := make([]float64, 8)
	for s, ps := range joint {
		p[s&7] += ps
	}
	fmt.Println("units:", m.Dim())
	fmt.Printf("%.3f, exact 0.225 and 0.025\n", p[:2])
	// Output:
	// units: 11
	// [0.223 0.027], exact 0.225 and 0.025
}
