package bayes

import (
	"strings"
	"testing"
)

func BenchmarkPosteriorASIA(b *testing.B) {
	asia := ASIA()
	ev := Evidence{"dysp": "yes", "xray": "yes"}
	for b.Loop() {
		must(asia.Posterior(ev))
	}
}

// BenchmarkDefined is the readout of all variables, the hot loop of an estimate.
func BenchmarkDefined(b *testing.B) {
	target := must(mixed().Translate(nil, Options{}))
	z := []uint8{0, 1, 0, 1}
	b.ReportAllocs()
	for b.Loop() {
		target.Defined(z)
	}
}

// The inner loops of variable elimination.
func BenchmarkMultiply(b *testing.B) {
	f, card := bigTable()
	g := newTable([]int{3, 9, 15}, card)
	for b.Loop() {
		f.multiply(g, card)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(f.logs)), "ns/entry")
}

func BenchmarkSumTo(b *testing.B) {
	f, card := bigTable()
	rest := without(f.scope, 7)
	for b.Loop() {
		f.sumTo(rest, card)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(f.logs)), "ns/entry")
}

func bigTable() (f logFactor, card []int) {
	var scope []int
	for v := range 16 {
		scope, card = append(scope, v), append(card, 2)
	}
	return newTable(scope, card), card
}

func BenchmarkReadBIF(b *testing.B) {
	b.SetBytes(int64(len(asiaBIF)))
	for b.Loop() {
		must(ReadBIF(strings.NewReader(string(asiaBIF))))
	}
}
