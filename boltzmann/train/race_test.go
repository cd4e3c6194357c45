//go:build race

package train

// Pools drop what they hold at random under the race detector.
func init() { pools = false }
