package kernel

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd gen && go run . -out ../kernel_amd64.s"

var hasAVX2 = cpu.X86.HasAVX2

//go:noescape
func stepAVX2(b *Block)

//go:noescape
func deliverAVX2(d *Deliver)

//go:noescape
func step32AVX2(b *Block)

//go:noescape
func conductanceAVX2(b *Conductance)

//go:noescape
func floorAVX2(b *Block)
