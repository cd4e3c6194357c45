//go:build unix

package cli

import (
	"syscall"
	"time"
)

// CPU is the CPU time that this process has used, all its threads together.
func CPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
