package gibbskernel

import (
	"math"
	"unsafe"

	"github.com/spikesampling/spikesampling/internal/kernel"
)

const (
	Group     = 16        // units that arrays are padded to
	MaxWeight = 1<<14 - 1 // largest weight on the grid
	MaxField  = 1 << 26   // fields are smaller
	Never     = -1 << 31  // field of a padding unit, below every threshold
)

// log2((1+s)/(1−s))/s as a polynomial in s², for |s| ≤ 0.2 to a relative 3.1e-7. It and ℓ
// are multiplied by 2²³, the unit of exponents.
const (
	c0 = 2.8853909487511458 * (1 << 23)
	c1 = 0.9614076216994984 * (1 << 23)
	c2 = 0.6027319416799416 * (1 << 23)
)

// logOdds is 2²³|ℓ|.
func logOdds(w uint32) float32 {
	v := float32(int32(w&(1<<31-1))) + 0.5 // u in units of 2⁻³²
	a := 1<<32 - v
	// a/v = 2^e (1+s)/(1−s): e by the exponents, rounded.
	bits := int32(math.Float32bits(v))
	e := (int32(math.Float32bits(a)) - bits + 1<<22) &^ (1<<23 - 1)
	v = math.Float32frombits(uint32(bits + e))
	s := (a - v) / (a + v)
	q := float32(s * s)
	l := float32(q*c2) + c1
	l = float32(l*q) + c0
	return float32(l*s) + float32(e)
}

// Threshold is the field above which a unit that draws w is on.
func Threshold(w uint32, inv float32) int32 {
	r := min(float32(logOdds(w)*inv), 1<<30)
	return int32(r) ^ int32(w)>>31
}

// OffsetThreshold is Threshold with offset o, 2²³ times that of the log odds in base 2.
func OffsetThreshold(w uint32, o, inv float32) int32 {
	l := math.Float32frombits(math.Float32bits(logOdds(w)) ^ w&(1<<31))
	r := float32((l - o) * inv)
	r = max(min(r, 1<<30), -1<<30)
	return int32(math.Floor(float64(r)))
}

// Offset is the offset of log odds u [nats].
func Offset(u float64) float32 { return float32(u * ((1 << 23) / math.Ln2)) }

// Inverse is inv of inverse temperature beta on grid g.
func Inverse(beta, g float64) float32 {
	return float32(max(1e-36, min(1e28, math.Ln2/(1<<23)/(beta*g))))
}

// Streams are the random generators of a chain.
type Streams [16]uint64

// Seed takes the generators' states from next.
func (s *Streams) Seed(next func() uint64) {
	for i := range s {
		s[i] = next()
	}
	for i := range 8 {
		if s[i] == 0 && s[i+8] == 0 { // the one state that stays what it is
			s[i] = 1
		}
	}
}

// Words draws the words of a group.
func (s *Streams) Words(w *[Group]uint32) {
	for i := range 8 {
		s0, s1 := s[i], s[i+8]
		r := s0 + s1
		s1 ^= s0
		s[i] = (s0<<24 | s0>>40) ^ s1 ^ s1<<16
		s[i+8] = s1<<37 | s1>>27
		w[2*i], w[2*i+1] = uint32(r), uint32(r>>32)
	}
}

// Draw describes the independent draw of a layer of units.
type Draw struct {
	X      *int32   // fields, 16·Groups
	O      *float32 // offsets, 16·Groups; nil for none
	Z      *uint64  // out: a bit per unit, four groups a word
	S      *Streams
	Groups int64
	Inv    float32
}

// Run draws the units. The bits of a last word that is not full stay what they are.
func (d *Draw) Run(p kernel.Path) {
	switch {
	case p != kernel.Portable && d.O == nil:
		drawAVX2(d)
		return
	case p != kernel.Portable:
		drawOffsetAVX2(d)
		return
	}
	groups := int(d.Groups)
	x, z := unsafe.Slice(d.X, Group*groups), unsafe.Slice(d.Z, (groups+3)/4)
	var o []float32
	if d.O != nil {
		o = unsafe.Slice(d.O, Group*groups)
	}
	var w [Group]uint32
	for g := range groups {
		d.S.Words(&w)
		bits := uint64(0)
		for i, r := range w {
			var t int32
			if o == nil {
				t = Threshold(r, d.Inv)
			} else {
				t = OffsetThreshold(r, o[Group*g+i], d.Inv)
			}
			if x[Group*g+i] > t {
				bits |= 1 << i
			}
		}
		shift := 16 * (g % 4)
		z[g/4] = z[g/4]&^(0xffff<<shift) | bits<<shift
	}
}

// Thresholds draws the thresholds of groups of units to t.
func Thresholds(p kernel.Path, t []int32, s *Streams, inv float32) {
	if p != kernel.Portable {
		d := Draw{X: &t[0], S: s, Groups: int64(len(t) / Group), Inv: inv}
		thresholdsAVX2(&d)
		return
	}
	var w [Group]uint32
	for ; len(t) >= Group; t = t[Group:] {
		s.Words(&w)
		for i, r := range w {
			t[i] = Threshold(r, inv)
		}
	}
}
