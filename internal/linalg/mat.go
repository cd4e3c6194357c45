package linalg

// Float is the precision of a matrix.
type Float interface{ float32 | float64 }

// Mat is a matrix by rows: element (i, j) is Data[i·Stride + j].
type Mat[F Float] struct {
	Rows, Cols, Stride int
	Data               []F
}

// NewMat returns a matrix of zeros.
func NewMat[F Float](rows, cols int) Mat[F] {
	return Mat[F]{Rows: rows, Cols: cols, Stride: cols, Data: make([]F, rows*cols)}
}

// Row is row i, of length Cols.
func (m Mat[F]) Row(i int) []F { return m.Data[i*m.Stride : i*m.Stride+m.Cols : i*m.Stride+m.Cols] }

// Slice is rows i to k−1, the same memory.
func (m Mat[F]) Slice(i, k int) Mat[F] {
	if i < 0 || k < i || k > m.Rows {
		panic("linalg: Slice: rows out of range")
	}
	if i == k {
		return Mat[F]{Cols: m.Cols, Stride: m.Stride}
	}
	return Mat[F]{Rows: k - i, Cols: m.Cols, Stride: m.Stride, Data: m.Data[i*m.Stride : (k-1)*m.Stride+m.Cols]}
}

func (m Mat[F]) check() {
	if m.Rows < 0 || m.Cols < 0 || m.Stride < m.Cols || m.Rows > 0 && m.Cols > 0 && len(m.Data) < (m.Rows-1)*m.Stride+m.Cols {
		panic("linalg: matrix with too little memory for its shape")
	}
}
