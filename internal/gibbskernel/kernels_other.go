//go:build !amd64

package gibbskernel

import "github.com/spikesampling/spikesampling/internal/kernel"

// kernel.Paths has nothing but Portable here.
func drawAVX2(d *Draw)         { d.Run(kernel.Portable) }
func drawOffsetAVX2(d *Draw)   { d.Run(kernel.Portable) }
func thresholdsAVX2(d *Draw)   { panic("gibbskernel: no assembly") }
func rowsAVX2(r *Rows)         { panic("gibbskernel: no assembly") }
func listAVX2(l *List)         { l.Run(kernel.Portable) }
func scanAVX2(s *Scan)         { s.Run(kernel.Portable) }
func lanesAVX2(l *Lanes)       { l.Run(kernel.Portable) }
func softplusAVX2(s *Softplus) { s.Run(kernel.Portable) }
func sumAVX2(s *Sum)           { s.Run(kernel.Portable) }
func scatterAVX2(s *Scatter)   { s.Run(kernel.Portable) }
func sigmoidAVX2(s *Sigmoid)   { s.Run(kernel.Portable) }
func fixedAVX2(f *Fixed)       { f.Run(kernel.Portable) }
func learnAVX2(l *Learn)       { l.Run(kernel.Portable) }
func turnAVX2(t *Turn)         { t.Run(kernel.Portable) }
