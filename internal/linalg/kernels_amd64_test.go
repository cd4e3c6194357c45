package linalg

import (
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/cpu"
)

// paths runs f with the kernels of every path that the processor has.
func paths(t *testing.T, f func(name string)) {
	t.Helper()
	old32, old64 := kernel32, kernel64
	defer func() { kernel32, kernel64 = old32, old64 }()
	kernel32, kernel64 = &kernel[float32]{4, 4, false, tile4[float32]}, &kernel[float64]{4, 4, false, tile4[float64]}
	f("portable")
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return
	}
	kernel32, kernel64 = &kernel[float32]{6, 16, true, wrap(gemm32AVX2)}, &kernel[float64]{6, 8, true, wrap(gemm64AVX2)}
	f("AVX2")
	if !cpu.X86.HasAVX512F {
		t.Log("no AVX-512 here")
		return
	}
	kernel32, kernel64 = &kernel[float32]{12, 32, true, wrap(gemm32AVX512)}, &kernel[float64]{12, 16, true, wrap(gemm64AVX512)}
	f("AVX-512")
}

// TestPathsAgree: AVX2 and AVX-512 give the same bits, edges included.
func TestPathsAgree(t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {12, 32, 9}, {13, 33, 300}, {70, 10, 100}, {150, 100, 784}, {5, 1100, 17}} {
		for _, beta := range []float32{0, 1, .5} {
			got := map[string]Mat[float32]{}
			got64 := map[string]Mat[float64]{}
			paths(t, func(name string) {
				r := rand.New(rand.NewPCG(9, 9))
				a, b, c := random[float32](r, s[0], s[2], s[2]), random[float32](r, s[1], s[2], s[2]), random[float32](r, s[0], s[1], s[1])
				Gemm(nil, false, true, .3, a, b, beta, c)
				got[name] = c
				x, y, z := random[float64](r, s[2], s[0], s[0]), random[float64](r, s[2], s[1], s[1]), random[float64](r, s[0], s[1], s[1])
				Gemm(nil, true, false, .3, x, y, float64(beta), z)
				got64[name] = z
			})
			if c, ok := got["AVX-512"]; ok && (!slices.Equal(c.Data, got["AVX2"].Data) || !slices.Equal(got64["AVX-512"].Data, got64["AVX2"].Data)) {
				t.Errorf("%v, β = %v: AVX2 and AVX-512 differ", s, beta)
			}
		}
	}
}

// TestAllPaths is TestGemm for the paths that are not this processor's own.
func TestAllPaths(t *testing.T) {
	paths(t, func(name string) {
		r := rand.New(rand.NewPCG(10, 10))
		for _, s := range [][3]int{{1, 1, 1}, {4, 4, 4}, {6, 16, 5}, {12, 32, 7}, {13, 17, 3}, {11, 31, 33}, {25, 65, 258}, {150, 40, 20}, {3, 1040, 9}} {
			testGemm[float32](t, r, nil, s[0], s[1], s[2])
			testGemm[float64](t, r, nil, s[0], s[1], s[2])
		}
	})
}
