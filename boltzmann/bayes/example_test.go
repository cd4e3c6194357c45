package bayes_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/bayes"
)

// A network in the format of the bnlearn repository, and what it says about a wet lawn.
func ExampleReadBIF() {
	const file = `
network sprinkler {
}
variable rain {
  type discrete [ 2 ] { yes, no };
}
variable sprinkler {
  type discrete [ 3 ] { off, short, long };
}
variable wet {
  type discrete [ 2 ] { yes, no };
}
probability ( rain ) {
  table 0.2, 0.8;
}
probability ( sprinkler | rain ) {
  (yes) 0.90, 0.07, 0.03;
  (no) 0.6, 0.2, 0.2;
}
probability ( wet | rain, sprinkler ) {
  (no, off) 0.01, 0.99;
  (no, short) 0.7, 0.3;
  default 0.95, 0.05;
}
`
	n, err := bayes.ReadBIF(strings.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	p, err := n.Posterior(bayes.Evidence{"wet": "yes"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p)
	// Output:
	// rain: yes 0.414124 no 0.585876
	// sprinkler: off 0.383173 short 0.273104 long 0.343723
	// wet: yes 1.000000 no 0.000000
}

// An alarm rings. Given that, burglary and earthquake are two units that inhibit each
// other: each explains the other away.
func ExampleNetwork_Translate() {
	ev, err := bayes.ParseEvidence("alarm=yes")
	if err != nil {
		log.Fatal(err)
	}
	target, err := bayes.Alarm().Translate(ev, bayes.Options{})
	if err != nil {
		log.Fatal(err)
	}
	machine, aux, kind, err := target.Pairwise()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(target.Units, kind, aux)
	fmt.Printf("W = %.4f, b = %.4f\n", machine.Weight(0, 1), machine.B())

	// Any sampler can run on the machine; it is small enough to see all states.
	law, err := boltzmann.Joint(machine)
	if err != nil {
		log.Fatal(err)
	}
	burglary := target.Readouts[0]
	p := 0.0
	for i, x := range law {
		z := []uint8{uint8(i & 1), uint8(i >> 1)}
		if burglary.States[burglary.Value(z)] == "yes" {
			p += x
		}
	}
	fmt.Printf("p(burglary | alarm) = %.6f\n", p)
	// Output:
	// [burglary=yes earthquake=yes] pairwise 0
	// W = -2.5082, b = [1.9377 1.2740]
	// p(burglary | alarm) = 0.662077
}
