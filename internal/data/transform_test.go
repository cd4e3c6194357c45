package data

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// anyImages draws images of bytes, rows and columns multiples of k.
func anyImages(t *rapid.T, k int) *Set {
	s := &Set{
		N:        rapid.IntRange(1, 3).Draw(t, "n"),
		Rows:     k * rapid.IntRange(1, 5).Draw(t, "rows"),
		Cols:     k * rapid.IntRange(1, 5).Draw(t, "cols"),
		Channels: rapid.IntRange(1, 3).Draw(t, "channels"),
	}
	n := s.N * s.Dim()
	s.Bytes = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes")
	return s
}

// forms are the set as it is and with values.
func forms(t *rapid.T, s *Set) [2]*Set {
	v, err := s.ToValues()
	if err != nil {
		t.Fatal(err)
	}
	return [2]*Set{s, v}
}

// mean is over one channel of one image.
func mean(s *Set, i, channel int) float64 {
	x, sum := s.Float64(make([]float64, s.Dim()), i), 0.0
	for k := channel; k < len(x); k += s.Channels {
		sum += x[k]
	}
	return sum / float64(s.Rows*s.Cols)
}

// TestPoolMean: the mean of every channel stays, to the rounding of float32.
func TestPoolMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 3).Draw(t, "k")
		for _, s := range forms(t, anyImages(t, k)) {
			p, err := s.Pool(k)
			if err != nil || p.Rows*k != s.Rows || p.Cols*k != s.Cols || p.Check() != nil {
				t.Fatalf("%d×%d became %d×%d, %v", s.Rows, s.Cols, p.Rows, p.Cols, err)
			}
			for i := range s.N {
				for h := range s.Channels {
					if a, b := mean(s, i, h), mean(p, i, h); math.Abs(a-b) > 1e-7 {
						t.Fatalf("image %d channel %d: mean %v became %v", i, h, a, b)
					}
				}
			}
		}
	})
}

// TestPool: which entries go into which mean, with two channels.
func TestPool(t *testing.T) {
	s := &Set{N: 2, Rows: 2, Cols: 4, Channels: 2, Bytes: make([]uint8, 32)}
	for k := range s.Bytes {
		s.Bytes[k] = uint8(k * k / 4)
	}
	p, err := s.Pool(2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		for c := range 2 {
			for h := range 2 {
				want := 0.0
				for r := range 2 {
					for d := range 2 {
						want += float64(s.Bytes[((i*2+r)*4+c*2+d)*2+h])
					}
				}
				if got := p.Values[(i*2+c)*2+h]; got != float32(want/1020) {
					t.Errorf("image %d column %d channel %d: %v: must be %v", i, c, h, got, want/1020)
				}
			}
		}
	}
	// Two white pixels of four are exactly one half, which is not above it.
	half := &Set{N: 1, Rows: 2, Cols: 2, Channels: 1, Bytes: []uint8{255, 0, 0, 255}}
	if p, err = half.Pool(2); err != nil || p.Values[0] != 0.5 {
		t.Errorf("%v, %v", p.Values, err)
	}
	if b, err := p.Binarise(0.5); err != nil || b.Bytes[0] != 0 {
		t.Errorf("%v, %v", b, err)
	}
	half.Bytes[1] = 1
	if p, err = half.Pool(2); err != nil {
		t.Fatal(err)
	}
	if b, err := p.Binarise(0.5); err != nil || b.Bytes[0] != 255 {
		t.Errorf("%v, %v", b, err)
	}
}

