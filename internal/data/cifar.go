package data

import (
	"errors"
	"fmt"
	"io/fs"
)

// CIFAR-10 in its binary form (A. Krizhevsky, Learning multiple layers of features from tiny
// images, 2009): files of records of one byte for the class and 3×32×32 bytes, red, green and
// blue by rows.
const (
	cifarSide   = 32
	cifarPixels = cifarSide * cifarSide
	cifarRecord = 1 + 3*cifarPixels
	cifarBatch  = 10000 // records of a file
)

// CIFAR10 returns the names of the ten classes of CIFAR-10.
func CIFAR10() []string {
	return []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
}

// readCIFAR reads data_batch_1.bin to data_batch_5.bin and test_batch.bin from a directory.
func readCIFAR(dir fs.FS, prefix string) (Split, error) {
	train := &Set{Rows: cifarSide, Cols: cifarSide, Channels: 3, Classes: CIFAR10()}
	test := &Set{Rows: cifarSide, Cols: cifarSide, Channels: 3, Classes: CIFAR10()}
	var errs []error
	for k := range 6 {
		s, name := train, fmt.Sprintf("data_batch_%d.bin", k+1)
		if k == 5 {
			s, name = test, "test_batch.bin"
		}
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := s.addCIFAR(b); err != nil {
			errs = append(errs, fmt.Errorf("%s%s: %w", prefix, name, err))
		}
	}
	return Split{Train: train, Test: test}, errors.Join(errs...)
}

// addCIFAR adds the records of a file, channels last.
func (s *Set) addCIFAR(b []byte) error {
	if len(b) == 0 || len(b)%cifarRecord != 0 {
		return fmt.Errorf("%d bytes: must be records of %d, usually %d of them", len(b), cifarRecord, cifarBatch)
	}
	for i := 0; len(b) > 0; i++ {
		if b[0] > 9 {
			return fmt.Errorf("class of image %d is %d: must be 0 to 9", i, b[0])
		}
		s.Labels = append(s.Labels, b[0])
		image := b[1:cifarRecord]
		for p := range cifarPixels {
			s.Bytes = append(s.Bytes, image[p], image[cifarPixels+p], image[2*cifarPixels+p])
		}
		s.N++
		b = b[cifarRecord:]
	}
	return nil
}

// hasCIFAR reports whether a directory holds CIFAR-10.
func hasCIFAR(dir fs.FS) bool {
	_, err := fs.Stat(dir, "data_batch_1.bin")
	return err == nil
}
