//go:build !unix

package cli

import "time"

var begin = time.Now()

// CPU is the wall time since the start: the CPU time is not to be had on this system.
func CPU() (time.Duration, error) { return time.Since(begin), nil }
