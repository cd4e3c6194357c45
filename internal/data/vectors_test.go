package data

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestYinYang compares with the public generator under NumPy 1.24: the SHA-256 sums of all
// inputs, float64, by rows, and what its authors give for the published sets.
func TestYinYang(t *testing.T) {
	train, validation, test := YinYangSets()
	for _, c := range []struct {
		v          *Vectors
		sum        string
		counts     []int
		sumX, sumY float64
	}{
		{train, "f5a4054d56f2a058f8250fba7ff9720458e1625db7af78a295e45701745b2228", []int{1681, 1702, 1617}, 2528.3224565688, 2505.7668617483},
		{validation, "5eac358bdf2122763dce3703a79f3005e56e46a4db25ec329a07333d0f7b8093", []int{316, 336, 348}, 0, 0},
		{test, "7bab3ed668ed4992679cff6339fe21bfe7d0c921ddc6187eaa3bc6ef34b888d7", []int{350, 316, 334}, 498.2569893485, 488.7802356778},
	} {
		h := sha256.New()
		counts := make([]int, 3)
		var sx, sy float64
		x, y := make([]float64, 4), make([]float64, 3)
		for i := range c.v.Len() {
			c.v.Pair(i, x, y)
			var b [32]byte
			for k, u := range x {
				binary.LittleEndian.PutUint64(b[8*k:], math.Float64bits(u))
			}
			h.Write(b[:])
			l := c.v.Labels[i]
			counts[l]++
			sx += x[0]
			sy += x[1]
			for k, u := range y {
				if (u == 1) != (k == int(l)) || u != 0 && u != 1 {
					t.Fatalf("pair %d: targets %v of class %d", i, y, l)
				}
			}
		}
		if got := hexSum(h.Sum(nil)); got != c.sum || !slices.Equal(counts, c.counts) {
			t.Errorf("%d points: sum %s, counts %v: must be %s, %v", c.v.Len(), got, counts, c.sum, c.counts)
		}
		if c.sumX != 0 && (math.Abs(sx-c.sumX) > 1e-9 || math.Abs(sy-c.sumY) > 1e-9) {
			t.Errorf("%d points: sums %v, %v: must be %v, %v", c.v.Len(), sx, sy, c.sumX, c.sumY)
		}
	}
	if train.X[0] != 0.6803075385877797 || train.X[1] != 0.450499251969543 || train.Labels[0] != 2 {
		t.Errorf("first point %v of class %d", train.X[:4], train.Labels[0])
	}
	if _, err := YinYang(0, 1); err == nil {
		t.Error("no points: no error")
	}
}

func hexSum(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

func TestBars(t *testing.T) {
	v, err := Bars(3)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"111000000", "000111000", "000000111", "100100100", "010010010", "001001001", "100010001", "001010100"}
	if v.Len() != 8 || !slices.Equal(v.Labels, []uint8{0, 0, 0, 1, 1, 1, 2, 2}) {
		t.Fatalf("%d patterns of classes %v", v.Len(), v.Labels)
	}
	x, y := make([]float64, 9), make([]float64, 3)
	for i, w := range want {
		v.Pair(i, x, y)
		for k, u := range x {
			if u != float64(w[k]-'0') {
				t.Errorf("pattern %d: %v: must be %s", i, x, w)
			}
		}
	}
	s := v.Scaled(2, -1).Targets(1, .1)
	s.Pair(7, x, y)
	if !slices.Equal(x, []float64{-1, -1, 1, -1, 1, -1, 1, -1, -1}) || !slices.Equal(y, []float64{.1, .1, 1}) {
		t.Errorf("scaled: %v, %v", x, y)
	}
	if v.X[0] != 1 || v.Y[0] != 1 {
		t.Error("scaling has changed the original")
	}
	if _, err := Bars(1); err == nil {
		t.Error("bars of one pixel: no error")
	}
	z := XOR()
	for i := range 4 {
		z.Pair(i, x[:2], y[:1])
		if (y[0] == 1) != (x[0] != x[1]) {
			t.Errorf("exclusive or of %v is %v", x[:2], y[0])
		}
	}
}

