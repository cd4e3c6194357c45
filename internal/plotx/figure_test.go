package plotx

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// small returns one figure of every type.
func small(t testing.TB) []sample {
	size := Size{Width: 4, Height: 3}
	bars := sampleBars([]string{"rain=true", "wet=true"}, 2)
	dkl, raster, act, hist, acf, lines := sampleDKL(), sampleRaster(), sampleActivation(2), sampleHistogram(), sampleACF(), sampleLines()
	heat, images := sampleHeat(5, 4, true), sampleImages(4)
	bars.Size, dkl.Size, raster.Size, act.Size, hist.Size, acf.Size, lines.Size = size, size, size, size, size, size, size
	heat.Size, images.Size = size, size
	timeline := sampleTimeline(3, 10)
	timeline.Size = size
	lines.Title = `<b>"quoted" & strange</b>`
	return []sample{
		{"bars", bars}, {"dkl", dkl}, {"raster", raster}, {"activation", act}, {"histogram", hist}, {"acf", acf}, {"lines", lines},
		{"heat", heat}, {"images", images}, {"timeline", timeline},
		{"tiles", Tiles{Size: size, Figures: []*Figure{figure(t, heat), figure(t, images), figure(t, heat), figure(t, acf)}}},
	}
}

func encoded2(t *testing.T, f *Figure, format string) []byte {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(f.Encode(&a, format), f.Encode(&b, format)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("two %s encodings differ", format)
	}
	return a.Bytes()
}

// TestFormats checks that files are valid and that a second encoding gives the same
// bytes.
func TestFormats(t *testing.T) {
	bad := regexp.MustCompile(`NaN|Inf`)
	for _, s := range small(t) {
		t.Run(s.name, func(t *testing.T) {
			f := figure(t, s.spec)
			img := decode(t, encoded2(t, f, "png"))
			if got := img.Bounds().Size(); got != (image.Point{X: 800, Y: 600}) {
				t.Errorf("PNG is %v: want 800 × 600 for 4 × 3 inch", got)
			}
			svg := encoded2(t, f, "svg")
			if bad.Match(svg) {
				t.Errorf("SVG has a number that is not finite")
			}
			for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("SVG: %v", err)
				}
			}
			pdf := encoded2(t, f, "pdf")
			if !bytes.HasPrefix(pdf, []byte("%PDF-")) || !bytes.HasSuffix(pdf, []byte("%%EOF\n")) {
				t.Errorf("not a whole PDF")
			}
			if !bytes.Contains(pdf, []byte("/CreationDate (D:20000101000000)")) {
				t.Errorf("PDF has the time of writing")
			}
		})
	}
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSVGText checks the repairs of what vgsvg writes.
func TestSVGText(t *testing.T) {
	l := Lines{Title: `a <text y="1"> b`, XLabel: "τ_{syn} = 1", Series: []Line{{X: []float64{1, 2}, Y: []float64{1, 2}}}}
	svg := string(encoded2(t, figure(t, l), "svg"))
	for _, want := range []string{
		"font-family:'Liberation Sans',Arial", "a &lt;text y=&#34;1&#34;&gt; b</text>", `> = 1</text>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("SVG lacks %q", want)
		}
	}
	if strings.Count(svg, "<text ") != strings.Count(svg, `<text xml:space="preserve" textLength="`) {
		t.Errorf("a text has no width")
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	f := figure(t, Lines{Series: []Line{{X: []float64{1}, Y: []float64{1}}}, Size: Size{Width: 2, Height: 2}})
	for _, name := range []string{"a.png", "b.SVG", "c.pdf"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := f.Encode(&want, strings.ToLower(filepath.Ext(name)[1:])); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not the figure", name)
		}
	}
	if got := list(t, dir); got != "a.png b.SVG c.pdf" {
		t.Errorf("directory has %s", got)
	}
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestSaveFails checks that a failure says what is wrong and leaves nothing behind.
func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	f := figure(t, Lines{Series: []Line{{X: []float64{1}, Y: []float64{1}}}, Size: Size{Width: 2, Height: 2}})
	for _, name := range []string{"a.jpg", "a", "png", "a.png.gz"} {
		err := f.Save(filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), ".png, .svg, .pdf") {
			t.Errorf("%s: error %v: must name the formats", name, err)
		}
	}
	if err := f.Save(filepath.Join(dir, "missing", "a.png")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing directory: error %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d.png"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(filepath.Join(dir, "d.png")); err == nil {
		t.Errorf("a directory was overwritten")
	}
	if got := list(t, dir); got != "d.png" {
		t.Errorf("directory has %s: want d.png only", got)
	}
	if err := f.Encode(io.Discard, "gif"); err == nil {
		t.Errorf("unknown format: no error")
	}
}

// TestConcurrentEncode is for the race detector.
func TestConcurrentEncode(t *testing.T) {
	f := figure(t, Tiles{Size: Size{Width: 4, Height: 3}, Figures: []*Figure{figure(t, sampleACF()), figure(t, sampleHeat(3, 3, true))}})
	done := make(chan error)
	for range 2 {
		go func() { done <- f.Encode(io.Discard, "svg") }()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
}
