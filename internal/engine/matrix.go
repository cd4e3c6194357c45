package engine

import (
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

// newMatrix lays out the weights value(to, w) of a network's synapses. step, if not nil,
// makes dense ones integers: it turns the largest weight of a class into the value of one.
func newMatrix(c *Config, value func(to int, w float64) float64, step func(most float64) float64) (*matrix, error) {
	m := &matrix{class: make([]int32, c.N), index: make([]int32, c.N), start: []int{0},
		rows: make([]int32, 0, c.N), factors: make([]float32, 0, c.N), factorsI: make([]float32, 0, c.N)}
	groups := (c.N + kernel.Group - 1) / kernel.Group
	row := make([]float64, groups*kernel.Group)
	byKey := map[string]int32{}
	load := func(i int) (count int, err error) {
		clear(row)
		c.row(i, func(k int, w float64) {
			if row[k] = value(k, w); row[k] != 0 {
				count++
			}
			if !(math.Abs(row[k]) <= largest) {
				err = fmt.Errorf("weight %v from neuron %d to %d: overflows single precision", w, i, k)
			}
		})
		return count, err
	}
	// First the classes, then their rows, so that memory is taken once.
	var sizes []int
	var most []float64
	for i := range c.N {
		count, err := load(i)
		if err != nil {
			return nil, err
		}
		var parts []part
		total := int64(0)
		for g := range groups {
			any := false
			for _, w := range row[g*kernel.Group:][:kernel.Group] {
				any = any || w != 0
			}
			if !any {
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
		if int64(count)*8 < total*kernel.Group {
			m.class[i] = list
			continue
		}
		key := make([]byte, 0, 16*len(parts))
		for _, p := range parts {
			for _, x := range []int64{p.group, p.groups} {
				key = append(key, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
			}
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
		for _, w := range row {
			most[id] = math.Max(most[id], math.Abs(w))
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
	for i := range c.N {
		_, _ = load(i) // had no error before
		if m.class[i] == list {
			m.index[i] = int32(len(m.start) - 1)
			for k, w := range row {
				if w != 0 {
					m.to, m.w = append(m.to, int32(k)), append(m.w, float32(w))
				}
			}
			m.start = append(m.start, len(m.to))
			continue
		}
		cls := &m.classes[m.class[i]]
		from := int64(m.index[i]) * cls.stride
		for _, p := range cls.parts {
			for x := range p.groups * kernel.Group {
				w, at := row[p.group*kernel.Group+x], from+p.offset+x
				if cls.i != nil {
					cls.i[at] = int16(math.Round(w / float64(cls.scale)))
				} else {
					cls.f[at] = float32(w)
				}
			}
		}
	}
	return m, nil
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
