package train

import (
	"errors"
	"fmt"
	"math"
)

// Shape says how a learning rate falls.
type Shape int

const (
	Constant   Shape = iota // η
	Hyperbolic              // η/(1 + t/τ), t the updates so far
	Linear                  // η + (End − η)·t/T, T all updates: End is where the next would be
)

// String is the name of the shape.
func (s Shape) String() string {
	switch s {
	case Constant:
		return "constant"
	case Hyperbolic:
		return "hyperbolic"
	case Linear:
		return "linear"
	}
	return fmt.Sprintf("Shape(%d)", int(s))
}

// Rate is a schedule of the learning rate, the factor of the mean gradient over a batch.
type Rate struct {
	Start float64 // η > 0; default 0.05
	Shape Shape   // default Constant
	Tau   float64 // τ [updates]; Hyperbolic only, and required there
	End   float64 // ≥ 0; Linear only
}

// At is the rate of update t = 0, 1, … of so many.
func (r Rate) At(t, updates int64) float64 {
	switch r.Shape {
	case Hyperbolic:
		return r.Start / (1 + float64(t)/r.Tau)
	case Linear:
		return r.Start + (r.End-r.Start)*float64(t)/float64(updates)
	}
	return r.Start
}

// check reports what is wrong with a rate whose defaults are filled in.
func (r Rate) check() error {
	var errs []error
	if !(r.Start > 0) || math.IsInf(r.Start, 1) {
		errs = append(errs, fmt.Errorf("train: Rate.Start = %v: must be finite and > 0 (0: default 0.05)", r.Start))
	}
	if r.Shape < Constant || r.Shape > Linear {
		errs = append(errs, fmt.Errorf("train: Rate.Shape = %v: must be Constant, Hyperbolic or Linear", r.Shape))
	}
	switch {
	case r.Shape == Hyperbolic && (!(r.Tau > 0) || math.IsInf(r.Tau, 1)):
		errs = append(errs, fmt.Errorf("train: Rate.Tau = %v: must be finite and > 0 for a hyperbolic rate", r.Tau))
	case r.Shape != Hyperbolic && r.Tau != 0:
		errs = append(errs, fmt.Errorf("train: Rate.Tau = %v with a %v rate: must be 0", r.Tau, r.Shape))
	}
	switch {
	case r.Shape == Linear && (!(r.End >= 0) || math.IsInf(r.End, 1)):
		errs = append(errs, fmt.Errorf("train: Rate.End = %v: must be finite and ≥ 0", r.End))
	case r.Shape != Linear && r.End != 0:
		errs = append(errs, fmt.Errorf("train: Rate.End = %v with a %v rate: must be 0", r.End, r.Shape))
	}
	return errors.Join(errs...)
}
