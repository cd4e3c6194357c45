package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

// matrix holds the weights of all senders in the layout in which they are delivered
// fastest. Senders whose targets are in the same groups of 16 form a class with dense rows
// over those groups: one class if all are connected, one a layer in a layered network.
// Senders with few targets have a list of them instead.
type matrix struct {
	class             []int32 // of every sender; list: its targets are listed
	index             []int32 // row in the class, or in start
	classes           []class
	start             []int
	to                []int32
	w                 []float32
	rows              []int32 // for spikes delivered at once
	factors, factorsI []float32
}

const list = -1

// largest is the largest weight, such that sums of many do not overflow.
const largest = 1e30

// class are dense rows over parts of the units.
type class struct {
	parts  []part
	stride int64
	scale  float32 // of the weights if they are integers
	f      []float32
	i      []int16
}

type part struct {
	group, groups int64
	offset        int64 // in the row, in weights
}

// gap is how many empty groups a part may span: adding zeros is cheaper than another part.
const gap = 2

// rows are the synapses of n senders, as a matrix or a list.
type rows struct {
	n      int
	matrix []float64
	list   *Sparse
}

func (r *rows) row(i int, f func(k int, w float64)) {
	if r.list != nil {
		r.list.row(i, f)
		return
	}
	for k, w := range r.matrix[i*r.n:][:r.n] {
		if w != 0 {
			f(k, w)
		}
	}
}

// units says how a weight onto a unit becomes the engine's number: times pos or neg by its
// sign, then to a multiple of grid unless that is 0.
type units struct {
	pos, neg []float64
	grid     float64
}

func newUnits(n int) units { return units{pos: make([]float64, n), neg: make([]float64, n)} }

func (u *units) value(k int, w float64) float64 {
	if w < 0 {
		w *= u.neg[k]
	} else {
		w *= u.pos[k]
	}
	if u.grid != 0 {
		w = math.Round(w/u.grid) * u.grid
	}
	return w
}

