package data

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling/rng"
	"pgregory.net/rapid"
)

// holds reports whether the error has all the words.
func holds(err error, words string) bool {
	return err != nil && !slices.ContainsFunc(strings.Fields(words), func(w string) bool { return !strings.Contains(err.Error(), w) })
}

// six are six images of 1×2 in three classes, image i with entries 10·i and 10·i+1.
func six() *Set {
	s := &Set{Name: "six", N: 6, Rows: 1, Cols: 2, Channels: 1, Labels: []uint8{2, 0, 2, 2, 0, 1}, Classes: []string{"a", "b", "c"}}
	for i := range 6 {
		s.Bytes = append(s.Bytes, uint8(10*i), uint8(10*i+1))
	}
	return s
}

// numbers are those of the images of a subset of six.
func numbers(t *testing.T, s *Set, err error) []int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	var n []int
	for i := range s.N {
		k := int(s.Bytes[2*i]) / 10
		if s.Bytes[2*i+1] != uint8(10*k+1) || s.Labels[i] != six().Labels[k] {
			t.Errorf("image %d is torn from its label or itself: %v %v", i, s.Bytes, s.Labels)
		}
		n = append(n, k)
	}
	return n
}

func TestCheck(t *testing.T) {
	if err := six().Check(); err != nil {
		t.Error(err)
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		change func(s *Set)
		words  string
	}{
		{func(s *Set) { s.N = 0 }, "0 images"},
		{func(s *Set) { s.Rows = -1 }, "-1"},
		{func(s *Set) { s.Rows, s.Cols = 1<<40, 1<<40 }, "2^24"},
		{func(s *Set) { s.Bytes = s.Bytes[1:] }, "11 bytes 12"},
		{func(s *Set) { s.Bytes = nil }, "Bytes Values"},
		{func(s *Set) { s.Values = make([]float32, 12) }, "not both"},
		{func(s *Set) { s.Bytes, s.Values = nil, make([]float32, 13) }, "13 values 12"},
		{func(s *Set) { s.Bytes, s.Values = nil, []float32{0, 1, 2, 3, 4, nan, 6, 7, 8, 9, 10, 11} }, "entry 1 of image 2 NaN"},
		{func(s *Set) { s.Labels = s.Labels[1:] }, "5 labels"},
		{func(s *Set) { s.Classes = s.Classes[1:] }, "image 0 is 2"},
	} {
		s := six()
		c.change(s)
		if err := s.Check(); !holds(err, "data: "+c.words) {
			t.Errorf("error %v does not have all of %s", err, c.words)
		}
	}
	var none *Set
	if err := none.Check(); !holds(err, "nil") {
		t.Error(err)
	}
}

