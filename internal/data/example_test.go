package data_test

import (
	"context"
	"fmt"
	"log"

	"github.com/spikesampling/spikesampling/internal/data"
)

// The digits 0, 1 and 4 in unequal numbers, as binary units with one label unit for each.
func ExampleSet_Bits() {
	digits, err := data.Open(context.Background(), "small")
	if err != nil {
		log.Fatal(err)
	}
	few, err := digits.Train.Take(data.ClassCount{Class: 0, N: 10}, data.ClassCount{Class: 1, N: 100}, data.ClassCount{Class: 4, N: 10})
	if err != nil {
		log.Fatal(err)
	}
	if few, err = few.Digits12(); err != nil {
		log.Fatal(err)
	}
	if few, err = few.Renumber(); err != nil {
		log.Fatal(err)
	}
	states, err := few.Bits(0.5, true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(states), "states of", len(states[0]), "units; classes", few.Classes, "with", few.Counts())
	// Output: 120 states of 147 units; classes [0 1 4] with [10 100 10]
}
