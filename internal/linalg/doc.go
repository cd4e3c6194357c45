// Package linalg multiplies dense matrices for the learning models, whose layers are batches
// by rows: forward as R Wᵀ, backward as E W, and weights change by Eᵀ R.
//
// [Gemm] packs panels of its factors and adds up tiles of C in registers (Goto and van de
// Geijn 2008): 6×16 numbers of 32 bits or 6×8 of 64 with AVX2, 12 rows of two vectors with
// AVX-512, 4×4 in Go elsewhere. Every number of C is a sum over k in one order, in blocks of
// fixed length, by fused multiplications and additions: results are the same bits whatever the
// number of workers and of rows, and on AVX2 and AVX-512. The portable path rounds products
// before it adds them, unless the compiler fuses both (not on amd64), and differs in the last bits; SPIKESAMPLING_PATH=portable forces it,
// =avx2 forbids AVX-512.
//
// Wrong shapes are the caller's mistakes and panic.
package linalg
