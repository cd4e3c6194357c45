package npy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// known is what testdata/savez.npz and savez_compressed.npz hold, as NumPy 1.24.2 made
// them with numpy.savez and numpy.savez_compressed.
func known() Archive {
	counting := make([]int16, 24)
	for i := range counting {
		counting[i] = int16(i)
	}
	bytes := make([]uint8, 24)
	for i := range bytes {
		bytes[i] = uint8(i)
	}
	return Archive{
		{"f4", New([]float32{1.5, -2, float32(math.Inf(1)), 0, 3e-40, 7}, 2, 3)},
		{"f8", New([]float64{0.1, -1e300, math.Float64frombits(0x7ff8 << 48)}, 3)},
		{"u1", New(bytes, 2, 3, 4)},
		{"i1", New([]int8{-128, 127}, 2)},
		{"i2", New([]int16{math.MinInt16, math.MaxInt16}, 2, 1)},
		{"i4", New([]int32{math.MinInt32, math.MaxInt32}, 2)},
		{"i8", New([]int64{math.MinInt64})},
		{"b1", New([]bool{true, false, true}, 3)},
		{"empty", New([]float64{}, 0, 3)},
		{"fortran", New(counting, 2, 3, 4)}, // stored in Fortran order
		{"layer0/w", New([]float64{1}, 1, 1)},
	}
}

// text shows types, shapes and values, NaN as itself.
func text(a Archive) string {
	var s strings.Builder
	for _, e := range a {
		fmt.Fprintf(&s, "%s %v %T %v\n", e.Name, tuple(e.Shape), e.Data, e.Data)
	}
	return s.String()
}

func TestReadsNumPy(t *testing.T) {
	for _, name := range []string{"savez.npz", "savez_compressed.npz"} {
		a, err := ReadZipFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := text(a), text(known()); got != want {
			t.Errorf("%s:\n%swant\n%s", name, got, want)
		}
	}
}

// TestWritesAsNumPy: every array in C order has the bytes that NumPy gave it.
func TestWritesAsNumPy(t *testing.T) {
	z, err := zip.OpenReader("testdata/savez.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for i, e := range known() {
		f, err := z.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Write(&b, e.Array); err != nil {
			t.Fatal(err)
		}
		if e.Name != "fortran" && !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s: %q, NumPy %q", e.Name, b.Bytes(), want)
		}
	}
}

func TestZipRoundTrip(t *testing.T) {
	var b, again bytes.Buffer
	if err := WriteZip(&b, known()); err != nil {
		t.Fatal(err)
	}
	a, err := ReadZip(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || text(a) != text(known()) {
		t.Fatalf("%v\n%s", err, text(a))
	}
	if err := WriteZip(&again, a); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("the same arrays gave other bytes, %v", err)
	}
	if err := WriteZip(&b, nil); err != nil {
		t.Errorf("no arrays: %v", err)
	}
}

// TestRoundTrip: any array of any shape comes back as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 4).Draw(t, "shape")
		n := 1
		for _, d := range shape {
			n *= d
		}
		a := Array{Shape: shape}
		switch rapid.IntRange(0, 3).Draw(t, "type") {
		case 0:
			a.Data = rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "data")
		case 1:
			a.Data = rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "data")
		case 2:
			a.Data = rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "data")
		case 3:
			a.Data = rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "data")
		}
		var b bytes.Buffer
		if err := Write(&b, a); err != nil {
			t.Fatal(err)
		}
		if at := bytes.IndexByte(b.Bytes(), '\n') + 1; at%64 != 0 {
			t.Fatalf("entries begin at byte %d: must be a multiple of 64", at)
		}
		c, err := Read(&b)
		if err != nil || text(Archive{{"", a}}) != text(Archive{{"", c}}) {
			t.Fatalf("%v became %v, %v", a, c, err)
		}
	})
}

func TestGet(t *testing.T) {
	a := known()
	if x, err := Get[float32](a, "f4", -1, 3); err != nil || len(x) != 6 || x[1] != -2 {
		t.Errorf("%v, %v", x, err)
	}
	if x, err := Get[int64](a, "i8"); err != nil || x[0] != math.MinInt64 {
		t.Errorf("%v, %v", x, err)
	}
	_, missing := Get[float32](a, "g4", 2, 3)
	_, kind := Get[float64](a, "f4", 2, 3)
	_, shape := Get[float32](a, "f4", 3, -1)
	_, scalar := Get[float32](a, "f4")
	for _, c := range []struct {
		err   error
		words string
	}{
		{missing, `npy: no array "g4": f4 layer0/w`},
		{kind, `npy: "f4" "<f4" "<f8"`},
		{shape, `npy: "f4" (2, 3) (3, any)`},
		{scalar, `npy: "f4" (2, 3) ()`},
	} {
		if c.err == nil || !holds(c.err.Error(), c.words) {
			t.Errorf("error %v does not have all of %s", c.err, c.words)
		}
	}
}

// holds reports whether s has all the words.
func holds(s, words string) bool {
	return !slices.ContainsFunc(strings.Fields(words), func(w string) bool { return !strings.Contains(s, w) })
}

