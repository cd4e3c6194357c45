package kernel

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd gen && go run . -out ../kernel_amd64.s"

var (
	hasAVX2   = cpu.X86.HasAVX2
	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
)

//go:noescape
func stepAVX2(b *Block)

//go:noescape
func step32AVX2(b *Block)

//go:noescape
func floorAVX2(b *Block)

//go:noescape
func currentsAVX2(b *General)

//go:noescape
func conductanceAVX2(b *Conductance)

//go:noescape
func conductancesAVX2(b *General)

//go:noescape
func conductanceNearAVX2(b *Conductance)

//go:noescape
func conductancesNearAVX2(b *General)

//go:noescape
func currents32AVX2(b *General)

//go:noescape
func conductance32AVX2(b *Conductance)

//go:noescape
func conductances32AVX2(b *General)

//go:noescape
func conductanceNear32AVX2(b *Conductance)

//go:noescape
func conductancesNear32AVX2(b *General)

//go:noescape
func deliverAVX2(d *Deliver)

//go:noescape
func deliverFixedAVX2(d *Deliver)

//go:noescape
func deliverApartAVX2(d *Deliver)

//go:noescape
func deliverApartFixedAVX2(d *Deliver)

//go:noescape
func stepAVX512(b *Block)

//go:noescape
func step32AVX512(b *Block)

//go:noescape
func floorAVX512(b *Block)

//go:noescape
func currentsAVX512(b *General)

//go:noescape
func conductanceAVX512(b *Conductance)

//go:noescape
func conductancesAVX512(b *General)

//go:noescape
func conductanceNearAVX512(b *Conductance)

//go:noescape
func conductancesNearAVX512(b *General)

//go:noescape
func currents32AVX512(b *General)

//go:noescape
func conductance32AVX512(b *Conductance)

//go:noescape
func conductances32AVX512(b *General)

//go:noescape
func conductanceNear32AVX512(b *Conductance)

//go:noescape
func conductancesNear32AVX512(b *General)

//go:noescape
func deliverAVX512(d *Deliver)

//go:noescape
func deliverFixedAVX512(d *Deliver)

//go:noescape
func deliverApartAVX512(d *Deliver)

//go:noescape
func deliverApartFixedAVX512(d *Deliver)
