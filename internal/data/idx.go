package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// maxEntries bounds what one IDX file holds.
const maxEntries = 1 << 30

// ReadIDX reads an array of bytes in the IDX format of the MNIST database, packed with
// gzip or not: two zero bytes, the type (8: unsigned byte, the only one here), the number
// of dimensions (1 to 4 here), their lengths as big-endian 32-bit numbers, and the entries,
// the last index moving fastest. Nothing may follow them.
func ReadIDX(r io.Reader) (shape []int, data []uint8, err error) {
	shape, data, err = readIDX(r)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %w", err)
	}
	return shape, data, nil
}

// readIDX does not name the package in errors.
func readIDX(r io.Reader) (shape []int, data []uint8, err error) {
	b := bufio.NewReader(r)
	r = b
	if head, _ := b.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", early(err))
		}
		z.Multistream(false)
		r = z
	}
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, nil, fmt.Errorf("in the first 4 bytes of IDX: %w", early(err))
	}
	switch {
	case magic[0] != 0 || magic[1] != 0:
		return nil, nil, fmt.Errorf("begins with bytes %x: an IDX file begins with 0000", magic)
	case magic[2] != 8:
		return nil, nil, fmt.Errorf("IDX type %#x: must be 0x8, unsigned bytes", magic[2])
	case magic[3] < 1 || magic[3] > 4:
		return nil, nil, fmt.Errorf("IDX file of %d dimensions: must have 1 to 4", magic[3])
	}
	lengths := make([]uint32, magic[3])
	if err := binary.Read(r, binary.BigEndian, lengths); err != nil {
		return nil, nil, fmt.Errorf("in the lengths of the dimensions: %w", early(err))
	}
	n := int64(1)
	for _, d := range lengths {
		if n *= int64(d); n < 1 || n > maxEntries {
			return nil, nil, fmt.Errorf("IDX file of %d entries: must be at least 1 and at most 2^30", lengths)
		}
		shape = append(shape, int(d))
	}
	data, err = io.ReadAll(io.LimitReader(r, n+1)) // to the end, where gzip compares its checksum
	switch have := int64(len(data)); {
	case err != nil:
		return nil, nil, fmt.Errorf("after %d of %d bytes of data: %w", have, n, early(err))
	case have < n:
		return nil, nil, fmt.Errorf("ends after %d of %d bytes of data for %d entries", have, n, shape)
	case have > n:
		return nil, nil, fmt.Errorf("more than %d bytes of data for %d entries", n, shape)
	}
	if _, err := b.Peek(1); err != io.EOF {
		return nil, nil, errors.New("something follows the packed file")
	}
	return shape, data, nil
}

// early says in words that a file ends too early.
func early(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("file is cut short")
	}
	return err
}

// WriteIDX writes an array of bytes in the IDX format, not packed.
func WriteIDX(w io.Writer, shape []int, data []uint8) error {
	n := 1
	for _, d := range shape {
		if d < 1 || d > maxEntries/n {
			return fmt.Errorf("data: IDX file of %d entries: must be at least 1 and at most 2^30", shape)
		}
		n *= d
	}
	if len(shape) < 1 || len(shape) > 4 || n != len(data) {
		return fmt.Errorf("data: IDX file of %d dimensions with %d entries: must be 1 to 4 and %d", len(shape), len(data), n)
	}
	head := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		head = binary.BigEndian.AppendUint32(head, uint32(d))
	}
	for _, b := range [][]byte{head, data} {
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("data: %w", err)
		}
	}
	return nil
}

// usual are the names of the files of one part of a data set, in the order they are tried.
func usual(part, what string, dims int) []string {
	var names []string
	for _, end := range []string{"", ".gz"} {
		for _, sep := range []string{"-", "."} {
			names = append(names, fmt.Sprintf("%s-%s%sidx%d-ubyte%s", part, what, sep, dims, end))
		}
	}
	return names
}

// idxParts are the beginnings of the names of the files of training and test set.
var idxParts = [2]string{"train", "t10k"}

// readIDXDir reads the four files of a data set. Errors do not name the package; place is
// what they call the directory, with its separator.
func readIDXDir(dir fs.FS, place string) (Split, error) {
	var sets [2]*Set
	for k, name := range idxParts {
		shape, pixels, file, err := readIDXFile(dir, place, usual(name, "images", 3))
		if err != nil {
			return Split{}, err
		}
		if sets[k], err = images(shape, pixels, nil); err != nil {
			return Split{}, fmt.Errorf("%s%s: %w", place, file, err)
		}
		if shape, sets[k].Labels, file, err = readIDXFile(dir, place, usual(name, "labels", 1)); err != nil {
			return Split{}, err
		}
		if len(shape) != 1 || shape[0] != sets[k].N {
			return Split{}, fmt.Errorf("%s%s: labels of shape %d: must be one for each of %d images", place, file, shape, sets[k].N)
		}
	}
	return joined(sets[0], sets[1])
}

// readIDXFile reads the first of some files that is there.
func readIDXFile(dir fs.FS, place string, names []string) (shape []int, data []uint8, name string, err error) {
	for _, name := range names {
		f, err := dir.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, "", err
		}
		defer f.Close()
		if shape, data, err = readIDX(f); err != nil {
			return nil, nil, "", fmt.Errorf("%s%s: %w", place, name, err)
		}
		return shape, data, name, nil
	}
	return nil, nil, "", fmt.Errorf("%s%s: no such file, and none with .idx or .gz in its name", place, names[0])
}

// images is a set of that shape: N×D, N×rows×cols or N×rows×cols×channels.
func images(shape []int, pixels []uint8, values []float32) (*Set, error) {
	if len(shape) < 2 || len(shape) > 4 {
		return nil, fmt.Errorf("images of shape %d: must have 2 to 4 dimensions", shape)
	}
	s := &Set{N: shape[0], Rows: 1, Cols: shape[1], Channels: 1, Bytes: pixels, Values: values}
	if len(shape) > 2 {
		s.Rows, s.Cols = shape[1], shape[2]
	}
	if len(shape) > 3 {
		s.Channels = shape[3]
	}
	return s, s.fault()
}

// joined makes a split of two sets, the second of which may be nil: images of one size,
// and classes for all labels.
func joined(train, test *Set) (Split, error) {
	classes := 0
	for _, s := range []*Set{train, test} {
		if s == nil {
			continue
		}
		if s.Rows != train.Rows || s.Cols != train.Cols || s.Channels != train.Channels {
			return Split{}, fmt.Errorf("training images of %d×%d×%d and test images of %d×%d×%d: must have one size",
				train.Rows, train.Cols, train.Channels, s.Rows, s.Cols, s.Channels)
		}
		for _, l := range s.Labels {
			classes = max(classes, int(l)+1)
		}
	}
	for _, s := range []*Set{train, test} {
		if s != nil && s.Labels != nil {
			s.Classes = numbered(classes)
		}
	}
	return Split{train, test}, nil
}
