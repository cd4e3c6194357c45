package main

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/spikesampling/spikesampling/inference/latent"
	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/internal/data"
)

func TestScratch(t *testing.T) {
	epochs, _ := strconv.Atoi(os.Getenv("EPOCHS"))
	split, err := data.MNIST(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	train, test := split.Train, split.Test
	parts, err := train.Cut(50000, 10000)
	if err != nil {
		t.Fatal(err)
	}
	var p []*data.Pairs
	for _, s := range []*data.Set{parts[0], parts[1], test} {
		q, err := s.Pairs(data.PairsOptions{Scale: 255. / 256})
		if err != nil {
			t.Fatal(err)
		}
		p = append(p, q)
	}
	o := latent.MNIST2021()
	o.Steps = 10
	if s := os.Getenv("STEPS"); s != "" {
		o.Steps, _ = strconv.Atoi(s)
	}
	if os.Getenv("NOLOOK") != "" {
		o.TauR, o.TauM, o.Dt = 0, 10, 1
	}
	if os.Getenv("FA") != "" {
		o.Feedback = latent.FixedRandom
	}
	var l learn.Learner
	if os.Getenv("BP") != "" {
		l, err = latent.NewBackprop(o)
	} else {
		l, err = latent.New(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = learn.Fit(context.Background(), l, p[0], learn.Options{Epochs: epochs, Batch: 512, Validation: p[2], Every: 1, OnEpoch: func(e learn.Epoch) {
		if e.Epoch <= 5 || e.Epoch%5 == 0 {
			t.Logf("%d: %.2f %% loss %.4f, %v", e.Epoch, 100*(1-e.Validation.Accuracy), e.Validation.Loss, time.Since(start).Round(time.Second))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}