// newMatrix lays out synapses, dense or sparse, in the engine's numbers. step, if not nil,
// makes dense ones integers: it turns the largest weight of a class into the value of one.
func newMatrix(c rows, u units, step func(most float64) float64) (*matrix, error) {
	m := &matrix{class: make([]int32, c.n), index: make([]int32, c.n), start: []int{0},
		rows: make([]int32, 0, c.n), factors: make([]float32, 0, c.n), factorsI: make([]float32, 0, c.n)}
	// First the classes, then their rows, so that memory is taken once.
	groups := (c.n + kernel.Group - 1) / kernel.Group
	taken := make([]bool, groups)
	byKey := map[string]int32{}
	var key []byte
	var sizes []int
	var most []float64
	for i := range c.n {
		parts, count, total := c.parts(i, taken)
		if int64(count)*8 < total*kernel.Group {
			m.class[i] = list
			continue
		}
		key = key[:0]
		for _, p := range parts {
			key = binary.AppendVarint(binary.AppendVarint(key, p.group), p.groups)
		}
		id, ok := byKey[string(key)]
		if !ok {
			id = int32(len(m.classes))
			byKey[string(key)] = id
			m.classes = append(m.classes, class{parts: parts, stride: total * kernel.Group, scale: 1})
			sizes, most = append(sizes, 0), append(most, 0)
		}
		m.class[i], m.index[i] = id, int32(sizes[id])
		sizes[id]++
		if step != nil {
			c.row(i, func(k int, w float64) { most[id] = math.Max(most[id], math.Abs(u.value(k, w))) })
		}
	}
	for id := range m.classes {
		cls := &m.classes[id]
		length := sizes[id] * int(cls.stride)
		if step != nil {
			cls.scale = float32(step(most[id]))
			cls.i = make([]int16, length)
		} else {
			cls.f = make([]float32, length)
		}
	}
	for i := range c.n {
		if err := m.fill(c, &u, i); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// parts are the groups of 16 in which sender i has targets, with the gaps that are not
// worth another part, and the count of its synapses and of the groups. taken is room.
func (c *rows) parts(i int, taken []bool) (parts []part, count int, total int64) {
	clear(taken)
	if c.list != nil {
		c.row(i, func(k int, _ float64) {
			taken[k/kernel.Group] = true
			count++
		})
	} else {
		for g := range taken {
			before := count
			for _, w := range c.matrix[i*c.n:][g*kernel.Group : min((g+1)*kernel.Group, c.n)] {
				b := math.Float64bits(w) << 1
				count += int((b | -b) >> 63) // 1 if w is not 0, without a branch
			}
			taken[g] = count > before
		}
	}
	for g, t := range taken {
		if !t {
			continue
		}
		if n := len(parts); n > 0 && int64(g) <= parts[n-1].group+parts[n-1].groups+gap {
			total += int64(g) + 1 - parts[n-1].group - parts[n-1].groups
			parts[n-1].groups = int64(g) + 1 - parts[n-1].group
		} else {
			parts = append(parts, part{int64(g), 1, total * kernel.Group})
			total++
		}
	}
	return parts, count, total
}

// fill lays out the row of sender i.
func (m *matrix) fill(c rows, u *units, i int) error {
	var err error
	check := func(k int, w, x float64) {
		if !(math.Abs(x) <= largest) {
			err = fmt.Errorf("weight %v from neuron %d to %d: overflows single precision", w, i, k)
		}
	}
	if m.class[i] == list {
		m.index[i] = int32(len(m.start) - 1)
		c.row(i, func(k int, w float64) {
			x := u.value(k, w)
			check(k, w, x)
			m.to, m.w = append(m.to, int32(k)), append(m.w, float32(x))
		})
		m.start = append(m.start, len(m.to))
		return err
	}
	cls := &m.classes[m.class[i]]
	from := int64(m.index[i]) * cls.stride
	if c.list == nil && cls.f != nil && u.grid == 0 { // the usual case without calls
		for _, p := range cls.parts {
			first := int(p.group * kernel.Group)
			w := c.matrix[i*c.n:][first:min(first+int(p.groups*kernel.Group), c.n)]
			scales := [2][]float64{u.pos[first:][:len(w)], u.neg[first:][:len(w)]}
			to := cls.f[from+p.offset:][:len(w)]
			most := 0.0
			for k, x := range w {
				x *= scales[math.Float64bits(x)>>63][k] // signs are random: no branch
				most = max(most, math.Abs(x))
				to[k] = float32(x)
			}
			if !(most <= largest) {
				for k, x := range w {
					check(first+k, x, u.value(first+k, x))
				}
			}
		}
		return err
	}
	at := 0 // part of the current target
	c.row(i, func(k int, w float64) {
		x := u.value(k, w)
		check(k, w, x)
		for int64(k) >= (cls.parts[at].group+cls.parts[at].groups)*kernel.Group {
			at++
		}
		p := cls.parts[at]
		to := from + p.offset + int64(k) - p.group*kernel.Group
		if cls.i != nil {
			cls.i[to] = int16(math.Round(x / float64(cls.scale)))
		} else {
			cls.f[to] = float32(x)
		}
	})
	return err
}

// deliver adds f[i] times the row of sender[i] to j, for senders in ascending order. If
// ji is not nil, negative weights go there as magnitudes times fi[i].
func (m *matrix) deliver(path kernel.Path, j, ji []float32, sender []int32, f, fi []float32) {
	for i := 0; i < len(sender); {
		id := m.class[sender[i]]
		if id == list {
			m.deliverList(j, ji, sender[i], f[i], fi[i])
			i++
			continue
		}
		cls := &m.classes[id]
		m.rows, m.factors, m.factorsI = m.rows[:0], m.factors[:0], m.factorsI[:0]
		for ; i < len(sender) && m.class[sender[i]] == id; i++ {
			m.rows = append(m.rows, m.index[sender[i]])
			m.factors, m.factorsI = append(m.factors, f[i]*cls.scale), append(m.factorsI, fi[i]*cls.scale)
		}
		d := kernel.Deliver{Unit: &m.rows[0], F: &m.factors[0], FI: &m.factorsI[0], N: int64(len(m.rows))}
		for _, p := range cls.parts {
			d.J, d.Groups = &j[p.group*kernel.Group], p.groups
			if ji != nil {
				d.JI = &ji[p.group*kernel.Group]
			}
			if cls.i != nil {
				d.Rows, d.Stride = unsafe.Pointer(&cls.i[p.offset]), 2*cls.stride
			} else {
				d.Rows, d.Stride = unsafe.Pointer(&cls.f[p.offset]), 4*cls.stride
			}
			switch {
			case cls.i != nil && ji != nil:
				path.DeliverApartFixed(&d)
			case cls.i != nil:
				path.DeliverFixed(&d)
			case ji != nil:
				path.DeliverApart(&d)
			default:
				path.Deliver(&d)
			}
		}
	}
}

func (m *matrix) deliverList(j, ji []float32, sender int32, f, fi float32) {
	from := m.index[sender]
	to := m.to[m.start[from]:m.start[from+1]]
	w := m.w[m.start[from]:][:len(to)]
	for k, t := range to {
		if ji != nil && w[k] < 0 {
			ji[t] -= float32(fi * w[k])
		} else {
			j[t] += float32(f * w[k])
		}
	}
}
