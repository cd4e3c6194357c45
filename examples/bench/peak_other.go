//go:build !linux

package main

import "runtime"

// peak is the memory taken from the system so far [MB].
func peak() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / (1 << 20)
}
