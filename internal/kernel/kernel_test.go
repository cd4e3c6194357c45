package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

// TestOffsets compares the layout that the assembly assumes with the structs.
func TestOffsets(t *testing.T) {
	for _, c := range []struct {
		of   any
		want string // fields at these offsets, and the size
	}{
		{Block{}, "V 0 J 8 C 16 S 24 Ref 32 Ring 40 Groups 48 RingLen 56 Slot 64 Limit 72 Any 80 Columns 88 " +
			"A 96 P 128 Reset 160 W 192 Off 224 Thr 256 Alias 384 size 416"},
		{Conductance{}, "V 0 GE 8 GI 16 C 24 S 32 Ref 40 Ring 48 Groups 56 RingLen 64 Slot 72 Limit 80 Any 88 L 96 " +
			"PE 104 PI 136 Reset 168 RevE 200 RevI 232 WE 264 WI 296 Math 328 ThrE 648 ThrI 776 AliasE 904 AliasI 936 Columns 968 Near 976 size 984"},
		{General{}, "V 0 JE 8 JI 16 C 24 L 32 S 40 Units 48 Mask 56 Groups 64 Limit 72 Any 80 Math 88 " +
			"ThrE 408 ThrI 536 AliasE 664 AliasI 696 Columns 728 Near 736 size 744"},
		{Units{}, "A 0 PE 64 PI 128 WE 192 WI 256 Reset 320 RevE 384 RevI 448 Hold 512 Left 576 size 640"},
		{Deliver{}, "J 0 Rows 8 Unit 16 F 24 Groups 32 N 40 Stride 48 JI 56 FI 64 size 72"},
	} {
		typ := reflect.TypeOf(c.of)
		got := ""
		for i := range typ.NumField() {
			got += fmt.Sprintf("%s %d ", typ.Field(i).Name, typ.Field(i).Offset)
		}
		if got += fmt.Sprintf("size %d", typ.Size()); got != c.want {
			t.Errorf("%v is\n%s, the assembly reads\n%s", typ, got, c.want)
		}
	}
}

// network is a Block with its memory and a weight matrix.
type network struct {
	Block
	v, j, c, w, f []float32
	s             []uint64
	ref, ring     []byte
	unit          []int32
	n             int
}

const ringLen = 100

