package gibbskernel

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s"

//go:noescape
func drawAVX2(d *Draw)

//go:noescape
func drawOffsetAVX2(d *Draw)

//go:noescape
func thresholdsAVX2(d *Draw)

//go:noescape
func rowsAVX2(r *Rows)

//go:noescape
func listAVX2(l *List)

//go:noescape
func scanAVX2(s *Scan)

//go:noescape
func lanesAVX2(l *Lanes)

//go:noescape
func softplusAVX2(s *Softplus)

//go:noescape
func sumAVX2(s *Sum)

//go:noescape
func scatterAVX2(s *Scatter)

//go:noescape
func sigmoidAVX2(s *Sigmoid)

//go:noescape
func fixedAVX2(f *Fixed)

//go:noescape
func learnAVX2(l *Learn)

//go:noescape
func turnAVX2(t *Turn)