// TestRefuse: what is asked wrongly of a good set, and anything asked of a bad one, is an
// error.
func TestRefuse(t *testing.T) {
	src := rng.Stream(1, "refuse")
	bad := six()
	bad.Bytes = bad.Bytes[1:]
	bare := six()
	bare.Labels = nil
	square := &Set{N: 1, Rows: 2, Cols: 2, Channels: 1, Values: []float32{0, 1, 2, -1}}
	ask := func(s *Set) map[string]func() (*Set, error) {
		return map[string]func() (*Set, error){
			"ToBytes":   s.ToBytes,
			"ToValues":  s.ToValues,
			"Subset":    func() (*Set, error) { return s.Subset([]int{0}) },
			"Shuffle":   func() (*Set, error) { return s.Shuffle(src) },
			"Cut":       func() (*Set, error) { _, err := s.Cut(1); return nil, err },
			"Take":      func() (*Set, error) { return s.Take(ClassCount{0, 1}) },
			"Spread":    func() (*Set, error) { return s.Spread(1) },
			"Renumber":  s.Renumber,
			"Centre":    func() (*Set, error) { return s.Centre(1, 1) },
			"Pool":      func() (*Set, error) { return s.Pool(1) },
			"Resize":    func() (*Set, error) { return s.Resize(1, 1) },
			"Binarise":  func() (*Set, error) { return s.Binarise(0.5) },
			"Bits":      func() (*Set, error) { _, err := s.Bits(0.5, true); return nil, err },
			"Digits12":  s.Digits12,
			"Digits16":  s.Digits16,
			"Bits only": func() (*Set, error) { _, err := s.Bits(0.5, false); return nil, err },
		}
	}
	for name, f := range ask(bad) {
		if _, err := f(); !holds(err, "data: 11 bytes") {
			t.Errorf("%s of a set that is too short: %v", name, err)
		}
	}
	for name, f := range ask(bare) {
		_, err := f()
		if want := slices.Contains([]string{"Take", "Spread", "Renumber", "Bits", "Digits12", "Digits16"}, name); want != (err != nil) {
			t.Errorf("%s of a set without labels: %v", name, err)
		}
	}
	for _, c := range []struct {
		name  string
		f     func() (*Set, error)
		words string
	}{
		{"no images", func() (*Set, error) { return six().Subset(nil) }, "no images"},
		{"image 6", func() (*Set, error) { return six().Subset([]int{0, 6}) }, "image 6 0…5"},
		{"image -1", func() (*Set, error) { return six().Subset([]int{-1}) }, "image -1"},
		{"no source", func() (*Set, error) { return six().Shuffle(nil) }, "source"},
		{"cut too many", func() (*Set, error) { _, err := six().Cut(4, 3); return nil, err }, "part 1 [4 3] 6"},
		{"cut none", func() (*Set, error) { _, err := six().Cut(0); return nil, err }, "part 0"},
		{"no class", func() (*Set, error) { return six().Take(ClassCount{3, 1}) }, "class 3 3 classes"},
		{"class twice", func() (*Set, error) { return six().Take(ClassCount{0, 1}, ClassCount{0, 1}) }, "0 asked for twice"},
		{"too many of a class", func() (*Set, error) { return six().Take(ClassCount{0, 3}) }, "3 images of class 0 1…2"},
		{"none of a class", func() (*Set, error) { return six().Take(ClassCount{0, 0}) }, "0 images"},
		{"nothing", func() (*Set, error) { return six().Take() }, "no images"},
		{"spread", func() (*Set, error) { return six().Spread(2) }, "2 images of class 1 1…1"},
		{"spread none", func() (*Set, error) { return six().Spread(0) }, "0 images"},
		{"centre", func() (*Set, error) { return six().Centre(0, 1) }, "0×1"},
		{"centre large", func() (*Set, error) { return six().Centre(1<<40, 1<<40) }, "2^24"},
		{"pool", func() (*Set, error) { return six().Pool(2) }, "2×2 1×2"},
		{"pool 0", func() (*Set, error) { return six().Pool(0) }, "0×0"},
		{"resize", func() (*Set, error) { return six().Resize(3, -1) }, "3×-1"},
		{"threshold", func() (*Set, error) { return six().Binarise(math.NaN()) }, "NaN"},
		{"threshold of bits", func() (*Set, error) { _, err := six().Bits(math.Inf(1), false); return nil, err }, "Inf"},
		{"digits", six().Digits16, "1×2 28×28"},
		{"bytes", square.ToBytes, "entry 2 of image 0 is 2"},
	} {
		if _, err := c.f(); !holds(err, "data: "+c.words) {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, c.words)
		}
	}
}

