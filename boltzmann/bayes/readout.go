package bayes

import "slices"

// Readout reads one variable of the network from a state of the units.
type Readout struct {
	Name   string
	States []string
	// Units are the units the value depends on, ascending. A constant (an observed variable,
	// one with a single state) lists unit 0, since recorders want every variable to look
	// at some unit.
	Units []int
	// Value is the index of the state that units z encode, or -1 if they encode none: no
	// or several units of a one-hot code are on. It does not allocate and may be called
	// from several goroutines.
	Value func(z []uint8) int
}

// readouts returns one readout per variable of the network.
func (e *encoder) readouts(observed []int, functions []*function) []Readout {
	n := e.net
	out := make([]Readout, len(n.Vars))
	for v, va := range n.Vars {
		out[v] = Readout{Name: va.Name, States: va.States}
		if functions[v] == nil { // the arguments of functions are read first
			out[v].Units, out[v].Value = e.reader(v, observed[v])
		}
	}
	for v, fn := range functions {
		if fn != nil {
			out[v].Units, out[v].Value = fn.reader(out, n.cards())
		}
	}
	for v := range out {
		if len(out[v].Units) == 0 {
			out[v].Units = []int{0}
		}
	}
	return out
}

// reader reads a variable that is observed or has units of its own.
func (e *encoder) reader(v, observed int) ([]int, func([]uint8) int) {
	c := e.codes[v]
	switch {
	case observed >= 0:
		return nil, constant(observed)
	case len(c.unit) == 1:
		return nil, constant(0)
	case !c.oneHot:
		off, on := c.base, 1-c.base
		k := c.unit[on]
		return []int{k}, func(z []uint8) int {
			if z[k] != 0 {
				return on
			}
			return off
		}
	}
	first := c.unit[0] // the units of a variable are consecutive
	r := len(c.unit)
	return slices.Clone(c.unit), func(z []uint8) int {
		state := -1
		for s, on := range z[first : first+r] {
			if on != 0 {
				if state >= 0 {
					return -1
				}
				state = s
			}
		}
		return state
	}
}

func constant(state int) func([]uint8) int { return func([]uint8) int { return state } }

// reader reads a variable that is a function of variables read before.
func (fn *function) reader(read []Readout, card []int) ([]int, func([]uint8) int) {
	args := make([]func([]uint8) int, len(fn.args))
	cards := make([]int, len(fn.args))
	var units []int
	for i, v := range fn.args {
		args[i], cards[i] = read[v].Value, card[v]
		units = append(units, read[v].Units...)
	}
	slices.Sort(units)
	state := fn.state
	return units, func(z []uint8) int {
		i := 0
		for j, value := range args {
			s := value(z)
			if s < 0 {
				return -1
			}
			i = i*cards[j] + s
		}
		return state[i]
	}
}
