//go:build !amd64

package kernel

const hasAVX2, hasAVX512 = false, false

func stepAVX2(b *Block)                      { stepPortable(b) }
func step32AVX2(b *Block)                    { stepPortable(b) }
func floorAVX2(b *Block)                     { Portable.Floor(b) }
func currentsAVX2(b *General)                { generalPortable(b, false) }
func conductanceAVX2(b *Conductance)         { conductancePortable(b) }
func conductancesAVX2(b *General)            { generalPortable(b, true) }
func conductanceNearAVX2(b *Conductance)     { conductancePortable(b) }
func conductancesNearAVX2(b *General)        { generalPortable(b, true) }
func currents32AVX2(b *General)              { generalPortable(b, false) }
func conductance32AVX2(b *Conductance)       { conductancePortable(b) }
func conductances32AVX2(b *General)          { generalPortable(b, true) }
func conductanceNear32AVX2(b *Conductance)   { conductancePortable(b) }
func conductancesNear32AVX2(b *General)      { generalPortable(b, true) }
func deliverAVX2(b *Deliver)                 { deliverPortable[float32](b) }
func deliverFixedAVX2(b *Deliver)            { deliverPortable[int16](b) }
func deliverApartAVX2(b *Deliver)            { deliverApartPortable[float32](b) }
func deliverApartFixedAVX2(b *Deliver)       { deliverApartPortable[int16](b) }
func stepAVX512(b *Block)                    { stepPortable(b) }
func step32AVX512(b *Block)                  { stepPortable(b) }
func floorAVX512(b *Block)                   { Portable.Floor(b) }
func currentsAVX512(b *General)              { generalPortable(b, false) }
func conductanceAVX512(b *Conductance)       { conductancePortable(b) }
func conductancesAVX512(b *General)          { generalPortable(b, true) }
func conductanceNearAVX512(b *Conductance)   { conductancePortable(b) }
func conductancesNearAVX512(b *General)      { generalPortable(b, true) }
func currents32AVX512(b *General)            { generalPortable(b, false) }
func conductance32AVX512(b *Conductance)     { conductancePortable(b) }
func conductances32AVX512(b *General)        { generalPortable(b, true) }
func conductanceNear32AVX512(b *Conductance) { conductancePortable(b) }
func conductancesNear32AVX512(b *General)    { generalPortable(b, true) }
func deliverAVX512(b *Deliver)               { deliverPortable[float32](b) }
func deliverFixedAVX512(b *Deliver)          { deliverPortable[int16](b) }
func deliverApartAVX512(b *Deliver)          { deliverApartPortable[float32](b) }
func deliverApartFixedAVX512(b *Deliver)     { deliverApartPortable[int16](b) }