// skellam is the law of the difference of two Poisson counts of that mean.
func skellam(mean float64, outcomes int) []float64 {
	p := make([]float64, outcomes)
	pois := func(k int) float64 {
		l, _ := math.Lgamma(float64(k + 1))
		return math.Exp(-mean + float64(k)*math.Log(mean) - l)
	}
	sum := 0.0
	for i := range p {
		for k := range 40 {
			if d := k + i - outcomes/2; d >= 0 {
				p[i] += pois(k) * pois(d)
			}
		}
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func newNetwork(n int, mean float64, seed uint64) *network {
	groups := (n + Group - 1) / Group
	m := groups * Group
	x := &network{n: n, v: make([]float32, m), j: make([]float32, m), c: make([]float32, m), w: make([]float32, n*m),
		s: make([]uint64, m), ref: make([]byte, 2*groups), ring: make([]byte, 2*groups*ringLen),
		unit: make([]int32, 0, m), f: make([]float32, 0, m)}
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range x.s {
		x.s[i] = r.Uint64()
	}
	for k := range m {
		x.v[k] = -float32(r.Float64())
		if k >= n {
			x.ref[k/8] |= 1 << (k % 8)
			x.v[k] = -0.07 // refractory units are at Reset
		}
	}
	for i := range x.w {
		if i%m < n {
			x.w[i] = float32(0.05 * r.NormFloat64())
		}
	}
	x.V, x.J, x.C, x.S, x.Ref, x.Ring = &x.v[0], &x.j[0], &x.c[0], &x.s[0], &x.ref[0], &x.ring[0]
	x.Groups, x.RingLen = int64(groups), ringLen
	outcomes := 16
	if mean > 0.2 {
		outcomes = 32
	}
	x.A, x.P, x.Reset = All(float32(math.Exp(-0.1))), All(float32(math.Exp(-0.01))), All(-0.07)
	x.W, x.Off = All(0.05), All(-0.05*float32(outcomes)/2)
	x.SetNoise(skellam(mean, outcomes))
	return x
}

// spikes lists the units that spiked in the last step.
func (x *network) spikes() {
	slot := int(x.Slot) - 1
	if slot < 0 {
		slot = ringLen - 1
	}
	x.unit, x.f = x.unit[:0], x.f[:0]
	for k := range x.n {
		if x.ring[2*int(x.Groups)*slot+k/8]>>(k%8)&1 == 1 {
			x.unit = append(x.unit, int32(k))
			x.f = append(x.f, float32(k%7)/7)
		}
	}
}

// run does steps steps with immediate delivery and returns the number of spikes.
func (x *network) run(p Path, steps int) (count int) {
	for steps > 0 {
		x.Limit = int64(steps)
		p.Step(&x.Block)
		steps -= int(x.Limit)
		if x.Any == 0 {
			continue
		}
		x.spikes()
		count += len(x.unit)
		p.Deliver(&Deliver{J: &x.j[0], Rows: unsafe.Pointer(&x.w[0]), Unit: &x.unit[0], F: &x.f[0], Groups: x.Groups, N: int64(len(x.unit)), Stride: 64 * x.Groups})
	}
	return count
}

// TestBitIdentity: all paths give the same potentials, currents, refractory bits, ring and
// random streams after 20 000 steps.
func TestBitIdentity(t *testing.T) {
	for _, n := range []int{1, 7, 16, 112, 300, 1294} {
		for _, mean := range []float64{0.04, 0.5} {
			ref := newNetwork(n, mean, 1)
			count := ref.run(Portable, 20000)
			if count < n {
				t.Errorf("N=%d: %d spikes", n, count)
			}
			for _, p := range Paths()[1:] {
				x := newNetwork(n, mean, 1)
				if c := x.run(p, 20000); c != count {
					t.Errorf("N=%d, %v: %d spikes, portable %d", n, p, c, count)
				}
				for k := range x.v {
					if math.Float32bits(x.v[k]) != math.Float32bits(ref.v[k]) || math.Float32bits(x.j[k]) != math.Float32bits(ref.j[k]) {
						t.Fatalf("N=%d, %v: unit %d has v %v, j %v; portable %v, %v", n, p, k, x.v[k], x.j[k], ref.v[k], ref.j[k])
					}
				}
				for i := range x.s {
					if x.s[i] != ref.s[i] {
						t.Fatalf("N=%d, %v: another random stream", n, p)
					}
				}
				if string(x.ref) != string(ref.ref) || string(x.ring) != string(ref.ring) || x.Slot != ref.Slot {
					t.Fatalf("N=%d, %v: other refractory states", n, p)
				}
			}
		}
	}
}

// TestFloor: all paths do the same without noise, and go on where they stopped.
func TestFloor(t *testing.T) {
	run := func(p Path) (x *network, spikes int) {
		x = newNetwork(40, 0.04, 1)
		for k := range x.n {
			x.c[k] = 0.01 * float32(k%3-1)
		}
		for steps := int64(1000); steps > 0; steps -= x.Limit {
			x.Limit = steps
			p.Floor(&x.Block)
			if x.Any != 0 {
				x.spikes()
				spikes += len(x.unit)
			}
		}
		return x, spikes
	}
	want, count := run(Portable)
	if count < 13*9 || count > 13*10 { // those that are driven, every 101 steps once they are there
		t.Errorf("%d spikes", count)
	}
	for _, p := range Paths()[1:] {
		got, _ := run(p)
		if !slices.Equal(got.v, want.v) || !slices.Equal(got.j, want.j) || string(got.ring) != string(want.ring) || string(got.ref) != string(want.ref) || got.Slot != want.Slot {
			t.Errorf("%v: another state", p)
		}
	}
}

// TestNoiseTable: the law of the alias table, summed over all 2³² words, is that asked for.
func TestNoiseTable(t *testing.T) {
	for _, outcomes := range []int{16, 32} {
		for _, mean := range []float64{1e-4, 0.04, 0.1, 0.5, 1} {
			var b Block
			want := skellam(mean, outcomes)
			b.SetNoise(want)
			width := float64(1<<32) / float64(outcomes)
			got := make([]float64, outcomes)
			for col := range outcomes {
				own := (float64(uint32(b.Thr[col])) - float64(col)*width) / width
				got[col] += own / float64(outcomes)
				got[b.Alias[col]] += (1 - own) / float64(outcomes)
			}
			for i := range got {
				if math.Abs(got[i]-want[i]) > float64(outcomes)*math.Pow(2, -32) {
					t.Errorf("mean %v: p(%d) = %.12f, want %.12f", mean, i-outcomes/2, got[i], want[i])
				}
			}
		}
	}
}

// noise is the current that the random word r brings, as the documentation says.
func (b *Block) noise(r uint32) float32 {
	col := r >> 28
	if b.Columns == 32 {
		col = r >> 27
	}
	e := col
	if int32(r) >= b.Thr[col] {
		e = uint32(b.Alias[col])
	}
	return float32(float32(e)*b.W[0]) + b.Off[0]
}

// TestNoiseDraws: chi-square of draws against the law that was asked for, 1e8 draws at 400 Hz
// and 5 kHz (mean 0.04 and 0.5 a step and receptor). Cells with less than 10 expected
// draws are pooled; the bound is the mean plus 4.5 standard deviations of chi-square
// (false alarms: about 1e-4, chi-square being skewed).
func TestNoiseDraws(t *testing.T) {
	for _, c := range []struct {
		mean     float64
		outcomes int
	}{{0.04, 16}, {0.5, 32}} {
		var b Block
		law := skellam(c.mean, c.outcomes)
		b.SetNoise(law)
		b.W, b.Off = All(1), All(-float32(c.outcomes/2))
		const draws = 1e8
		count := make([]float64, c.outcomes)
		s0, s1 := uint64(0x9e3779b97f4a7c15), uint64(0x2545f4914f6cdd1d)
		for range int(draws / 2) {
			x := next(&s0, &s1)
			count[int(b.noise(uint32(x)))+c.outcomes/2]++
			count[int(b.noise(uint32(x>>32)))+c.outcomes/2]++
		}
		chi, cells, rest, restN := 0.0, 0.0, 0.0, 0.0
		for i, n := range count {
			e := law[i] * draws
			if e < 10 {
				rest, restN = rest+e, restN+n
				continue
			}
			chi += (n - e) * (n - e) / e
			cells++
		}
		if rest > 1 {
			chi += (restN - rest) * (restN - rest) / rest
			cells++
		}
		dof := cells - 1
		t.Logf("mean %v: chi-square %.1f, %v degrees of freedom", c.mean, chi, dof)
		if chi > dof+4.5*math.Sqrt(2*dof) {
			t.Errorf("mean %v: chi-square %.1f with %v degrees of freedom", c.mean, chi, dof)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, n := range []int{16, 112, 1008} {
		for _, p := range Paths() {
			b.Run(fmt.Sprintf("N=%d/%v", n, p), func(b *testing.B) {
				x := newNetwork(n, 0.04, 1)
				x.run(p, 1000)
				b.ReportAllocs()
				b.ResetTimer()
				x.run(p, b.N)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/neuron-step")
			})
		}
	}
}
