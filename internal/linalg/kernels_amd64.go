package linalg

import (
	"os"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s"

//go:noescape
func gemm32AVX2(k int, a, b, c *float32, ldc int, alpha float32, load int)

//go:noescape
func gemm32AVX512(k int, a, b, c *float32, ldc int, alpha float32, load int)

//go:noescape
func gemm64AVX2(k int, a, b, c *float64, ldc int, alpha float64, load int)

//go:noescape
func gemm64AVX512(k int, a, b, c *float64, ldc int, alpha float64, load int)

//go:noescape
func dot32AVX2(n int, x, y, sum *float32)

//go:noescape
func dot64AVX2(n int, x, y, sum *float64)

//go:noescape
func axpy32AVX2(n int, alpha float32, x, y *float32)

//go:noescape
func axpy64AVX2(n int, alpha float64, x, y *float64)

//go:noescape
func clip32AVX2(n int, r, s, x *float32)

//go:noescape
func clip64AVX2(n int, r, s, x *float64)

var vectors bool // dot, axpy and clip may use AVX2

func init() {
	path := os.Getenv("SPIKESAMPLING_PATH")
	if path == "portable" || !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return
	}
	vectors = true
	kernel32 = &kernel[float32]{6, 16, true, wrap(gemm32AVX2)}
	kernel64 = &kernel[float64]{6, 8, true, wrap(gemm64AVX2)}
	if path != "avx2" && cpu.X86.HasAVX512F {
		kernel32 = &kernel[float32]{12, 32, true, wrap(gemm32AVX512)}
		kernel64 = &kernel[float64]{12, 16, true, wrap(gemm64AVX512)}
	}
}

func wrap[F Float](f func(k int, a, b, c *F, ldc int, alpha F, load int)) func(k int, a, b, c []F, ldc int, alpha F, load bool) {
	return func(k int, a, b, c []F, ldc int, alpha F, load bool) {
		l := 0
		if load {
			l = 1
		}
		f(k, unsafe.SliceData(a), unsafe.SliceData(b), unsafe.SliceData(c), ldc*int(unsafe.Sizeof(alpha)), alpha, l)
	}
}

// dotBlocks is the sum of the first products, whole blocks of them, and how many they are.
func dotBlocks[F Float](x, y []F) (F, int) {
	if !vectors {
		return 0, 0
	}
	switch x := any(x).(type) {
	case []float32:
		n := len(x) &^ 31
		if n == 0 {
			return 0, 0
		}
		y := any(y).([]float32)
		var s [32]float32
		dot32AVX2(n, &x[0], &y[0], &s[0])
		return F(fold(s[:])), n
	case []float64:
		n := len(x) &^ 15
		if n == 0 {
			return 0, 0
		}
		y := any(y).([]float64)
		var s [16]float64
		dot64AVX2(n, &x[0], &y[0], &s[0])
		return F(fold(s[:])), n
	}
	return 0, 0
}

// axpyBlocks adds the first products, whole blocks of them, and says how many they are.
func axpyBlocks[F Float](alpha F, x, y []F) int {
	if !vectors {
		return 0
	}
	switch x := any(x).(type) {
	case []float32:
		n := len(x) &^ 31
		if n > 0 {
			axpy32AVX2(n, float32(alpha), &x[0], &any(y).([]float32)[0])
		}
		return n
	case []float64:
		n := len(x) &^ 15
		if n > 0 {
			axpy64AVX2(n, float64(alpha), &x[0], &any(y).([]float64)[0])
		}
		return n
	}
	return 0
}

// clipBlocks cuts the first numbers, whole blocks of them, and says how many they are.
func clipBlocks[F Float](r, s, x []F) int {
	if !vectors {
		return 0
	}
	switch x := any(x).(type) {
	case []float32:
		n := len(x) &^ 31
		if n > 0 {
			clip32AVX2(n, &any(r).([]float32)[0], &any(s).([]float32)[0], &x[0])
		}
		return n
	case []float64:
		n := len(x) &^ 15
		if n > 0 {
			clip64AVX2(n, &any(r).([]float64)[0], &any(s).([]float64)[0], &x[0])
		}
		return n
	}
	return 0
}
