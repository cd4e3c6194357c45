package estimate

import (
	"errors"
	"fmt"
	"slices"
)

// Variable is a categorical variable read out of units.
type Variable struct {
	Name  string
	Card  int   // number of values, which are 0..Card-1; 0 means 2 if Value is nil
	Units []int // the units Value looks at

	// Value is the variable's value in the state z of all units, or -1 where it has none.
	// It must depend on Units only and not keep or change z. nil: the state of the one
	// unit listed.
	Value func(z []uint8) int
}

// OneHot is the variable whose value is the index in units of the one unit that is on; it
// is undefined while none or several are.
func OneHot(name string, units ...int) Variable {
	units = slices.Clone(units)
	return Variable{Name: name, Card: len(units), Units: units, Value: func(z []uint8) int {
		value := -1
		for i, u := range units {
			if z[u] == 1 {
				if value >= 0 {
					return -1
				}
				value = i
			}
		}
		return value
	}}
}

// reader follows the values of variables while units flip.
type reader struct {
	vars      []Variable
	stride    []int     // weight of a variable in the mixed radix index
	deps      [][]int32 // of every unit: the variables that look at it
	z         []uint8
	value     []int32 // current values
	undefined int     // number of values that are -1
	err       error   // the first value out of range
}

func newReader(vars []Variable) (reader, error) {
	if len(vars) == 0 {
		return reader{}, errors.New("estimate: no variables: must have at least one")
	}
	r := reader{vars: slices.Clone(vars), value: make([]int32, len(vars))}
	var errs []error
	names := make(map[string]bool)
	stride := 1
	for i := range r.vars {
		v := &r.vars[i]
		v.Units = slices.Clone(v.Units)
		if v.Name == "" || names[v.Name] {
			errs = append(errs, fmt.Errorf("estimate: variable %d is named %q: must have a name of its own", i, v.Name))
		}
		names[v.Name] = true
		if v.Value == nil && v.Card == 0 {
			v.Card = 2
		}
		if v.Card < 1 || v.Card > maxStates {
			errs = append(errs, fmt.Errorf("estimate: variable %q has %d values: must have 1 to %d", v.Name, v.Card, maxStates))
		}
		if len(v.Units) == 0 {
			errs = append(errs, fmt.Errorf("estimate: variable %q lists no units: must list those Value looks at", v.Name))
		} else if err := checkUnits(v.Units); err != nil {
			errs = append(errs, fmt.Errorf("%w (variable %q)", err, v.Name))
		}
		r.stride = append(r.stride, stride)
		stride *= min(max(v.Card, 1), maxStates)
		stride = min(stride, 2*maxStates) // no overflow: such a table is refused
	}
	return r, errors.Join(errs...)
}

// states is the number of joint states, or more than maxStates if there are too many.
func (r *reader) states() int {
	last := len(r.vars) - 1
	return min(r.stride[last]*r.vars[last].Card, 2*maxStates)
}

// checkReadable reports an error for variables that cannot be evaluated, as those of a
// decoded recorder cannot.
func (r *reader) checkReadable() error {
	for _, v := range r.vars {
		if v.Value == nil && (len(v.Units) != 1 || v.Card != 2) {
			return fmt.Errorf("estimate: variable %q of %d values has no Value function and %d units: must have one unit and two values, or a function",
				v.Name, v.Card, len(v.Units))
		}
	}
	return nil
}

// begin evaluates all variables in state z.
func (r *reader) begin(t float64, z []uint8) error {
	if err := checkBegin(t, z, max(1, len(z))); err != nil {
		return err
	}
	if err := r.checkReadable(); err != nil {
		return err
	}
	deps := make([][]int32, len(z))
	for i, v := range r.vars {
		for _, u := range v.Units {
			if u >= len(z) {
				return fmt.Errorf("estimate: variable %q looks at unit %d: the state has units 0..%d", v.Name, u, len(z)-1)
			}
			deps[u] = append(deps[u], int32(i))
		}
	}
	r.z, r.deps, r.undefined = slices.Clone(z), deps, 0
	for i := range r.vars {
		r.value[i] = r.eval(int32(i))
		if r.value[i] < 0 {
			r.undefined++
		}
	}
	return r.err
}

// eval is the value of variable i in the current state, -1 if undefined.
func (r *reader) eval(i int32) int32 {
	v := &r.vars[i]
	if v.Value == nil {
		return int32(r.z[v.Units[0]])
	}
	x := v.Value(r.z)
	if x < -1 || x >= v.Card {
		r.outOfRange(v, x)
		return -1
	}
	return int32(x)
}

func (r *reader) outOfRange(v *Variable, x int) {
	if r.err == nil {
		r.err = fmt.Errorf("estimate: variable %q has value %d: must be -1 to %d", v.Name, x, v.Card-1)
	}
}

// set gives variable i the value x.
func (r *reader) set(i, x int32) {
	if r.value[i] < 0 {
		r.undefined--
	}
	if x < 0 {
		r.undefined++
	}
	r.value[i] = x
}

// index is the mixed radix index of the current values, the first variable varying
// fastest. All must be defined.
func (r *reader) index() int {
	k := 0
	for i, x := range r.value {
		k += int(x) * r.stride[i]
	}
	return k
}

// same reports an error unless o has the same variables.
func (r *reader) same(o *reader) error {
	if len(r.vars) != len(o.vars) {
		return fmt.Errorf("estimate: merge of records of %d and %d variables: must be the same", len(r.vars), len(o.vars))
	}
	for i, v := range r.vars {
		w := o.vars[i]
		if v.Name != w.Name || v.Card != w.Card || !slices.Equal(v.Units, w.Units) {
			return fmt.Errorf("estimate: merge of variable %q (%d values, units %v) and %q (%d values, units %v): must be the same",
				v.Name, v.Card, v.Units, w.Name, w.Card, w.Units)
		}
	}
	return nil
}

// variableJSON is a Variable without its function.
type variableJSON struct {
	Name  string `json:"name"`
	Card  int    `json:"card"`
	Units []int  `json:"units"`
}

func (r *reader) encode() []variableJSON {
	var out []variableJSON
	for _, v := range r.vars {
		out = append(out, variableJSON{v.Name, v.Card, v.Units})
	}
	return out
}

func decodeReader(vars []variableJSON) (reader, error) {
	out := make([]Variable, len(vars))
	for i, v := range vars {
		if v.Card == 0 {
			return reader{}, fmt.Errorf("estimate: variable %q has 0 values: must have at least 1", v.Name)
		}
		out[i] = Variable{Name: v.Name, Card: v.Card, Units: v.Units}
	}
	return newReader(out)
}
