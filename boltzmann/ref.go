package boltzmann

import "math"

// REF returns the library's reference machine of n units, W_ij = 0.6 sin(2.1 i j) and
// b_i = 0.6 cos(1.3 i) with i, j = 1..n, i ≠ j: frustrated, of moderate coupling, and
// reproducible from its formula. Its exact moments for n = 5 and 10 are in the tests.
// It panics if n < 1.
func REF(n int) *Machine {
	if n < 1 {
		panic("boltzmann: REF needs at least one unit")
	}
	m := newMachine(n)
	for i := 1; i <= n; i++ {
		m.b[i-1] = 0.6 * math.Cos(1.3*float64(i))
		for j := 1; j < i; j++ {
			m.setWeight(i-1, j-1, 0.6*math.Sin(2.1*float64(i*j)))
		}
	}
	return m
}
