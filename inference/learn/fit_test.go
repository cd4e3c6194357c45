package learn

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling/dynamics"
)

// line is a Learner: y = w·x by the delta rule. It keeps what it was shown.
type line struct {
	w, rate float64
	factor  float64
	shown   []float64
	fail    func(x, y []float64) error
}

func newLine() *line { return &line{rate: 0.1, factor: 1} }

func (l *line) Dims() (int, int) { return 1, 1 }

func (l *line) Learn(x, y []float64) error {
	if l.fail != nil {
		if err := l.fail(x, y); err != nil {
			l.w = math.NaN()
			return err
		}
	}
	for i := range x {
		l.shown = append(l.shown, x[i])
		l.w += l.factor * l.rate * (y[i] - l.w*x[i]) * x[i]
	}
	return nil
}

func (l *line) Predict(out, x []float64) error {
	for i := range out {
		out[i] = l.w * x[i]
	}
	return nil
}

func (l *line) SetRate(f float64) error { l.factor = f; return nil }

func (l *line) MarshalBinary() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(l.w)), nil
}

func (l *line) UnmarshalBinary(b []byte) error {
	if len(b) != 8 {
		return errors.New("line: must have 8 bytes")
	}
	l.w = math.Float64frombits(binary.LittleEndian.Uint64(b))
	return nil
}

type pairs [][2]float64

func (p pairs) Len() int                   { return len(p) }
func (p pairs) Dims() (int, int)           { return 1, 1 }
func (p pairs) Pair(i int, x, y []float64) { x[0], y[0] = p[i][0], p[i][1] }

var doubles = pairs{{1, 2}, {0.5, 1}, {-1, -2}, {0.25, 0.5}, {0.75, 1.5}}

func TestFit(t *testing.T) {
	l := newLine()
	calls := 0
	h, err := Fit(context.Background(), l, doubles, Options{Epochs: 40, Batch: 2, Every: 3, Validation: doubles,
		OnEpoch: func(Epoch) { calls++ }})
	if err != nil {
		t.Fatal(err)
	}
	if len(h) != 40 || calls != 40 {
		t.Errorf("%d rows and %d calls: must be 40", len(h), calls)
	}
	for i, e := range h {
		want := (i+1)%3 == 0 || i == 39
		if e.Epoch != i+1 || (e.Validation != nil) != want {
			t.Errorf("row %d: %+v", i, e)
		}
	}
	// Every pair shrinks 2 − w by 1 − rate·x², in whatever order.
	left, square := 2.0, 0.0
	for _, p := range doubles {
		left *= math.Pow(1-0.1*p[0]*p[0], 40)
		square += p[0] * p[0]
	}
	want := left * left * square / 2 / 5
	if s, ok := h.Last(); !ok || math.Abs(s.Loss/want-1) > 1e-6 || s.N != 5 {
		t.Errorf("last score %+v: loss must be %v", s, want)
	}
	// Every epoch shows every pair once, and epochs differ in order.
	first := slices.Clone(l.shown[:5])
	differ := false
	for e := range 40 {
		got := l.shown[5*e : 5*e+5]
		differ = differ || !slices.Equal(got, first)
		got = slices.Sorted(slices.Values(got))
		if !slices.Equal(got, []float64{-1, 0.25, 0.5, 0.75, 1}) {
			t.Fatalf("epoch %d showed %v", e, got)
		}
	}
	if !differ {
		t.Error("all epochs have the same order")
	}
}

func TestOrderAndRate(t *testing.T) {
	l := newLine()
	_, err := Fit(context.Background(), l, doubles, Options{Epochs: 2, Order: func(e int) []int { return []int{e, 3} },
		Rate: func(e int) float64 { return float64(e) }})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0.25, 0.5, 0.25}; !slices.Equal(l.shown, want) {
		t.Errorf("shown %v: must be %v", l.shown, want)
	}
	// Epoch 0 has rate 0: only epoch 1 moves w.
	if want := 0.1*1*0.5 + 0; math.Abs(l.w-(want+0.1*(0.5-want*0.25)*0.25)) > 1e-15 {
		t.Errorf("w = %v", l.w)
	}
}

func TestEvaluate(t *testing.T) {
	l := newLine()
	l.w = 1
	for _, batch := range []int{0, 1, 2, 5, 9} {
		s, err := Evaluate(context.Background(), l, doubles, batch)
		if err != nil {
			t.Fatal(err)
		}
		// Targets above ½: 2, 1, 1.5; outputs above ½: 1, 0.75. Pair (0.5, 1) is wrong.
		if want := (1 + 0.25 + 1 + 0.0625 + 0.5625) / 2 / 5; math.Abs(s.Loss-want) > 1e-15 || s.Accuracy != 0.8 {
			t.Errorf("batch %d: %+v: loss must be %v, accuracy 0.8", batch, s, want)
		}
	}
	if w := Winner([]float64{1, 3, 3, 2}); w != 1 {
		t.Errorf("Winner = %d: must be 1", w)
	}
}

