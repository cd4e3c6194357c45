package estimate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spikesampling/spikesampling/sampling"
)

// Labels says which mode of a law a state is in, and keeps up as units flip. It belongs to
// one recorder at a time. [LabelFunc], [Patterns] and [Groups] make them.
type Labels interface {
	// Modes is the number of modes, 1 to 32767.
	Modes() int
	// Reset takes the state z, which it must not keep.
	Reset(z []uint8) error
	// Flipped says that unit k has taken the value on, the opposite of what it had.
	Flipped(k int, on uint8)
	// Label is the mode of the present state, 0..Modes−1, or −1 if it is in none. It is
	// asked only for states that last some time.
	Label() int
}

// LabelFunc calls f, the mode of state z or −1, anew for every state that lasts some time;
// f must not keep or change z.
func LabelFunc(modes int, f func(z []uint8) int) Labels { return &labelFunc{modes: modes, f: f} }

type labelFunc struct {
	modes int
	f     func(z []uint8) int
	z     []uint8
}

func (l *labelFunc) Modes() int { return l.modes }

func (l *labelFunc) Reset(z []uint8) error {
	if l.f == nil {
		return errors.New("estimate: label function is nil")
	}
	l.z = append(l.z[:0], z...)
	return nil
}

func (l *labelFunc) Flipped(k int, on uint8) { l.z[k] = on }

func (l *labelFunc) Label() int { return l.f(l.z) }

// Patterns are modes around given states: a state is in mode m if it differs from
// pattern m in at most radius units, and from no other in as few. A flip costs O(number
// of patterns).
func Patterns(patterns [][]uint8, radius int) (Labels, error) {
	if len(patterns) == 0 || len(patterns) > maxModes {
		return nil, fmt.Errorf("estimate: %d patterns: must be 1 to %d", len(patterns), maxModes)
	}
	n := len(patterns[0])
	if n == 0 {
		return nil, errors.New("estimate: pattern 0 has no units: must have at least one")
	}
	if radius < 0 {
		return nil, fmt.Errorf("estimate: radius = %d units: must be ≥ 0", radius)
	}
	l := &patternLabels{m: len(patterns), radius: radius, distance: make([]int, len(patterns)), bits: make([]uint8, n*len(patterns))}
	for m, p := range patterns {
		if err := sampling.CheckState(p, n); err != nil {
			return nil, fmt.Errorf("estimate: pattern %d: %w", m, err)
		}
		for k, on := range p {
			l.bits[k*l.m+m] = on
		}
	}
	return l, nil
}

type patternLabels struct {
	m, radius int
	bits      []uint8 // [unit·m + pattern]
	distance  []int   // of the state to every pattern
}

func (l *patternLabels) Modes() int { return l.m }

func (l *patternLabels) Reset(z []uint8) error {
	if err := sampling.CheckState(z, len(l.bits)/l.m); err != nil {
		return fmt.Errorf("estimate: patterns: %w", err)
	}
	clear(l.distance)
	for k, on := range z {
		for m, bit := range l.bits[k*l.m : (k+1)*l.m] {
			l.distance[m] += int(on ^ bit)
		}
	}
	return nil
}

func (l *patternLabels) Flipped(k int, on uint8) {
	for m, bit := range l.bits[k*l.m : (k+1)*l.m] {
		l.distance[m] += 2*int(on^bit) - 1
	}
}

func (l *patternLabels) Label() int {
	label, least, tie := -1, l.radius+1, false
	for m, d := range l.distance {
		if d < least {
			label, least, tie = m, d, false
		} else if d == least {
			tie = true
		}
	}
	if tie {
		return -1
	}
	return label
}

// Groups are modes of competing groups of units, as of a winner-take-all machine: a state
// is in mode g if group g has at least most units on and every other group at most rest of
// its own. Groups must not overlap, and rest must be less than most. A flip costs O(1).
func Groups(groups [][]int, most, rest int) (Labels, error) {
	if len(groups) == 0 || len(groups) > maxModes {
		return nil, fmt.Errorf("estimate: %d groups: must be 1 to %d", len(groups), maxModes)
	}
	if rest < 0 || most <= rest {
		return nil, fmt.Errorf("estimate: groups with most = %d, rest = %d units on: must be 0 ≤ rest < most", most, rest)
	}
	all := slices.Concat(groups...)
	if err := checkUnits(all); err != nil {
		return nil, fmt.Errorf("%w (of all groups together)", err)
	}
	l := &groupLabels{most: most, rest: rest, on: make([]int, len(groups))}
	for g, units := range groups {
		if len(units) < most {
			return nil, fmt.Errorf("estimate: group %d has %d units: must have at least most = %d", g, len(units), most)
		}
		for _, k := range units {
			for len(l.group) <= k {
				l.group = append(l.group, -1)
			}
			l.group[k] = int32(g)
		}
	}
	return l, nil
}

type groupLabels struct {
	most, rest int
	group      []int32 // of every unit up to the last in a group, −1: in none
	on         []int   // units on, by group
	above      int     // groups with more than rest units on
}

func (l *groupLabels) Modes() int { return len(l.on) }

func (l *groupLabels) Reset(z []uint8) error {
	if len(z) < len(l.group) {
		return fmt.Errorf("estimate: groups list unit %d: the state has %d units", len(l.group)-1, len(z))
	}
	clear(l.on)
	l.above = 0
	for k, on := range z {
		if on == 1 {
			l.Flipped(k, 1)
		}
	}
	return nil
}

func (l *groupLabels) Flipped(k int, on uint8) {
	if k >= len(l.group) || l.group[k] < 0 {
		return
	}
	n := &l.on[l.group[k]]
	if on == 1 {
		if *n++; *n == l.rest+1 {
			l.above++
		}
	} else {
		if *n--; *n == l.rest {
			l.above--
		}
	}
}

func (l *groupLabels) Label() int {
	if l.above != 1 {
		return -1
	}
	for g, n := range l.on {
		if n >= l.most {
			return g
		}
	}
	return -1
}
