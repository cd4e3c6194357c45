// Package npy reads matrices in the NPY format of NumPy (format versions 1 to 3), as
// numpy.save writes them.
package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
)

// maxEntries bounds the size of a matrix that is read.
const maxEntries = 1 << 28

var (
	magic  = "\x93NUMPY"
	descr  = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	order  = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapes = regexp.MustCompile(`'shape':\s*\(\s*(\d+)\s*,\s*(\d+)\s*,?\s*\)`)
)

// ReadMatrix reads a matrix of float32 or float64, little endian, in C or Fortran order,
// and returns it row by row. Values must be finite, and nothing may follow them.
func ReadMatrix(r io.Reader) (rows, cols int, x []float64, err error) {
	fail := func(format string, a ...any) (int, int, []float64, error) {
		return 0, 0, nil, fmt.Errorf("npy: "+format, a...)
	}
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return fail("file ends in its first 8 bytes: must be an NPY file")
	}
	if string(head[:6]) != magic {
		return fail("file begins with %q: must begin with %q", head[:6], magic)
	}
	var n uint32
	switch version := head[6]; version {
	case 1:
		var l uint16
		err = binary.Read(r, binary.LittleEndian, &l)
		n = uint32(l)
	case 2, 3:
		err = binary.Read(r, binary.LittleEndian, &n)
	default:
		return fail("format version %d: must be 1, 2 or 3", version)
	}
	if err != nil || n > 1<<16 {
		return fail("header of %d bytes: must be whole and at most 65536", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return fail("file ends in its header")
	}
	d, o, s := descr.FindSubmatch(text), order.FindSubmatch(text), shapes.FindSubmatch(text)
	if d == nil || o == nil || s == nil {
		return fail("header %q: must give descr, fortran_order and a shape of two dimensions", text)
	}
	size := 0
	switch string(d[1]) {
	case "<f4":
		size = 4
	case "<f8":
		size = 8
	default:
		return fail("type %q: must be '<f4' or '<f8'", d[1])
	}
	rows, errR := strconv.Atoi(string(s[1]))
	cols, errC := strconv.Atoi(string(s[2]))
	if errR != nil || errC != nil || rows < 1 || cols < 1 || rows > maxEntries/cols {
		return fail("shape (%s, %s): must be at least 1×1 and at most 2^28 entries", s[1], s[2])
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(rows*cols*size)+1))
	if err != nil {
		return fail("%w", err)
	}
	if len(data) != rows*cols*size {
		return fail("%d bytes of data: shape (%d, %d) of %s needs %d", len(data), rows, cols, d[1], rows*cols*size)
	}
	x = make([]float64, rows*cols)
	for i := range x {
		var v float64
		if size == 4 {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		} else {
			v = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		}
		k := i
		if string(o[1]) == "True" {
			k = i%rows*cols + i/rows
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fail("entry (%d, %d) is %v: must be finite", k/cols, k%cols, v)
		}
		x[k] = v
	}
	return rows, cols, x, nil
}

// ReadFile reads a matrix from a file.
func ReadFile(path string) (rows, cols int, x []float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if rows, cols, x, err = ReadMatrix(f); err != nil {
		return 0, 0, nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, cols, x, nil
}
