package latent

import "github.com/spikesampling/spikesampling/internal/linalg"

// synapses are the weights of a layer and what they do to a batch. Of a convolution there is
// one row for every channel, over the Kernel×Kernel×channels places that a neuron sees.
type synapses[F linalg.Float] struct {
	w      linalg.Mat[F] // out × in, or channels × patch
	b      []F           // of every neuron, or channel
	fb     linalg.Mat[F] // fixed feedback weights, of the shape of w; no rows if Wᵀ is used
	kernel int           // 0: fully connected
	in     shape         // of the layer below, as this one sees it
	out    shape
}

// patches are the inputs of a convolution by rows, one for every neuron of a map.
func (s *synapses[F]) patches(batch int) int { return batch * s.out.rows * s.out.cols }

// gather writes what every neuron of a convolution sees.
func (s *synapses[F]) gather(team *linalg.Team, col linalg.Mat[F], x []F) {
	k, c := s.kernel, s.in.channels
	perRow := s.out.cols
	team.Do(col.Rows/perRow, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			img, row := i/s.out.rows, i%s.out.rows
			base := x[img*s.in.size():]
			for q := range perRow {
				dst := col.Row(i*perRow + q)
				for y := range k {
					src := base[((row+y)*s.in.cols+q)*c:][:k*c]
					copy(dst[y*k*c:(y+1)*k*c], src)
				}
			}
		}
	})
}

// scatter adds up in x what belongs to each place: the transpose of gather.
func (s *synapses[F]) scatter(team *linalg.Team, x []F, col linalg.Mat[F]) {
	k, c := s.kernel, s.in.channels
	size := s.in.size()
	team.Do(len(x)/size, 1, func(lo, hi int) {
		clear(x[lo*size : hi*size])
		for img := lo; img < hi; img++ {
			base := x[img*size : (img+1)*size]
			for p := range s.out.rows * s.out.cols {
				row, q := p/s.out.cols, p%s.out.cols
				src := col.Row(img*s.out.rows*s.out.cols + p)
				for y := range k {
					dst := base[((row+y)*s.in.cols+q)*c:][:k*c]
					for i, v := range src[y*k*c : (y+1)*k*c] {
						dst[i] += v
					}
				}
			}
		}
	})
}

// forward writes W r to drive; col is the scratch memory of a convolution, and afterwards what
// update needs.
func (s *synapses[F]) forward(team *linalg.Team, drive, r []F, batch int, col linalg.Mat[F]) {
	if s.kernel > 0 {
		s.gather(team, col, r)
		linalg.Gemm(team, false, true, 1, col, s.w, 0, matrix(drive, s.patches(batch), s.out.channels))
		return
	}
	linalg.Gemm(team, false, true, 1, matrix(r, batch, s.in.size()), s.w, 0, matrix(drive, batch, s.out.size()))
}

// backward writes Wᵀe, or what fixed feedback weights make of e, to back. It overwrites col.
func (s *synapses[F]) backward(team *linalg.Team, back, e []F, batch int, col linalg.Mat[F]) {
	w := s.w
	if s.fb.Rows > 0 {
		w = s.fb
	}
	if s.kernel > 0 {
		linalg.Gemm(team, false, false, 1, matrix(e, s.patches(batch), s.out.channels), w, 0, col)
		s.scatter(team, back, col)
		return
	}
	linalg.Gemm(team, false, false, 1, matrix(e, batch, s.out.size()), w, 0, matrix(back, batch, s.in.size()))
}

// update is W += eta ⟨e rᵀ⟩, b += eta ⟨e⟩ over the batch. Of a convolution the change of a
// weight is summed over the places of the map, that of a bias is their mean. col is what
// forward left there.
func (s *synapses[F]) update(team *linalg.Team, eta F, e, r []F, batch int, col linalg.Mat[F]) {
	eta /= F(batch)
	if s.kernel > 0 {
		places := s.out.rows * s.out.cols
		em := matrix(e, s.patches(batch), s.out.channels)
		linalg.Gemm(team, true, false, eta, em, col, 1, s.w)
		linalg.SumRows(eta/F(places), em, 1, s.b)
		return
	}
	em := matrix(e, batch, s.out.size())
	linalg.Gemm(team, true, false, eta, em, matrix(r, batch, s.in.size()), 1, s.w)
	linalg.SumRows(eta, em, 1, s.b)
}

// addBias adds b to rows of drive.
func (s *synapses[F]) addBias(drive []F) {
	n := len(s.b)
	for ; len(drive) >= n; drive = drive[n:] {
		for j, v := range s.b {
			drive[j] += v
		}
	}
}

func matrix[F linalg.Float](x []F, rows, cols int) linalg.Mat[F] {
	return linalg.Mat[F]{Rows: rows, Cols: cols, Stride: cols, Data: x}
}

// pool writes the largest of every p×p rates of a map to dst, and where it is to at.
func pool[F linalg.Float](dst []F, at []int32, r []F, s shape, p int) {
	rows, cols, c := s.rows/p, s.cols/p, s.channels
	n := rows * cols * c
	for img := 0; img*n < len(dst); img++ {
		base := img * s.size()
		for i := range rows {
			for j := range cols {
				for h := range c {
					first := base + (i*p*s.cols+j*p)*c + h
					best, where := r[first], first
					for y := range p {
						for x := range p {
							if k := first + (y*s.cols+x)*c; r[k] > best {
								best, where = r[k], k
							}
						}
					}
					o := img*n + (i*cols+j)*c + h
					dst[o], at[o] = best, int32(where)
				}
			}
		}
	}
}

// unpool puts every error where the largest rate was.
func unpool[F linalg.Float](dst, e []F, at []int32) {
	clear(dst)
	for o, k := range at {
		dst[k] += e[o]
	}
}
