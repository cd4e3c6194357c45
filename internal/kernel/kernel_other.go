//go:build !amd64

package kernel

const hasAVX2 = false

func stepAVX2(b *Block)              { stepPortable(b) }
func deliverAVX2(d *Deliver)         { deliverPortable(d) }
func step32AVX2(b *Block)            { stepPortable(b) }
func conductanceAVX2(b *Conductance) { conductancePortable(b) }
func floorAVX2(b *Block)             { Portable.Floor(b) }
