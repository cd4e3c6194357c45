package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The three entries of a header, each with the comma that may follow.
var (
	magic  = "\x93NUMPY"
	descrs = regexp.MustCompile(`'descr':\s*'([^']*)'\s*,?`)
	orders = regexp.MustCompile(`'fortran_order':\s*(True|False)\s*,?`)
	shapes = regexp.MustCompile(`'shape':\s*\(([\d\s,]*)\)\s*,?`)
	number = regexp.MustCompile(`\d+`)
)

// header is what a file says of its array.
type header struct {
	descr   string
	fortran bool
	shape   []int
	entries int
	size    int // bytes of an entry
}

// readHeader reads all that comes before the entries.
func readHeader(r io.Reader) (h header, err error) {
	fail := func(format string, a ...any) (header, error) {
		return header{}, fmt.Errorf(format, a...)
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
	rest := string(text)
	var found [3]string
	for i, re := range []*regexp.Regexp{descrs, orders, shapes} {
		m := re.FindStringSubmatchIndex(rest)
		if m == nil {
			return fail("header %q: must give descr, fortran_order and shape", text)
		}
		found[i] = rest[m[2]:m[3]]
		rest = rest[:m[0]] + rest[m[1]:]
	}
	if strings.Join(strings.Fields(rest), "") != "{}" {
		return fail("header %q: must give descr, fortran_order and shape once and nothing else", text)
	}
	h.descr, h.fortran = found[0], found[1] == "True"
	switch h.descr {
	case "|u1", "|i1", "|b1":
		h.size = 1
	case "<i2":
		h.size = 2
	case "<i4", "<f4":
		h.size = 4
	case "<i8", "<f8":
		h.size = 8
	default:
		return fail("type %q: must be '<f4', '<f8', '|u1', '|i1', '<i2', '<i4', '<i8' or '|b1'", h.descr)
	}
	for _, s := range number.FindAllString(found[2], -1) {
		d, err := strconv.Atoi(s)
		if err != nil {
			return fail("shape (%s): entries must be at most 2^28", found[2])
		}
		h.shape = append(h.shape, d)
	}
	// Spaces and the last comma apart, that must be the numbers' own text.
	bare := func(s string) string { return strings.TrimSuffix(strings.Join(strings.Fields(s), ""), ",") }
	if bare(found[2]) != bare(strings.Trim(tuple(h.shape), "()")) {
		return fail("shape (%s): must be numbers with commas between them", found[2])
	}
	h.entries, err = entries(h.shape)
	return h, err
}

// Read reads one array. Nothing may follow its entries. Values are as they are in the
// file, NaN and infinities too.
func Read(r io.Reader) (Array, error) {
	a, err := read(r)
	if err != nil {
		return Array{}, fmt.Errorf("npy: %w", err)
	}
	return a, nil
}

// read does not name the package in errors.
func read(r io.Reader) (Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	return readArray(r, h)
}

// readArray reads what follows the header.
func readArray(r io.Reader, h header) (Array, error) {
	want := int64(h.entries) * int64(h.size)
	raw, err := io.ReadAll(io.LimitReader(r, want+1))
	if err != nil {
		return Array{}, err
	}
	if have := int64(len(raw)); have < want {
		return Array{}, fmt.Errorf("%d bytes of data: shape %s of %s needs %d", have, tuple(h.shape), h.descr, want)
	} else if have > want {
		return Array{}, fmt.Errorf("%d bytes of data or more: shape %s of %s needs %d", have, tuple(h.shape), h.descr, want)
	}
	a := Array{Shape: h.shape}
	switch h.descr {
	case "<f4":
		a.Data = decode[float32](raw, h)
	case "<f8":
		a.Data = decode[float64](raw, h)
	case "|u1":
		a.Data = decode[uint8](raw, h)
	case "|i1":
		a.Data = decode[int8](raw, h)
	case "<i2":
		a.Data = decode[int16](raw, h)
	case "<i4":
		a.Data = decode[int32](raw, h)
	case "<i8":
		a.Data = decode[int64](raw, h)
	case "|b1":
		if i := slices.IndexFunc(raw, func(b byte) bool { return b > 1 }); i >= 0 {
			return Array{}, fmt.Errorf("byte %d of an array of bool is %d: must be 0 or 1", i, raw[i])
		}
		a.Data = decode[bool](raw, h)
	}
	return a, nil
}

// decode makes entries in C order of the bytes of a file.
func decode[T Element](raw []byte, h header) []T {
	x := make([]T, h.entries)
	if _, err := binary.Decode(raw, binary.LittleEndian, x); err != nil {
		panic(err) // raw has the length of x
	}
	if !h.fortran || len(h.shape) < 2 || len(x) == 0 {
		return x
	}
	// The first index moves fastest in x and is worth stride[0] in y.
	stride := make([]int, len(h.shape))
	for d, s := len(stride)-1, 1; d >= 0; d-- {
		stride[d] = s
		s *= h.shape[d]
	}
	y, index, k := make([]T, len(x)), make([]int, len(stride)), 0
	for _, v := range x {
		y[k] = v
		for d := range index {
			index[d]++
			k += stride[d]
			if index[d] < h.shape[d] {
				break
			}
			index[d] = 0
			k -= stride[d] * h.shape[d]
		}
	}
	return y
}

// ReadMatrix reads a matrix of at least one entry of float32 or float64 and returns it row
// by row. Values must be finite, and nothing may follow them.
func ReadMatrix(r io.Reader) (rows, cols int, x []float64, err error) {
	h, err := readHeader(r)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("npy: %w", err)
	}
	switch {
	case len(h.shape) != 2 || h.entries == 0:
		return 0, 0, nil, fmt.Errorf("npy: shape %s: must have two dimensions and at least one entry", tuple(h.shape))
	case h.descr != "<f4" && h.descr != "<f8":
		return 0, 0, nil, fmt.Errorf("npy: type %q: must be '<f4' or '<f8'", h.descr)
	}
	a, err := readArray(r, h)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("npy: %w", err)
	}
	switch d := a.Data.(type) {
	case []float64:
		x = d
	case []float32:
		x = make([]float64, len(d))
		for i, v := range d {
			x[i] = float64(v)
		}
	}
	rows, cols = h.shape[0], h.shape[1]
	for k, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, 0, nil, fmt.Errorf("npy: entry (%d, %d) is %v: must be finite", k/cols, k%cols, v)
		}
	}
	return rows, cols, x, nil
}

// ReadFile reads a matrix from a file (see [ReadMatrix]).
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
