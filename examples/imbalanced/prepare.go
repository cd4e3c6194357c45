package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/internal/dream"
	"github.com/spikesampling/spikesampling/lif"
)

const size = 12 // side of the images

// bench is what everything is made of.
type bench struct {
	f      flags
	setup  lif.Setup
	digits []int
	source string // of the data
	// Classes count from 0 in the order of digits.
	train      dream.Digits
	counts     []int // of train
	judge      dream.Digits
	validation dream.Digits // balanced
	balanced   dream.Digits // test images
	proportion dream.Digits // test images
	inTest     []int        // counts of proportion

	s   *dream.Subject
	res *result
}

// prepare reads all flags and data; its errors are the user's.
func (f flags) prepare(ctx context.Context) (*bench, error) {
	switch {
	case f.hidden < 1 || f.hidden > 10000:
		return nil, fmt.Errorf("-hidden %d: must be 1 to 10000", f.hidden)
	case f.epochs < 1 || f.epochs > 10000:
		return nil, fmt.Errorf("-epochs %d: must be 1 to 10000", f.epochs)
	case f.samples < 100 || f.samples > 1e7:
		return nil, fmt.Errorf("-samples %d: must be 100 to 1e7", f.samples)
	case f.thin < 1 || f.thin > 10000:
		return nil, fmt.Errorf("-thin %d: must be 1 to 10000", f.thin)
	case f.seeds < 1 || f.seeds > 100:
		return nil, fmt.Errorf("-seeds %d: must be 1 to 100", f.seeds)
	}
	b := &bench{f: f}
	var err error
	if b.digits, err = numbers(f.digits, 0, 9); err != nil {
		return nil, fmt.Errorf("-digits: %w", err)
	}
	if sorted := slices.Sorted(slices.Values(b.digits)); len(b.digits) < 2 || len(slices.Compact(sorted)) < len(b.digits) {
		return nil, fmt.Errorf("-digits %s: must be two or more different ones", f.digits)
	}
	want, err := numbers(f.counts, 1, 1e6)
	if err != nil {
		return nil, fmt.Errorf("-counts: %w", err)
	}
	if len(want) != len(b.digits) {
		return nil, fmt.Errorf("-counts %s: must be as many numbers as -digits %s", f.counts, f.digits)
	}
	if b.setup, err = lif.NamedSetup(f.set); err != nil {
		return nil, fmt.Errorf("-set: %w", err)
	}
	if _, err := dream.Choose((&dream.Subject{}).Kinds(), f.samplers); err != nil {
		return nil, fmt.Errorf("-samplers: %w", err)
	}
	var split data.Split
	if b.source, split, err = dream.Open(ctx, f.data); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	if err := b.cut(split, want); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	if f.out != "" {
		if err := cli.Writable(f.out); err != nil {
			return nil, fmt.Errorf("-out: %w", err)
		}
	}
	return b, nil
}

func numbers(list string, least, most int) ([]int, error) {
	var out []int
	for _, s := range strings.Split(list, ",") {
		x, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || x < least || x > most {
			return nil, fmt.Errorf("%q: must be a whole number from %d to %d", s, least, most)
		}
		out = append(out, x)
	}
	return out, nil
}

// cut makes the parts of the data. Of the training images of a digit the first are trained
// on; of the rest up to 200 are for validation and up to 1000 for the judge, as many of each
// digit.
func (b *bench) cut(split data.Split, want []int) error {
	train, err := dream.Binary(split.Train, size)
	if err != nil {
		return err
	}
	test, err := dream.Binary(split.Test, size)
	if err != nil {
		return err
	}
	all, tests := make([][][]uint8, len(want)), make([][][]uint8, len(want))
	most, mostInTest, each := 1.0, 1.0, 300 // shares of the counts wanted; test images of each
	for c, d := range b.digits {
		all[c], tests[c] = of(train, d), of(test, d)
		if len(all[c]) < 20 || len(tests[c]) < 10 {
			return fmt.Errorf("%d training and %d test images of digit %d: must be at least 20 and 10", len(all[c]), len(tests[c]), d)
		}
		most = min(most, 0.7*float64(len(all[c]))/float64(want[c])) // some are left
		mostInTest = min(mostInTest, float64(min(900, len(tests[c])))/float64(want[c]))
		each = min(each, len(tests[c]))
	}
	v, j := 200, 1000 // of each for validation and the judge
	for c, n := range want {
		b.counts = append(b.counts, max(1, int(most*float64(n))))
		b.inTest = append(b.inTest, max(1, int(mostInTest*float64(n))))
		rest := len(all[c]) - b.counts[c]
		v, j = min(v, rest/3), min(j, rest-rest/3)
	}
	for c := range want {
		n := b.counts[c]
		add(&b.train, c, all[c][:n])
		add(&b.validation, c, all[c][n:n+v])
		add(&b.judge, c, all[c][n+v:n+v+j])
		add(&b.balanced, c, tests[c][:each])
		add(&b.proportion, c, tests[c][:b.inTest[c]])
	}
	return nil
}

// of are the images of a digit.
func of(d dream.Digits, digit int) (images [][]uint8) {
	for i, l := range d.Labels {
		if int(l) == digit {
			images = append(images, d.Images[i])
		}
	}
	return images
}

// add appends images of a class.
func add(d *dream.Digits, class int, images [][]uint8) {
	d.Images = append(d.Images, images...)
	for range images {
		d.Labels = append(d.Labels, uint8(class))
	}
}
