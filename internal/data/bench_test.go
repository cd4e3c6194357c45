package data

import "testing"

// bench measures f on the 1000 training digits.
func bench(b *testing.B, f func(s *Set) error) {
	d, err := MNISTSmall()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(d.Train.Bytes)))
	for b.Loop() {
		if err := f(d.Train); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigits12(b *testing.B) {
	bench(b, func(s *Set) error { _, err := s.Digits12(); return err })
}

func BenchmarkDigits16(b *testing.B) {
	bench(b, func(s *Set) error { _, err := s.Digits16(); return err })
}

func BenchmarkBits(b *testing.B) {
	bench(b, func(s *Set) error { _, err := s.Bits(0.5, true); return err })
}

func BenchmarkFloat64(b *testing.B) {
	x := make([]float64, 784)
	bench(b, func(s *Set) error {
		for i := range s.N {
			s.Float64(x, i)
		}
		return nil
	})
}
