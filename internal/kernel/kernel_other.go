//go:build !amd64

package kernel

const hasAVX2, hasAVX512 = false, false

func stepAVX2(b *Block)                    { stepPortable(b) }
func step32AVX2(b *Block)                  { stepPortable(b) }
func floorAVX2(b *Block)                   { Portable.Floor(b) }
func conductanceAVX2(b *Conductance)       { conductancePortable(b) }
func currentsAVX2(b *General)              { generalPortable(b, false) }
func conductancesAVX2(b *General)          { generalPortable(b, true) }
func deliverAVX2(d *Deliver)               { deliverPortable[float32](d) }
func deliverFixedAVX2(d *Deliver)          { deliverPortable[int16](d) }
func stepAVX512(b *Block)                  { stepPortable(b) }
func step32AVX512(b *Block)                { stepPortable(b) }
func floorAVX512(b *Block)                 { Portable.Floor(b) }
func conductanceAVX512(b *Conductance)     { conductancePortable(b) }
func currentsAVX512(b *General)            { generalPortable(b, false) }
func conductancesAVX512(b *General)        { generalPortable(b, true) }
func deliverAVX512(d *Deliver)             { deliverPortable[float32](d) }
func deliverFixedAVX512(d *Deliver)        { deliverPortable[int16](d) }
func deliverApartAVX2(d *Deliver)          { deliverApartPortable[float32](d) }
func deliverApartFixedAVX2(d *Deliver)     { deliverApartPortable[int16](d) }
func deliverApartAVX512(d *Deliver)        { deliverApartPortable[float32](d) }
func deliverApartFixedAVX512(d *Deliver)   { deliverApartPortable[int16](d) }
func conductanceNearAVX2(b *Conductance)   { conductancePortable(b) }
func conductancesNearAVX2(b *General)      { generalPortable(b, true) }
func conductanceNearAVX512(b *Conductance) { conductancePortable(b) }
func conductancesNearAVX512(b *General)    { generalPortable(b, true) }
