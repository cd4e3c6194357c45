package kernel

import "unsafe"

// Deliver describes spikes to deliver at once: J += Σ_i F[i]·row(Unit[i]), added in that
// order. If the signs are apart, the positive part of the row goes to J and the negative
// one, as a magnitude and times FI, to JI.
type Deliver struct {
	J      *float32
	Rows   unsafe.Pointer // weights, float32 or int16: row u begins at byte u·Stride
	Unit   *int32         // rows, N of them
	F      *float32       // factor of each
	Groups int64          // length of J and of a row, in groups of 16
	N      int64          // spikes, ≥ 1
	Stride int64          // bytes from one row to the next
	JI, FI *float32       // if the signs are apart
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

// DeliverApart is Deliver with the signs apart.
func (p Path) DeliverApart(d *Deliver) {
	switch p {
	case AVX512:
		deliverApartAVX512(d)
	case AVX2:
		deliverApartAVX2(d)
	default:
		deliverApartPortable[float32](d)
	}
}

// DeliverApartFixed is DeliverApart with weights in int16.
func (p Path) DeliverApartFixed(d *Deliver) {
	switch p {
	case AVX512:
		deliverApartFixedAVX512(d)
	case AVX2:
		deliverApartFixedAVX2(d)
	default:
		deliverApartPortable[int16](d)
	}
}

func deliverPortable[T float32 | int16](d *Deliver) {
	n := int(d.Groups) * Group
	unit, f := unsafe.Slice(d.Unit, d.N), unsafe.Slice(d.F, d.N)
	for i, u := range unit {
		row := unsafe.Slice((*T)(unsafe.Add(d.Rows, int64(u)*d.Stride)), n)
		j := unsafe.Slice(d.J, n)[:len(row)]
		x := f[i]
		for k, w := range row {
			j[k] += float32(x * float32(w))
		}
	}
}

// deliverApartPortable leaves out to add zeros: they change nothing that is not negative.
func deliverApartPortable[T float32 | int16](d *Deliver) {
	n := int(d.Groups) * Group
	unit, f, fi := unsafe.Slice(d.Unit, d.N), unsafe.Slice(d.F, d.N), unsafe.Slice(d.FI, d.N)
	for i, u := range unit {
		row := unsafe.Slice((*T)(unsafe.Add(d.Rows, int64(u)*d.Stride)), n)
		j, ji := unsafe.Slice(d.J, n)[:len(row)], unsafe.Slice(d.JI, n)[:len(row)]
		x, xi := f[i], fi[i]
		for k, w := range row {
			if w > 0 {
				j[k] += float32(x * float32(w))
			} else {
				ji[k] += float32(xi * -float32(w))
			}
		}
	}
}
