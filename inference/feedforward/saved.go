package feedforward

import (
	"encoding/json"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// saved is a network as JSON; numbers survive to the last bit.
type saved struct {
	Energy  string      `json:"energy"`
	Rate    string      `json:"rate,omitempty"`
	Sizes   []int       `json:"sizes"`   // n_0, …, n_N
	Weights [][]float64 `json:"weights"` // W_k by rows
	Biases  [][]float64 `json:"biases"`
	TopDown [][]float64 `json:"top_down,omitempty"`
	Visible []float64   `json:"visible"`
}

// MarshalJSON saves the network.
func (n *Network) MarshalJSON() ([]byte, error) {
	s := saved{Energy: n.energy.String(), Sizes: n.size, Biases: n.b, TopDown: n.td, Visible: n.b0}
	if n.energy == Leaky {
		s.Rate = n.rate.String()
	}
	for _, w := range n.w {
		s.Weights = append(s.Weights, w.Data)
	}
	return json.Marshal(s)
}

// UnmarshalJSON restores a network that MarshalJSON saved. What New would refuse is refused here
// too, and changes nothing.
func (n *Network) UnmarshalJSON(data []byte) error {
	var s saved
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("feedforward: saved network: %w", err)
	}
	if len(s.Sizes) < 2 || len(s.Weights) != len(s.Sizes)-1 {
		return fmt.Errorf("feedforward: saved network: %d sizes and %d matrices: must be at least 2, and one less", len(s.Sizes), len(s.Weights))
	}
	o := Options{Visible: s.Visible, TopDown: s.TopDown}
	var err error
	if o.Energy, err = named[Energy]("energy", s.Energy, energies[:]); err != nil {
		return err
	}
	if s.Rate != "" {
		if o.Rate, err = named[Rate]("rate", s.Rate, rates[:]); err != nil {
			return err
		}
	}
	var w []mat.Matrix
	for k, x := range s.Weights {
		r, c := s.Sizes[k+1], s.Sizes[k]
		// The division keeps r·c from overflowing.
		if r < 1 || c < 1 || len(x)/r != c || len(x)%r != 0 {
			return fmt.Errorf("feedforward: saved network: W_%d has %d entries: must be %d×%d, at least 1", k+1, len(x), r, c)
		}
		w = append(w, mat.NewDense(r, c, x))
	}
	m, err := New(w, s.Biases, o)
	if err != nil {
		return err
	}
	*n = *m
	return nil
}

// named is the number of a name in a list.
func named[T ~int](what, name string, list []string) (T, error) {
	for i, x := range list {
		if x == name {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("feedforward: saved network: %s %q: must be one of %v", what, name, list)
}
