package feedforward_test

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/spikesampling/spikesampling/inference/feedforward"
	"github.com/spikesampling/spikesampling/inference/learn"
	"github.com/spikesampling/spikesampling/internal/data"
	"github.com/spikesampling/spikesampling/sampling/rng"
)

// TestSavedNetwork: a network comes back bit for bit.
func TestSavedNetwork(t *testing.T) {
	r := source("saved")
	for _, o := range every {
		o.TopDown = [][]float64{{.1, 1. / 3, -2}}
		n := random(t, r, []int{4, 3, 2}, o)
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var m feedforward.Network
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		x := gaussian(r, 3, 4)
		if a, b := start(t, n, x, feedforward.Feedforward{}), start(t, &m, x, feedforward.Feedforward{}); !slices.Equal(a.Flat(), b.Flat()) || m.Energy() != o.Energy || m.Rate() != o.Rate {
			t.Errorf("%v %v: another network came back", o.Energy, o.Rate)
		}
	}
	n := machine(t, 1, false)
	for _, text := range []string{`{}`, `{"energy":"Ising","sizes":[1,1],"weights":[[1]],"biases":[[0]],"visible":[0]}`,
		`{"energy":"Leaky","rate":"Step","sizes":[1,1],"weights":[[1]],"biases":[[0]],"visible":[0]}`,
		`{"energy":"Boltzmann","sizes":[1,2],"weights":[[1]],"biases":[[0]],"visible":[0]}`,
		`{"energy":"Boltzmann","sizes":[4611686018427387904,4],"weights":[[]],"biases":[[0]],"visible":[0]}`,
		`{"energy":"Boltzmann","sizes":[1,1],"weights":[[1]],"biases":[[0,1]],"visible":[0]}`} {
		refused(t, n.UnmarshalJSON([]byte(text)))
	}
	if n.Layers() != 3 {
		t.Error("a refused network was taken up")
	}
}

// FuzzNetwork: whatever is read is refused or works.
func FuzzNetwork(f *testing.F) {
	b, err := json.Marshal(machine(f, 1, false))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"energy":"Leaky","rate":"Linear","sizes":[1,1,1],"weights":[[0],[1e308]],"biases":[[1e308],[0]],"visible":[0]}`))
	f.Add([]byte(`{"energy":"Leaky","rate":"Sigmoid","sizes":[1,2,1],"weights":[[1,2],[3,4]],"biases":[[0,1],[2]],"visible":[0],"top_down":[[1,1]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var n feedforward.Network
		if json.Unmarshal(b, &n) != nil {
			return
		}
		x := mat.NewDense(1, n.Sizes()[0], nil)
		s, err := feedforward.Feedforward{}.Init(&n, x, nil)
		if err != nil {
			if !strings.Contains(err.Error(), "must be") {
				t.Error(err)
			}
			return
		}
		for i, h := range s.Flat() {
			if math.IsNaN(h) || math.IsInf(h, 0) {
				t.Errorf("state %d is %v", i, h)
			}
		}
		again, err := json.Marshal(&n)
		if err != nil {
			t.Fatal(err)
		}
		var m feedforward.Network
		if err := json.Unmarshal(again, &m); err != nil {
			t.Fatal(err)
		}
	})
}

// TestEPLearner: the loop of all learning models trains it, and goes on from a checkpoint bit for
// bit.
func TestEPLearner(t *testing.T) {
	s, err := data.MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	small, err := eight(s.Train)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := small.Pairs(data.PairsOptions{})
	if err != nil {
		t.Fatal(err)
	}
	build := func() *feedforward.EPLearner {
		n, err := feedforward.Glorot([]int{64, 40, 10}, feedforward.Options{Energy: feedforward.Clipped}, rng.Stream(1, "weights"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := feedforward.NewEPLearner(n, feedforward.EPOptions{Rates: []float64{.4, .2}, Consistency: .02})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	rate := func(e int) float64 { return 1 / (1 + .1*float64(e)) }
	whole := build()
	h, err := learn.Fit(bg, whole, pairs, learn.Options{Epochs: 4, Batch: 20, Validation: pairs, Every: 4, EvalBatch: 100, Rate: rate})
	if err != nil {
		t.Fatal(err)
	}
	if score, ok := h.Last(); !ok || score.Accuracy < .7 {
		t.Errorf("accuracy %.3f after 4 epochs", score.Accuracy)
	}
	file := filepath.Join(t.TempDir(), "ep.npz")
	for epochs := 2; epochs <= 4; epochs += 2 {
		parts := build()
		if _, err := learn.Fit(bg, parts, pairs, learn.Options{Epochs: epochs, Batch: 20, Rate: rate, Checkpoint: file, Validation: pairs, Every: 4, EvalBatch: 100}); err != nil {
			t.Fatal(err)
		}
		if epochs == 4 && !mat.Equal(parts.Network().Weight(1), whole.Network().Weight(1)) {
			t.Error("other weights after going on from a checkpoint")
		}
	}
	l := build()
	refused(t, l.Learn(make([]float64, 65), make([]float64, 10)), "65")
	refused(t, l.Learn(make([]float64, 64), make([]float64, 20)), "20 targets")
	refused(t, l.Learn(make([]float64, 64), slices.Repeat([]float64{math.NaN()}, 10)), "NaN")
	refused(t, l.Predict(make([]float64, 9), make([]float64, 64)), "9 outputs")
	refused(t, l.SetRate(-1), "rate")
	refused(t, l.UnmarshalBinary([]byte("{}")), "another network")
}
