package linalg

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Team is a fixed set of goroutines with their packing buffers. It serves one goroutine at a
// time. A nil Team is the caller alone.
type Team struct {
	wake   []chan struct{} // of every helper; the caller is worker 0
	ended  sync.WaitGroup
	closed sync.Once
	work   func(worker int)

	// Do.
	f        func(lo, hi int)
	n, grain int
	next     atomic.Int64

	job32 job[float32]
	job64 job[float64]
	buf32 []buffers[float32]
	buf64 []buffers[float64]
	run   struct{ pieces, gemm32, gemm64 func(worker int) }
}

// NewTeam returns a team of workers, the caller being one of them (0: GOMAXPROCS). Close it
// after use.
func NewTeam(workers int) *Team {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	t := &Team{wake: make([]chan struct{}, workers-1), buf32: make([]buffers[float32], workers), buf64: make([]buffers[float64], workers)}
	t.run.pieces = func(int) { t.pieces() }
	t.run.gemm32 = func(w int) { t.job32.part(w, workers, &t.buf32[w]) }
	t.run.gemm64 = func(w int) { t.job64.part(w, workers, &t.buf64[w]) }
	for i := range t.wake {
		t.wake[i] = make(chan struct{}, 1)
		go func() {
			for range t.wake[i] {
				t.work(i + 1)
				t.ended.Done()
			}
		}()
	}
	return t
}

// Workers is the number of workers.
func (t *Team) Workers() int {
	if t == nil {
		return 1
	}
	return len(t.wake) + 1
}

// Close ends the goroutines. The team must not be used afterwards. Closing nil, or again, does nothing.
func (t *Team) Close() {
	if t == nil {
		return
	}
	t.closed.Do(func() {
		for _, w := range t.wake {
			close(w)
		}
	})
}

// all lets every worker do work(worker).
func (t *Team) all(work func(worker int)) {
	t.work = work
	t.ended.Add(len(t.wake))
	for _, w := range t.wake {
		w <- struct{}{}
	}
	work(0)
	t.ended.Wait()
}

// Do shares out [0, n) in pieces of grain, the last maybe shorter: f(lo, hi) is called once for
// every piece, in any order and by any worker, so f must write to what belongs to the piece
// only. The pieces do not depend on the number of workers.
func (t *Team) Do(n, grain int, f func(lo, hi int)) {
	grain = max(grain, 1)
	if t == nil || len(t.wake) == 0 || n <= grain {
		for lo := 0; lo < n; lo += grain {
			f(lo, min(lo+grain, n))
		}
		return
	}
	t.f, t.n, t.grain = f, n, grain
	t.next.Store(0)
	t.all(t.run.pieces)
	t.f = nil
}

func (t *Team) pieces() {
	for {
		lo := int(t.next.Add(int64(t.grain))) - t.grain
		if lo >= t.n {
			return
		}
		t.f(lo, min(lo+t.grain, t.n))
	}
}
