package data

import (
	"hash/crc32"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestDigits16 compares with whole-number weights worked out by hand: 24 inputs to 16
// outputs put centres at (k+½)·3/2, and the triangle of half-width 3/2 gives the two or
// three nearest inputs weights
//
//	3:5:1 and 1:5:3 of 9, in turns inside, and 5:3 and 3:5 of 8 at the ends.
//
// The sum of 1000 images and single rows are those of Pillow 9.4.0.
func TestDigits16(t *testing.T) {
	d, err := MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Train.Digits16()
	if err != nil || p.Rows != 16 || p.Cols != 16 || p.N != 1000 || p.Check() != nil {
		t.Fatal(p, err)
	}
	// weights of inputs from, from+1, … for output k.
	weights := func(k int) (from int, w []int) {
		switch {
		case k == 0:
			return 0, []int{5, 3}
		case k == 15:
			return 22, []int{3, 5}
		case k%2 == 1:
			return (3*k - 1) / 2, []int{3, 5, 1}
		default:
			return (3*k - 2) / 2, []int{1, 5, 3}
		}
	}
	along := func(k int, x func(int) int) int {
		from, w := weights(k)
		sum, all := 0, 0
		for j, v := range w {
			sum += v * x(from+j)
			all += v
		}
		return (2*sum + all) / (2 * all) // rounded, halves up
	}
	for i := range p.N {
		for r := range 16 {
			for c := range 16 {
				want := along(r, func(row int) int {
					return along(c, func(col int) int { return int(d.Train.Bytes[i*784+(row+2)*28+col+2]) })
				})
				if got := p.Bytes[i*256+r*16+c]; int(got) != want {
					t.Fatalf("image %d row %d column %d: %d: must be %d", i, r, c, got, want)
				}
			}
		}
	}
	if sum := crc32.ChecksumIEEE(p.Bytes); sum != 0x8344342d {
		t.Errorf("CRC-32 of all images %#x: Pillow's is 0x8344342d", sum)
	}
	for _, row := range []struct {
		image, row int
		want       []uint8
	}{
		{0, 3, []uint8{0, 0, 0, 35, 156, 196, 220, 243, 247, 250, 210, 114, 121, 88, 21, 0}},
		{0, 7, []uint8{0, 0, 0, 0, 0, 0, 30, 174, 161, 89, 19, 1, 0, 0, 0, 0}},
		{999, 8, []uint8{0, 0, 0, 136, 246, 127, 9, 13, 147, 251, 253, 193, 213, 242, 145, 10}},
	} {
		if got := p.Bytes[row.image*256+row.row*16:][:16]; !slices.Equal(got, row.want) {
			t.Errorf("image %d row %d: %d: Pillow has %d", row.image, row.row, got, row.want)
		}
	}
}

// TestTriangle: weights are positive or 0 and sum to 1, a triangle that is symmetric
// around the centre, and in fixed point they miss 1 by no more than half a unit each.
func TestTriangle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := rapid.IntRange(1, 40).Draw(t, "in"), rapid.IntRange(1, 40).Draw(t, "out")
		all := triangle(in, out)
		for k, w := range all {
			sum, fixed := 0.0, 0
			for j, v := range w.weight {
				if v < 0 {
					t.Fatalf("output %d has weight %v", k, v)
				}
				sum += v
				fixed += w.fixed[j]
				mirror := all[out-1-k]
				if m := in - 1 - (w.from + j) - mirror.from; m >= 0 && m < len(mirror.weight) && math.Abs(mirror.weight[m]-v) > 1e-12 {
					t.Fatalf("output %d weight %v, its mirror image %v", k, v, mirror.weight[m])
				}
			}
			if math.Abs(sum-1) > 1e-12 || 2*max(fixed-1<<fixedBits, 1<<fixedBits-fixed) > len(w.fixed)+1 || w.from < 0 || w.from+len(w.weight) > in {
				t.Fatalf("output %d: inputs %d…, weights %v, sum %v and %d", k, w.from, w.weight, sum, fixed)
			}
		}
	})
}

// TestResize: one grey stays that grey, the same size changes nothing, values stay between
// the smallest and the largest, and bytes are the values to within the two roundings.
func TestResize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 12).Draw(t, "new rows"), rapid.IntRange(1, 12).Draw(t, "new columns")
		f := forms(t, anyImages(t, 1))
		b, err := f[0].Resize(rows, cols)
		if err != nil || b.Check() != nil {
			t.Fatal(err)
		}
		v, err := f[1].Resize(rows, cols)
		if err != nil || v.Check() != nil {
			t.Fatal(err)
		}
		if lo, hi := slices.Min(f[0].Bytes), slices.Max(f[0].Bytes); slices.Min(b.Bytes) < lo || slices.Max(b.Bytes) > hi {
			t.Fatalf("%v became %v", f[0].Bytes, b.Bytes)
		}
		for k, x := range v.Values {
			// Half a unit for each rounding, and what the weights miss.
			if d := math.Abs(255*float64(x) - float64(b.Bytes[k])); d > 1.001 {
				t.Fatalf("entry %d: %v became byte %d", k, 255*x, b.Bytes[k])
			}
		}
		for _, s := range f {
			same, err := s.Resize(s.Rows, s.Cols)
			if err != nil || !slices.Equal(same.Bytes, s.Bytes) || !slices.Equal(same.Values, s.Values) {
				t.Fatalf("%v became %v, %v", s, same, err)
			}
		}
		for k := range f[0].Bytes {
			f[0].Bytes[k] = f[0].Bytes[0]
		}
		grey, err := f[0].Resize(rows, cols)
		if err != nil || slices.Min(grey.Bytes) != f[0].Bytes[0] || slices.Max(grey.Bytes) != f[0].Bytes[0] {
			t.Fatalf("grey %d became %v, %v", f[0].Bytes[0], grey.Bytes, err)
		}
	})
}
