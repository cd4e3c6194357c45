package data

// taps are the weights of one output entry of a resize: of inputs from, from+1, ….
type taps struct {
	from   int
	weight []float64 // sum 1
	fixed  []int     // the same in units of 2^-22, rounded
}

// fixedBits are the bits after the point of weights for bytes, as many as Pillow has.
const fixedBits = 22

// triangle returns the weights that resize in entries to out: a triangle around the
// centre of each output, of half-width 1 input when growing and in/out inputs when
// shrinking, so that every input counts (Pillow, Resample.c, bilinear).
func triangle(in, out int) []taps {
	scale := float64(in) / float64(out)
	width := max(scale, 1)
	all := make([]taps, out)
	for k := range all {
		centre := (float64(k) + 0.5) * scale
		from := max(0, int(centre-width+0.5))
		to := min(in, int(centre+width+0.5))
		t := taps{from, make([]float64, to-from), make([]int, to-from)}
		sum := 0.0
		for j := range t.weight {
			d := (float64(j+from) - centre + 0.5) * (1 / width)
			t.weight[j] = max(0, 1-max(d, -d))
			sum += t.weight[j]
		}
		for j := range t.weight {
			t.weight[j] /= sum
			t.fixed[j] = int(0.5 + t.weight[j]*(1<<fixedBits))
		}
		all[k] = t
	}
	return all
}

// byBytes is the weighted sum of every stride-th byte, rounded.
func (t *taps) byBytes(x []uint8, stride int) uint8 {
	sum := 1 << (fixedBits - 1)
	for j, w := range t.fixed {
		sum += w * int(x[(t.from+j)*stride])
	}
	return uint8(min(sum>>fixedBits, 255))
}

// byValues is the weighted sum of every stride-th value.
func (t *taps) byValues(x []float32, stride int) float32 {
	sum := 0.0
	for j, w := range t.weight {
		sum += w * float64(x[(t.from+j)*stride])
	}
	return float32(sum)
}

// Resize returns images of another size, antialiased bilinear: every output pixel is a
// mean of input pixels with weights that fall linearly with the distance, first along
// rows, then along columns. Bytes are rounded after each of the two, and come out exactly
// as from Pillow's Image.resize with BILINEAR.
func (s *Set) Resize(rows, cols int) (*Set, error) {
	if err := s.sizes(); err != nil {
		return nil, err
	}
	t := s.like(rows, cols, s.Channels)
	if err := t.fits(); err != nil {
		return nil, err
	}
	if err := (&Set{Rows: s.Rows, Cols: cols, Channels: s.Channels}).fits(); err != nil {
		return nil, err // of what is between the passes
	}
	if s.Bytes != nil {
		t.Bytes = resize(s, t, s.Bytes, (*taps).byBytes)
	} else {
		t.Values = resize(s, t, s.Values, (*taps).byValues)
	}
	return t, nil
}

func resize[T uint8 | float32](s, t *Set, x []T, mean func(*taps, []T, int) T) []T {
	across, down := triangle(s.Cols, t.Cols), triangle(s.Rows, t.Rows)
	in, width := s.Cols*s.Channels, t.Cols*t.Channels
	y, mid := make([]T, t.N*t.Dim()), make([]T, s.Rows*width)
	for i := range t.N {
		for r := range s.Rows {
			src := x[(i*s.Rows+r)*in : (i*s.Rows+r+1)*in]
			for c := range across {
				for h := range s.Channels {
					mid[r*width+c*s.Channels+h] = mean(&across[c], src[h:], s.Channels)
				}
			}
		}
		dst := y[i*t.Dim() : (i+1)*t.Dim()]
		for r := range down {
			for c := range width {
				dst[r*width+c] = mean(&down[r], mid[c:], width)
			}
		}
	}
	return y
}