func TestResume(t *testing.T) {
	dir := t.TempDir()
	run := func(epochs int, path string) (*line, History) {
		l := newLine()
		h, err := Fit(context.Background(), l, doubles, Options{Epochs: epochs, Batch: 2, Seed: 3, Validation: doubles, Checkpoint: path,
			Rate: func(e int) float64 { return 1 / float64(e+1) }})
		if err != nil {
			t.Fatal(err)
		}
		return l, h
	}
	whole, wholeHistory := run(6, filepath.Join(dir, "whole"))
	if whole.w == 0 {
		t.Fatal("nothing learned")
	}
	path := filepath.Join(dir, "parts")
	run(2, path)
	parts, partsHistory := run(6, path)
	if parts.w != whole.w || !reflect.DeepEqual(partsHistory, wholeHistory) {
		t.Errorf("resumed: %v, whole: %v", parts.w, whole.w)
	}
	if len(parts.shown) != 20 {
		t.Errorf("the second part showed %d pairs: must be 20", len(parts.shown))
	}
	// Other options or a damaged file are refused, and the file stays.
	for name, change := range map[string]func(*Options) Dataset{
		"nothing":        func(*Options) Dataset { return doubles },
		"batch":          func(o *Options) Dataset { o.Batch = 3; return doubles },
		"seed":           func(o *Options) Dataset { o.Seed = 4; return doubles },
		"every":          func(o *Options) Dataset { o.Every = 2; return doubles },
		"evaluation":     func(o *Options) Dataset { o.EvalBatch = 1; return doubles },
		"fewer epochs":   func(o *Options) Dataset { o.Epochs = 5; return doubles },
		"data of 4 rows": func(*Options) Dataset { return doubles[:4] },
	} {
		o := Options{Epochs: 6, Batch: 2, Seed: 3, Validation: doubles, Checkpoint: path}
		d := change(&o)
		if _, err := Fit(context.Background(), newLine(), d, o); (err == nil) != (name == "nothing") {
			t.Errorf("other %s: %v", name, err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-7], 0o644); err != nil {
		t.Fatal(err)
	}
	l := newLine()
	if _, err := Fit(context.Background(), l, doubles, Options{Epochs: 6, Batch: 2, Seed: 3, Validation: doubles, Checkpoint: path}); err == nil || l.w != 0 {
		t.Errorf("cut file: w %v, error %v", l.w, err)
	}
}

// TestDiverged: the learner is put back to the last whole epoch, and the error says where the
// run stopped and where the last good state is.
func TestDiverged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "good")
	l := newLine()
	n := 0
	l.fail = func(x, y []float64) error {
		if n++; n == 8 { // batch 1 of epoch 2, counted from 0
			return &dynamics.DivergedError{What: "layer 1 potential", Unit: 4, Time: 12.5, Value: math.NaN()}
		}
		return nil
	}
	h, err := Fit(context.Background(), l, doubles, Options{Epochs: 9, Batch: 2, Checkpoint: path})
	var stopped *StoppedError
	if !errors.As(err, &stopped) || !errors.Is(err, dynamics.ErrDiverged) {
		t.Fatalf("error %v", err)
	}
	if len(h) != 2 || stopped.Epoch != 2 || stopped.Batch != 1 || stopped.Checkpoint != path {
		t.Errorf("history of %d, %+v", len(h), stopped)
	}
	for _, part := range []string{"layer 1 potential", "unit 4", "12.5 ms", path} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %q", err, part)
		}
	}
	clean := newLine()
	if _, err := Fit(context.Background(), clean, doubles, Options{Epochs: 2, Batch: 2}); err != nil {
		t.Fatal(err)
	}
	if l.w != clean.w {
		t.Errorf("w = %v: must be %v, that after epoch 2", l.w, clean.w)
	}
	// And Fit goes on from there.
	l.fail = nil
	if h, err = Fit(context.Background(), l, doubles, Options{Epochs: 9, Batch: 2, Checkpoint: path}); err != nil || len(h) != 9 {
		t.Errorf("%d epochs, %v", len(h), err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l := newLine()
	h, err := Fit(ctx, l, doubles, Options{Epochs: 1000, OnEpoch: func(e Epoch) {
		if e.Epoch == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(h) != 3 {
		t.Errorf("%d epochs, %v", len(h), err)
	}
}

type wide struct{ pairs }

func (wide) Dims() (int, int) { return 2, 1 }

// fixed has no learning rate to scale.
type fixed struct{ Learner }

func TestRefusals(t *testing.T) {
	ok := Options{Epochs: 1}
	for name, f := range map[string]func() error{
		"no learner": func() error { _, err := Fit(context.Background(), nil, doubles, ok); return err },
		"no data":    func() error { _, err := Fit(context.Background(), newLine(), nil, ok); return err },
		"empty":      func() error { _, err := Fit(context.Background(), newLine(), pairs{}, ok); return err },
		"lengths":    func() error { _, err := Fit(context.Background(), newLine(), wide{doubles}, ok); return err },
		"epochs":     func() error { _, err := Fit(context.Background(), newLine(), doubles, Options{}); return err },
		"batch": func() error {
			_, err := Fit(context.Background(), newLine(), doubles, Options{Epochs: 1, Batch: -1})
			return err
		},
		"every": func() error {
			_, err := Fit(context.Background(), newLine(), doubles, Options{Epochs: 1, Every: -1})
			return err
		},
		"order": func() error {
			_, err := Fit(context.Background(), newLine(), doubles, Options{Epochs: 1, Order: func(int) []int { return []int{5} }})
			return err
		},
		"rate": func() error {
			_, err := Fit(context.Background(), fixed{newLine()}, doubles, Options{Epochs: 1, Rate: func(int) float64 { return 1 }})
			return err
		},
		"validation": func() error {
			_, err := Fit(context.Background(), newLine(), doubles, Options{Epochs: 1, Validation: wide{doubles}})
			return err
		},
		"batch of eval": func() error { _, err := Evaluate(context.Background(), newLine(), doubles, -1); return err },
		"targets": func() error {
			_, err := Evaluate(context.Background(), newLine(), pairs{{1, math.NaN()}}, 1)
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
