// Command gen makes the files of digits that data.MNISTSmall returns from the full MNIST.
// Run it with go generate in internal/data.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"

	"github.com/spikesampling/spikesampling/internal/cli"
	"github.com/spikesampling/spikesampling/internal/data"
)

func main() { cli.Main("gen", run) }

func run(ctx context.Context) error {
	full, err := data.MNIST(ctx)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name     string
		set      *data.Set
		perClass int
	}{{"train", full.Train, 100}, {"t10k", full.Test, 50}} {
		s, err := part.set.Spread(part.perClass)
		if err != nil {
			return err
		}
		if err := save(part.name+"-images-idx3-ubyte.gz", []int{s.N, s.Rows, s.Cols}, s.Bytes); err != nil {
			return err
		}
		if err := save(part.name+"-labels-idx1-ubyte.gz", []int{s.N}, s.Labels); err != nil {
			return err
		}
	}
	return nil
}

// save writes a packed IDX file.
func save(name string, shape []int, entries []uint8) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := data.WriteIDX(z, shape, entries); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("digits", name), b.Bytes(), 0o644)
}