func TestCentre(t *testing.T) {
	s := &Set{N: 2, Rows: 3, Cols: 3, Channels: 1, Bytes: []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19}}
	for _, c := range []struct {
		rows, cols int
		want       []uint8 // the first image
	}{
		{1, 1, []uint8{5}},
		{2, 2, []uint8{1, 2, 4, 5}}, // the entry more is cut from the end
		{3, 1, []uint8{2, 5, 8}},
		{1, 5, []uint8{0, 4, 5, 6, 0}},
		{4, 4, []uint8{1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0}},
		{5, 3, []uint8{0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0}},
	} {
		p, err := s.Centre(c.rows, c.cols)
		if err != nil || !slices.Equal(p.Bytes[:p.Dim()], c.want) || p.Check() != nil {
			t.Errorf("%d×%d: %v, %v: must be %v", c.rows, c.cols, p.Bytes, err, c.want)
			continue
		}
		for k, v := range c.want { // the second image, 10 more everywhere
			if got := p.Bytes[p.Dim()+k]; v != 0 && got != v+10 || v == 0 && got != 0 {
				t.Errorf("%d×%d: second image %v", c.rows, c.cols, p.Bytes[p.Dim():])
			}
		}
	}
	// Cutting undoes filling up.
	rapid.Check(t, func(t *rapid.T) {
		for _, s := range forms(t, anyImages(t, 1)) {
			big, err := s.Centre(s.Rows+rapid.IntRange(0, 5).Draw(t, "more rows"), s.Cols+rapid.IntRange(0, 5).Draw(t, "more columns"))
			if err != nil {
				t.Fatal(err)
			}
			back, err := big.Centre(s.Rows, s.Cols)
			if err != nil || !slices.Equal(back.Bytes, s.Bytes) || !slices.Equal(back.Values, s.Values) {
				t.Fatalf("%v became %v, %v", s, back, err)
			}
		}
	})
}

func TestBits(t *testing.T) {
	s := six() // entries 0 1, 10 11, 20 21, …
	z, err := s.Bits(20./255, true)
	if err != nil || len(z) != 6 {
		t.Fatal(z, err)
	}
	for i, want := range [][]uint8{{0, 0, 0, 0, 1}, {0, 0, 1, 0, 0}, {0, 1, 0, 0, 1}, {1, 1, 0, 0, 1}, {1, 1, 1, 0, 0}, {1, 1, 0, 1, 0}} {
		if !slices.Equal(z[i], want) {
			t.Errorf("image %d: %v: must be %v", i, z[i], want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		threshold := rapid.Float64Range(-0.1, 1.1).Draw(t, "threshold")
		for _, s := range forms(t, anyImages(t, 1)) {
			z, err := s.Bits(threshold, false)
			if err != nil {
				t.Fatal(err)
			}
			b, err := s.Binarise(threshold)
			if err != nil || b.Check() != nil {
				t.Fatal(err)
			}
			for i := range s.N {
				for k, v := range s.Float64(make([]float64, s.Dim()), i) {
					if on := v > threshold; on != (z[i][k] == 1) || on != (b.Bytes[i*s.Dim()+k] == 255) || z[i][k] > 1 {
						t.Fatalf("%v against %v became %d and %d", v, threshold, z[i][k], b.Bytes[i*s.Dim()+k])
					}
				}
				if len(z[i]) != s.Dim() || cap(z[i]) != s.Dim() {
					t.Fatalf("state of length %d, capacity %d", len(z[i]), cap(z[i]))
				}
			}
		}
	})
}

// TestDigits12 compares with sums over the four pixels, and with the share of pixels that
// are white.
func TestDigits12(t *testing.T) {
	d, err := MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Train.Digits12()
	if err != nil || p.Rows != 12 || p.Cols != 12 || p.N != 1000 || p.Name != d.Train.Name {
		t.Fatal(p, err)
	}
	z, err := p.Bits(0.5, true)
	if err != nil || len(z[0]) != 154 {
		t.Fatal(err)
	}
	for i := range p.N {
		for r := range 12 {
			for c := range 12 {
				sum := 0
				for k := range 4 {
					sum += int(d.Train.Bytes[i*784+(2+2*r+k/2)*28+2+2*c+k%2])
				}
				if got := p.Values[i*144+r*12+c]; got != float32(float64(sum)/1020) {
					t.Fatalf("image %d row %d column %d: %v: must be %d/1020", i, r, c, got, sum)
				}
				if on := sum > 510; on != (z[i][r*12+c] == 1) {
					t.Fatalf("image %d row %d column %d: bit %d for %d/1020", i, r, c, z[i][r*12+c], sum)
				}
			}
		}
	}
	// The first image, a five.
	if got := picture(z[0][:144], 12); got != five12 || z[0][144+5] != 1 {
		t.Errorf("the first image is\n%s", got)
	}
}

const five12 = `
............
............
...#######..
...###.#....
.....#......
.....#......
......##....
.......##...
......###...
....####....
..####......
............
`

// picture draws bits.
func picture(z []uint8, cols int) string {
	s := "\n"
	for k, on := range z {
		s += string(".#"[on])
		if k%cols == cols-1 {
			s += "\n"
		}
	}
	return s
}
