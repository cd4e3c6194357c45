package models_test

import (
	"fmt"
	"log"

	"github.com/spikesampling/spikesampling/boltzmann"
	"github.com/spikesampling/spikesampling/boltzmann/models"
)

// Three groups of four units of which one should win, the first more often.
func ExampleWTA() {
	m, err := models.WTA(3, 4, 4, 0.25, 0, -0.25)
	if err != nil {
		log.Fatal(err)
	}
	p, err := boltzmann.Joint(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f %.3f %.3f\n", p[0x00f], p[0x0f0], p[0xf00])
	// Output:
	// 0.664 0.244 0.090
}
