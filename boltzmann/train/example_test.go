package train_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/spikesampling/spikesampling/boltzmann/train"
)

// bars are images of 4×4 pixels with full rows (class 0) or full columns (class 1).
func bars() (d train.Data) {
	d.Classes = 2
	for s := 1; s < 15; s++ {
		rows, columns := make([]uint8, 16), make([]uint8, 16)
		for i := range 16 {
			rows[i], columns[i] = uint8(s>>(i/4)&1), uint8(s>>(i%4)&1)
		}
		d.Images = append(d.Images, rows, columns)
		d.Labels = append(d.Labels, 0, 1)
	}
	return d
}

// A machine learns to tell rows from columns, is saved, loaded and asked in two ways.
func Example() {
	ctx := context.Background()
	d := bars()
	t, err := train.New(d, train.Options{Hidden: 20, Epochs: 3000, Batch: 28, Chains: 50, InitSD: 0.1,
		Rate: train.Rate{Start: 0.1, Shape: train.Linear}})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Run(ctx, 0); err != nil {
		log.Fatal(err)
	}
	m, err := t.Model(map[string]string{"data": "bars 4x4"})
	if err != nil {
		log.Fatal(err)
	}

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bars.npz")
	if err := m.Save(path); err != nil {
		log.Fatal(err)
	}
	if m, err = train.Load(path); err != nil {
		log.Fatal(err)
	}

	classes, err := m.Classify(d.Images, 0)
	if err != nil {
		log.Fatal(err)
	}
	byEnergy, err := train.Accuracy(classes, d.Labels)
	if err != nil {
		log.Fatal(err)
	}
	share, err := m.Vote(ctx, d.Images, train.SampleOptions{})
	if err != nil {
		log.Fatal(err)
	}
	bySampling, err := train.Accuracy(train.Winners(share), d.Labels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: by free energy %.2f, by sampling %.2f\n", m.Meta()["data"], byEnergy, bySampling)
	// Output:
	// bars 4x4: by free energy 1.00, by sampling 1.00
}

// Training stops after 100 updates and goes on from a file.
func ExampleResume() {
	ctx := context.Background()
	d, o := bars(), train.Options{Hidden: 20, Epochs: 200, Batch: 14}
	t, err := train.New(d, o)
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Run(ctx, 100); err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "checkpoint.npz")
	if err := t.Checkpoint(path); err != nil {
		log.Fatal(err)
	}
	if t, err = train.Resume(path, d, o); err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Update(), "of", t.Updates())
	if err := t.Run(ctx, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println("done:", t.Done())
	// Output:
	// 100 of 400
	// done: true
}

// A machine of two hidden layers, which any sampler of layered machines takes.
func ExampleNewDeep() {
	ctx := context.Background()
	d := bars()
	t, err := train.NewDeep(d, train.DeepOptions{Layers: []int{20, 8}, Clamped: true,
		Options: train.Options{Epochs: 2000, Batch: 28, Chains: 50, InitSD: 0.1, Rate: train.Rate{Start: 0.1, Shape: train.Linear}}})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Run(ctx, 0); err != nil {
		log.Fatal(err)
	}
	m, err := t.Model(nil)
	if err != nil {
		log.Fatal(err)
	}
	classes, err := m.Classify(d.Images, 0)
	if err != nil {
		log.Fatal(err)
	}
	accuracy, err := train.Accuracy(classes, d.Labels)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Machine().Layers(), "layers, accuracy", accuracy)
	// Output: 3 layers, accuracy 1
}