func TestPick(t *testing.T) {
	s, err := six().Subset([]int{5, 0, 5})
	if got := numbers(t, s, err); !slices.Equal(got, []int{5, 0, 5}) {
		t.Errorf("subset: %v", got)
	}
	s, err = six().Take(ClassCount{2, 2}, ClassCount{0, 1})
	if got := numbers(t, s, err); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("take: %v", got)
	}
	if got := s.Counts(); !slices.Equal(got, []int{1, 0, 2}) {
		t.Errorf("counts %v", got)
	}
	r, err := s.Renumber()
	if err != nil || !slices.Equal(r.Labels, []uint8{1, 0, 1}) || !slices.Equal(r.Classes, []string{"a", "c"}) || r.Check() != nil {
		t.Errorf("renumbered: %v %v, %v", r.Labels, r.Classes, err)
	}
	// Class 2 has images 0, 2, 3: of three, 1 spread over them is number 0.
	s, err = six().Spread(1)
	if got := numbers(t, s, err); !slices.Equal(got, []int{0, 1, 5}) {
		t.Errorf("spread: %v", got)
	}
	// Of five of one class, three: ⌊0⌋, ⌊5/3⌋, ⌊10/3⌋.
	five := six()
	five.Labels = []uint8{0, 1, 0, 0, 0, 0}
	five.Classes = []string{"a", "b"}
	five, err = five.Take(ClassCount{0, 5})
	if err != nil {
		t.Fatal(err)
	}
	if five, err = five.Renumber(); err != nil {
		t.Fatal(err)
	}
	if s, err = five.Spread(3); err != nil || !slices.Equal(s.Bytes, []uint8{0, 1, 20, 21, 40, 41}) {
		t.Errorf("spread over five: %v, %v", s.Bytes, err)
	}
	parts, err := six().Cut(4, 1)
	if err != nil || len(parts) != 2 {
		t.Fatal(parts, err)
	}
	if a, b := numbers(t, parts[0], nil), numbers(t, parts[1], nil); !slices.Equal(a, []int{0, 1, 2, 3}) || !slices.Equal(b, []int{4}) {
		t.Errorf("cut: %v %v", a, b)
	}
	_ = append(parts[0].Bytes, 99) // must not reach the next part
	if numbers(t, parts[1], nil)[0] != 4 {
		t.Error("appending to one part changed the next")
	}
	if bare := (&Set{}); bare.Counts() != nil {
		t.Error("counts without labels")
	}
	if got := (&Set{Labels: []uint8{1, 1}}).Counts(); !slices.Equal(got, []int{0, 2}) {
		t.Errorf("counts without class names: %v", got)
	}
}

// TestShuffle: each of the six positions of image 0 is as likely. With 6000 shuffles the
// counts have mean 1000 and variance 6000·(1/6)·(5/6) = 833; |z| < 4.5 of 6 counts fails
// by chance once in 25000 seeds.
func TestShuffle(t *testing.T) {
	src := rng.Stream(7, "shuffle")
	var at [6]float64
	for range 6000 {
		s, err := six().Shuffle(src)
		n := numbers(t, s, err)
		at[slices.Index(n, 0)]++
		if slices.Sort(n); !slices.Equal(n, []int{0, 1, 2, 3, 4, 5}) {
			t.Fatalf("shuffled: %v", n)
		}
	}
	for k, n := range at {
		if z := (n - 1000) / math.Sqrt(6000*5/36.); math.Abs(z) > 4.5 {
			t.Errorf("image 0 was %v times at %d: z = %.1f", n, k, z)
		}
	}
	a, err := six().Shuffle(rand.NewPCG(1, 2))
	b, _ := six().Shuffle(rand.NewPCG(1, 2))
	if x, y := numbers(t, a, err), numbers(t, b, nil); !slices.Equal(x, y) {
		t.Errorf("one seed, two orders: %v %v", x, y)
	}
}

func TestValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Set{N: 2, Rows: 1, Cols: 2, Channels: 2, Bytes: rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "bytes")}
		v, err := s.ToValues()
		if err != nil {
			t.Fatal(err)
		}
		back, err := v.ToBytes()
		if err != nil || !slices.Equal(back.Bytes, s.Bytes) {
			t.Fatalf("%v became %v, %v", s.Bytes, back.Bytes, err)
		}
		a, b := s.Float64(make([]float64, 4), 1), v.Float64(make([]float64, 4), 1)
		c, d := s.Float32(make([]float32, 4), 1), v.Float32(make([]float32, 4), 1)
		for k := range a {
			want := float64(s.Bytes[4+k]) / 255
			if a[k] != want || b[k] != float64(float32(want)) || c[k] != float32(want) || d[k] != float32(want) {
				t.Fatalf("entry %d: %v %v %v %v: must be %v", k, a[k], b[k], c[k], d[k], want)
			}
		}
		if same, err := s.ToBytes(); err != nil || &same.Bytes[0] != &s.Bytes[0] {
			t.Fatal("bytes were copied")
		}
		if same, err := v.ToValues(); err != nil || &same.Values[0] != &v.Values[0] {
			t.Fatal("values were copied")
		}
	})
	if f := Fashion(); len(f) != 10 || f[9] != "ankle boot" {
		t.Error(f)
	}
}
