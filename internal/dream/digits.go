package dream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spikesampling/spikesampling/internal/data"
)

// Digits are binary images with their classes.
type Digits struct {
	Images [][]uint8
	Labels []uint8
}

// Cut is images from ≤ i < to.
func (d Digits) Cut(from, to int) Digits { return Digits{d.Images[from:to:to], d.Labels[from:to:to]} }

// Data are digits in their three parts. Validation images are neither trained on nor
// reported on.
type Data struct {
	Name                    string
	Size                    int // side of an image
	Classes                 []string
	Train, Validation, Test Digits
}

// patience is how long an unasked-for search for MNIST may take.
const patience = 30 * time.Second

// Open reads the data that a -data flag names, and with "" MNIST if it can be found or
// downloaded soon, and else the small set that is part of the program; files of MNIST that are damaged
// are an error. Both parts must have labels and images of 28×28.
func Open(ctx context.Context, where string) (name string, d data.Split, err error) {
	if where != "" {
		d, err = data.Open(ctx, where)
		name = where
	} else {
		soon, stop := context.WithTimeout(ctx, patience)
		defer stop()
		if d, err = data.MNIST(soon); err == nil {
			name = "mnist"
		} else if ctx.Err() == nil && (errors.Is(err, data.ErrUnavailable) || soon.Err() != nil) {
			d, err = data.MNISTSmall()
			name = "small"
		}
	}
	if err != nil {
		return "", data.Split{}, err
	}
	if d.Test == nil {
		return "", data.Split{}, fmt.Errorf("dream: data %s without test images: must have some", name)
	}
	for _, s := range []*data.Set{d.Train, d.Test} {
		if s.Rows != 28 || s.Cols != 28 || s.Channels != 1 || s.Labels == nil {
			return "", data.Split{}, fmt.Errorf("dream: data %s: images of %d×%d with %d channels, %d labels: must be 28×28 with one channel and labels", name, s.Rows, s.Cols, s.Channels, len(s.Labels))
		}
	}
	if n := len(d.Train.Classes); n < 2 {
		return "", data.Split{}, fmt.Errorf("dream: data %s: %d class: must have at least 2", name, n)
	}
	return name, d, nil
}

// Binary are the images of a set in black and white, of size 12 or 28.
func Binary(s *data.Set, size int) (d Digits, err error) {
	switch size {
	case 28:
	case 12:
		if s, err = s.Digits12(); err != nil {
			return d, err
		}
	default:
		return d, fmt.Errorf("dream: images of size %d: must be 12 or 28", size)
	}
	d.Labels = s.Labels
	d.Images, err = s.Bits(0.5, false)
	return d, err
}

// Split cuts training images off the first so many, and validation and test images, at most
// 1000 of each. Validation images are the last training images, none of those trained on, or
// if less than 200 are left the last test images.
func Split(name string, d data.Split, size, train int) (*Data, error) {
	all, err := Binary(d.Train, size)
	if err != nil {
		return nil, err
	}
	test, err := Binary(d.Test, size)
	if err != nil {
		return nil, err
	}
	n, m := len(all.Images), len(test.Images)
	if train < 1 || train > n {
		return nil, fmt.Errorf("dream: %d training images of %d: must be 1 to %d", train, n, n)
	}
	if m < 20 {
		return nil, fmt.Errorf("dream: %d test images: must be at least 20", m)
	}
	const most, least = 1000, 200
	out := &Data{Name: name, Size: size, Classes: d.Train.Classes, Train: all.Cut(0, train), Test: test}
	if n-train >= least {
		out.Validation = all.Cut(n-min(most, n-train), n)
		return out, nil
	}
	v := min(most, m/2)
	out.Validation, out.Test = test.Cut(m-v, m), test.Cut(0, m-v)
	return out, nil
}

// Scored are the test images that the ISL is of.
func (d *Data) Scored() Images {
	return Images{"test", d.Test.Images[:min(1000, len(d.Test.Images))]}
}
