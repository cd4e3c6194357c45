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

// rows is the number of neurons of a batch that share weights: all of a map.
func (s *synapses[F]) rows(batch int) int { return batch * s.out.rows * s.out.cols }

// patches are what the neurons of a convolution see, a row for each.
type patches[F linalg.Float] struct {
	s   *synapses[F]
	col linalg.Mat[F]
	x   []F // the layer below

	gather, scatter func(lo, hi int) // made once, so that a step allocates nothing
}

// newPatches returns the patches of a batch; nil for a fully connected layer.
func (s *synapses[F]) newPatches(batch int) *patches[F] {
	if s.kernel == 0 {
		return nil
	}
	p := &patches[F]{s: s, col: linalg.NewMat[F](s.rows(batch), s.w.Cols)}
	p.gather, p.scatter = p.gatherRows, p.scatterImages
	return p
}

// gatherRows fills in the patches of some rows of neurons.
func (p *patches[F]) gatherRows(lo, hi int) {
	s := p.s
	n := s.kernel * s.in.channels
	for i := lo; i < hi; i++ {
		image, row := i/s.out.rows, i%s.out.rows
		for q := range s.out.cols {
			dst := p.col.Row(i*s.out.cols + q)
			for y := range s.kernel {
				copy(dst[y*n:(y+1)*n], p.x[image*s.in.size()+((row+y)*s.in.cols+q)*s.in.channels:])
			}
		}
	}
}

// scatterImages adds up at each place of some images what the patches have there: the transpose
// of gatherRows.
func (p *patches[F]) scatterImages(lo, hi int) {
	s := p.s
	n, size := s.kernel*s.in.channels, s.in.size()
	clear(p.x[lo*size : hi*size])
	for i := lo * s.out.rows; i < hi*s.out.rows; i++ {
		image, row := i/s.out.rows, i%s.out.rows
		for q := range s.out.cols {
			src := p.col.Row(i*s.out.cols + q)
			for y := range s.kernel {
				dst := p.x[image*size+((row+y)*s.in.cols+q)*s.in.channels:][:n]
				for k, v := range src[y*n : (y+1)*n] {
					dst[k] += v
				}
			}
		}
	}
}

// forward writes W r to drive. p is for a convolution, which leaves there what update needs.
func (s *synapses[F]) forward(team *linalg.Team, drive, r []F, batch int, p *patches[F]) {
	if p != nil {
		p.x = r
		team.Do(batch*s.out.rows, 16, p.gather)
		linalg.Gemm(team, false, true, 1, p.col, s.w, 0, matrix(drive, s.rows(batch), s.out.channels))
		return
	}
	linalg.Gemm(team, false, true, 1, matrix(r, batch, s.in.size()), s.w, 0, matrix(drive, batch, s.out.size()))
}

// backward writes Wᵀe, or what fixed feedback weights make of e, to back. It overwrites p.
func (s *synapses[F]) backward(team *linalg.Team, back, e []F, batch int, p *patches[F]) {
	w := s.w
	if s.fb.Rows > 0 {
		w = s.fb
	}
	if p != nil {
		linalg.Gemm(team, false, false, 1, matrix(e, s.rows(batch), s.out.channels), w, 0, p.col)
		p.x = back
		team.Do(batch, 1, p.scatter)
		return
	}
	linalg.Gemm(team, false, false, 1, matrix(e, batch, s.out.size()), w, 0, matrix(back, batch, s.in.size()))
}

// update is W += eta ⟨e rᵀ⟩, b += eta ⟨e⟩ over the batch. Of a convolution the change of a
// weight is summed over the places of the map, that of a bias is their mean. p is as
// forward left it.
func (s *synapses[F]) update(team *linalg.Team, eta F, e, r []F, batch int, p *patches[F]) {
	eta /= F(batch)
	if p != nil {
		places := s.out.rows * s.out.cols
		em := matrix(e, s.rows(batch), s.out.channels)
		linalg.Gemm(team, true, false, eta, em, p.col, 1, s.w)
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

// pool writes the largest of every p×p rates of a map of images lo to hi − 1 to dst, and where it is
// to at.
func pool[F linalg.Float](dst []F, at []int32, r []F, s shape, p, lo, hi int) {
	rows, cols, c := s.rows/p, s.cols/p, s.channels
	o := lo * rows * cols * c
	for image := lo; image < hi; image++ {
		base := image * s.size()
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
					dst[o], at[o] = best, int32(where)
					o++
				}
			}
		}
	}
}

// unpool puts every error of images lo to hi − 1 where the largest rate was: size is that of a map
// before, seen of one after pooling.
func unpool[F linalg.Float](dst, e []F, at []int32, size, seen, lo, hi int) {
	clear(dst[lo*size : hi*size])
	for o := lo * seen; o < hi*seen; o++ {
		dst[at[o]] += e[o]
	}
}