func TestTeach(t *testing.T) {
	v, err := Teach(5, 2, 1, func(i int, x []float64) { x[0], x[1] = float64(i), 1 }, func(x, y []float64) error { y[0] = x[0] + x[1]; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if in, out := v.Dims(); v.Len() != 5 || in != 2 || out != 1 || !slices.Equal(v.Y, []float64{1, 2, 3, 4, 5}) {
		t.Errorf("%+v", v)
	}
	input := func(int, []float64) {}
	for name, f := range map[string]func() (*Vectors, error){
		"none": func() (*Vectors, error) { return Teach(0, 1, 1, input, func(x, y []float64) error { return nil }) },
		"huge": func() (*Vectors, error) {
			return Teach(1<<20, 1<<20, 1, input, func(x, y []float64) error { return nil })
		},
		"nobody": func() (*Vectors, error) { return Teach(1, 1, 1, input, nil) },
		"fails": func() (*Vectors, error) {
			return Teach(1, 1, 1, input, func(x, y []float64) error { return errors.New("no") })
		},
		"NaN": func() (*Vectors, error) {
			return Teach(1, 1, 1, input, func(x, y []float64) error { y[0] = math.NaN(); return nil })
		},
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// cifarFile is a file of n records: image i has class (first + i)%10, and entry (row, col, channel)
// is i + 7·row + 3·col + 50·channel.
func cifarFile(n, first int) []byte {
	var b []byte
	for i := range n {
		b = append(b, byte((first+i)%10))
		for c := range 3 {
			for r := range 32 {
				for q := range 32 {
					b = append(b, byte(i+7*r+3*q+50*c))
				}
			}
		}
	}
	return b
}

func TestCIFAR(t *testing.T) {
	dir := t.TempDir()
	names := []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}
	for k, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), cifarFile(2+k, k), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.N != 2+3+4+5+6 || s.Test.N != 7 || s.Train.Channels != 3 || s.Train.Classes[9] != "truck" {
		t.Fatalf("%d and %d images", s.Train.N, s.Test.N)
	}
	if err := errors.Join(s.Train.Check(), s.Test.Check()); err != nil {
		t.Fatal(err)
	}
	x := s.Train.Float64(make([]float64, s.Train.Dim()), 3) // image 1 of the second file
	if want := byte(1 + 7*5 + 3*11 + 50*2); x[(5*32+11)*3+2] != float64(want)/255 || s.Train.Labels[3] != 2 {
		t.Errorf("entry %v of class %d", x[(5*32+11)*3+2]*255, s.Train.Labels[3])
	}
	whole := cifarFile(3, 0)
	bad := slices.Clone(whole)
	bad[cifarRecord] = 10
	for name, b := range map[string][]byte{"cut": whole[:len(whole)-1], "empty": {}, "class": bad} {
		if err := os.WriteFile(filepath.Join(dir, names[3]), b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), names[3]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, names[3])); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestPairs(t *testing.T) {
	split, err := MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	p, err := split.Train.Pairs(PairsOptions{Scale: 255. / 256})
	if err != nil {
		t.Fatal(err)
	}
	in, out := p.Dims()
	x, y := make([]float64, in), make([]float64, out)
	for _, i := range []int{0, 999} {
		p.Pair(i, x, y)
		for k, v := range x {
			if want := float64(split.Train.Bytes[i*784+k]) / 256; math.Abs(v-want) > 1e-15 {
				t.Fatalf("image %d: pixel %d is %v: must be %v", i, k, v, want)
			}
		}
		for k, v := range y {
			if (v == 1) != (k == int(split.Train.Labels[i])) {
				t.Errorf("image %d: targets %v", i, y)
			}
		}
	}
	if p.Len() != 1000 || in != 784 || out != 10 {
		t.Errorf("%d pairs of %d and %d", p.Len(), in, out)
	}
	if n := testing.AllocsPerRun(10, func() { p.Pair(5, x, y) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if p, err = split.Train.Pairs(PairsOptions{Scale: 2, Shift: -1, On: .9, Off: .1}); err != nil {
		t.Fatal(err)
	}
	p.Pair(0, x, y)
	if slices.Min(x) != -1 || slices.Max(y) != .9 || slices.Min(y) != .1 {
		t.Errorf("from %v; targets %v", slices.Min(x), y)
	}
	if _, err := split.Train.Pairs(PairsOptions{Scale: math.Inf(1)}); err == nil {
		t.Error("infinite scale: no error")
	}
	bare := *split.Train
	bare.Labels = nil
	if _, err := bare.Pairs(PairsOptions{}); err == nil {
		t.Error("no labels: no error")
	}
}
