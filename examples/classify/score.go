package main

import "math"

// winners gives one vote to the label unit that has been on longest, parts of it to equals.
func winners(on []float64) []float64 {
	most, n := on[0], 0.0
	for _, x := range on {
		most = math.Max(most, x)
	}
	for _, x := range on {
		if x == most {
			n++
		}
	}
	v := make([]float64, len(on))
	for l, x := range on {
		if x == most {
			v[l] = 1 / n
		}
	}
	return v
}

// accuracy is the share of votes for the right class, with its standard error over images.
func accuracy(won [][]float64, labels []uint8) (p, se float64) {
	n := float64(len(won))
	for i, v := range won {
		p += v[labels[i]] / n
	}
	return p, math.Sqrt(p * (1 - p) / n)
}

func confusion(won [][]float64, labels []uint8, classes int) [][]float64 {
	m := make([][]float64, classes)
	for l := range m {
		m[l] = make([]float64, classes)
	}
	for i, v := range won {
		for l, x := range v {
			m[labels[i]][l] += x
		}
	}
	return m
}

// divergence is D(q‖p) of shares of time q, p being log probabilities, and the whole time. No
// time at all counts as not knowing, q uniform.
func divergence(times, logP []float64) (d, total float64) {
	for _, t := range times {
		total += t
	}
	for l, t := range times {
		q := 1 / float64(len(times))
		if total > 0 {
			q = t / total
		}
		if q > 0 {
			d += q * (math.Log(q) - logP[l])
		}
	}
	return d, total
}

// softmin are the log probabilities of free energies.
func softmin(energies []float64) []float64 {
	low := energies[0]
	for _, e := range energies {
		low = math.Min(low, e)
	}
	z := 0.0
	for _, e := range energies {
		z += math.Exp(low - e)
	}
	out := make([]float64, len(energies))
	for l, e := range energies {
		out[l] = low - e - math.Log(z)
	}
	return out
}
