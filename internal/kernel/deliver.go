package kernel

import "unsafe"

// Deliver describes spikes to deliver at once: J += Σ_i F[i]·row(Unit[i]), added in that
// order.
type Deliver struct {
	J      *float32
	Rows   unsafe.Pointer // weights, float32 or int16: row u begins at byte u·Stride
	Unit   *int32         // rows, N of them
	F      *float32       // factor of each
	Groups int64          // length of J and of a row, in groups of 16
	N      int64          // spikes, ≥ 1
	Stride int64          // bytes from one row to the next
}

// Deliver adds the spikes of d, with weights in float32.
func (p Path) Deliver(d *Deliver) {
	switch p {
	case AVX512:
		deliverAVX512(d)
	case AVX2:
		deliverAVX2(d)
	default:
		deliverPortable[float32](d)
	}
}

// DeliverFixed is Deliver with weights in int16.
func (p Path) DeliverFixed(d *Deliver) {
	switch p {
	case AVX512:
		deliverFixedAVX512(d)
	case AVX2:
		deliverFixedAVX2(d)
	default:
		deliverPortable[int16](d)
	}
}

func deliverPortable[T float32 | int16](d *Deliver) {
	n := int(d.Groups) * Group
	j := unsafe.Slice(d.J, n)
	unit, f := unsafe.Slice(d.Unit, d.N), unsafe.Slice(d.F, d.N)
	for i, u := range unit {
		row := unsafe.Slice((*T)(unsafe.Add(d.Rows, int64(u)*d.Stride)), n)
		x := f[i]
		for k, w := range row {
			j[k] += float32(x * float32(w))
		}
	}
}
