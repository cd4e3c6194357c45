package linalg

import (
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n numbers that end where a page begins that cannot be touched.
func guarded[F Float](t *testing.T, n int) []F {
	t.Helper()
	page := syscall.Getpagesize()
	size := n * int(unsafe.Sizeof(F(0)))
	whole := (size + page - 1) / page * page
	mem, err := syscall.Mmap(-1, 0, whole+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	if err := syscall.Mprotect(mem[whole:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return unsafe.Slice((*F)(unsafe.Pointer(&mem[whole-size])), n)
}

// TestBounds: nothing behind a matrix is read or written; the test would crash.
func TestBounds(t *testing.T) {
	paths(t, func(string) {
		for _, s := range [][3]int{{1, 1, 1}, {5, 15, 3}, {13, 33, 31}, {12, 32, 4}} {
			for _, trans := range []bool{false, true} {
				m := func(rows, cols int, tr bool) Mat[float32] {
					if tr {
						rows, cols = cols, rows
					}
					return Mat[float32]{Rows: rows, Cols: cols, Stride: cols, Data: guarded[float32](t, rows*cols)}
				}
				Gemm(nil, trans, !trans, 1, m(s[0], s[2], trans), m(s[2], s[1], !trans), 1, m(s[0], s[1], false))
			}
			x, y := guarded[float64](t, s[0]*s[1]), guarded[float64](t, s[0]*s[1])
			Axpy(1, x, y)
			_ = Dot(x, y)
		}
	})
}