func TestWriteErrors(t *testing.T) {
	for _, c := range []struct {
		a     Archive
		words string
	}{
		{Archive{{"x", New([]float64{1, 2}, 3)}}, "npy: x 2 (3,)"},
		{Archive{{"x", Array{[]int{1}, []uint64{1}}}}, "[]uint64 float64"},
		{Archive{{"x", Array{[]int{1}, nil}}}, "nil"},
		{Archive{{"x", New([]float64{}, 0, -1)}}, "(0, -1)"},
		{Archive{{"x", New([]float64{}, 0, 1<<30)}}, "2^28"},
		{Archive{{"x", New([]float64{1}, make([]int, 33)...)}}, "33 32"},
		{Archive{{"x", New([]int8{1}, 1)}, {"x", New([]int8{1}, 1)}}, "two x"},
		{Archive{{"", New([]int8{1}, 1)}}, "name"},
		{Archive{{"../x", New([]int8{1}, 1)}}, "../x"},
		{Archive{{`a\b`, New([]int8{1}, 1)}}, "name"},
	} {
		path := filepath.Join(t.TempDir(), "x.npz")
		for _, err := range []error{WriteZip(io.Discard, c.a), WriteZipFile(path, c.a)} {
			if err == nil || !holds(err.Error(), c.words) {
				t.Errorf("%v: error %v does not have all of %s", c.a, err, c.words)
			}
		}
		if e, _ := os.ReadDir(filepath.Dir(path)); len(e) != 0 {
			t.Errorf("%s is left of a file that could not be written", e[0].Name())
		}
	}
}

// full takes n bytes and no more.
type full struct{ n int }

func (w *full) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, fmt.Errorf("disk full")
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	var b bytes.Buffer
	if err := WriteZip(&b, known()); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		if err := WriteZip(&full{n}, known()); err == nil || !holds(err.Error(), "npy: disk full") {
			t.Fatalf("%d of %d bytes: %v", n, b.Len(), err)
		}
	}
	if err := WriteZip(&full{b.Len()}, known()); err != nil {
		t.Error(err)
	}
}

func TestZipFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	for i := range 2 { // the second replaces the first
		if err := WriteZipFile(path, known()[i:]); err != nil {
			t.Fatal(err)
		}
		a, err := ReadZipFile(path)
		if err != nil || text(a) != text(known()[i:]) {
			t.Errorf("%v\n%s", err, text(a))
		}
	}
	if err := WriteZipFile(path, Archive{{"x", Array{}}}); err == nil {
		t.Error("an array of no type was written")
	}
	if a, err := ReadZipFile(path); err != nil || len(a) != len(known())-1 {
		t.Errorf("the old file is not there after a failed write: %d arrays, %v", len(a), err)
	}
	if _, err := ReadZipFile(filepath.Join(t.TempDir(), "missing.npz")); err == nil {
		t.Error("missing file: no error")
	}
	if err := WriteZipFile(filepath.Join(path, "x.npz"), nil); err == nil {
		t.Error("missing directory: no error")
	}
}

// zipped is a zip file of these members.
func zipped(t testing.TB, files ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestZipErrors(t *testing.T) {
	one := string(file(1, dict("|u1", "False", "(3,)"), []uint8{200, 201, 202}))
	var stored bytes.Buffer
	if err := WriteZip(&stored, Archive{{"x", New([]uint8{200, 201, 202}, 3)}}); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Replace(stored.Bytes(), []byte{200, 201, 202}, []byte{200, 201, 203}, 1)
	for _, c := range []struct {
		name  string
		b     []byte
		words string
	}{
		{"empty", nil, "NPZ zip"},
		{"an NPY file", []byte(one), "NPZ"},
		{"cut", stored.Bytes()[:stored.Len()-30], "NPZ"},
		{"flipped bit", flipped, `"x" checksum`},
		{"text", zipped(t, "readme.txt", "x"), "readme.txt .npy"},
		{"twice", zipped(t, "x.npy", one, "x.npy", one), `two "x"`},
		{"bad name", zipped(t, "../x.npy", one), "../x"},
		{"no name", zipped(t, ".npy", one), "name"},
		{"cut member", zipped(t, "x.npy", one[:len(one)-1]), `"x" 2 (3,)`},
		{"long member", zipped(t, "x.npy", one+"y"), `"x" 4 (3,)`},
	} {
		_, err := ReadZip(bytes.NewReader(c.b), int64(len(c.b)))
		if err == nil || !holds(err.Error(), "npy: "+c.words) || strings.Count(err.Error(), "npy:") > 1 {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, c.words)
		}
	}
}

// TestZipBomb: a file that says it holds more than 2 GiB, in one member or in all, is refused
// before it is unpacked.
func TestZipBomb(t *testing.T) {
	for _, sizes := range [][]uint64{{maxBytes + 1}, {maxBytes, 1}} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i, size := range sizes {
			w, err := z.CreateRaw(&zip.FileHeader{Name: string(rune('x'+i)) + ".npy", Method: zip.Deflate, UncompressedSize64: size, CompressedSize64: 4})
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, "zero")
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadZip(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil || !holds(err.Error(), "2147483648") {
			t.Errorf("%d: %v", sizes, err)
		}
	}
}

func FuzzReadZip(f *testing.F) {
	for _, name := range []string{"savez.npz", "savez_compressed.npz"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(zipped(f, "x.npy", string(file(1, dict("<i4", "True", "(2, 2)"), []int32{1, 2, 3, 4}))))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ReadZip(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		// What was read can be written, and is then the same.
		var c bytes.Buffer
		if err := WriteZip(&c, a); err != nil {
			t.Fatal(err)
		}
		if again, err := ReadZip(bytes.NewReader(c.Bytes()), int64(c.Len())); err != nil || text(again) != text(a) {
			t.Fatalf("%v: %s became %s", err, text(a), text(again))
		}
	})
}
