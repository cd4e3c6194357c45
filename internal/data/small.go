package data

import (
	"embed"
	"fmt"
	"io/fs"
)

// The files of MNISTSmall, which gen makes: 100 training and 50 test digits of each class.
//
//go:embed digits
var small embed.FS

// How many digits of each class MNISTSmall has for training and test.
const (
	smallTrain = 100
	smallTest  = 50
)

// MNISTSmall returns 1000 training and 500 test digits of MNIST, the same number of every
// class, that are part of the program: the training and test sets of [MNIST] after
// Spread(100) and Spread(50).
func MNISTSmall() (Split, error) {
	dir, err := fs.Sub(small, "digits")
	if err != nil {
		return Split{}, fmt.Errorf("data: %w", err)
	}
	d, err := readIDXDir(dir, "digits/")
	if err != nil {
		return Split{}, fmt.Errorf("data: %w", err)
	}
	d.Train.Name, d.Test.Name = "MNIST, 1000 for training", "MNIST, 500 for test"
	return d, nil
}
