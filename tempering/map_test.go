package tempering

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/lif"
)

var remake = flag.Bool("remake", false, "measure maps.json anew, which takes minutes")

// mapSets are the setups with a stored map.
var mapSets = []string{"tutorial-cuba", "tutorial-coba", "leng-cuba", "leng-coba"}

func namedSetup(t testing.TB, name string) lif.Setup {
	t.Helper()
	s, err := lif.NamedSetup(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStoredMaps: another measurement of part of the stored maps agrees with them, and
// does not depend on the number of workers. Two independent fits, 4.5 standard errors of
// their difference: false alarm below 1e-4.
func TestStoredMaps(t *testing.T) {
	if *remake {
		var lines []string
		for _, name := range mapSets {
			m := must(Calibrate(t.Context(), namedSetup(t, name), CalibrateOptions{Duration: 4e5, Seed: 1}))
			lines = append(lines, string(must(json.Marshal(m))))
			t.Log(name)
		}
		if err := os.WriteFile("maps.json", []byte("[\n"+strings.Join(lines, ",\n")+"\n]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, name := range mapSets {
		s := namedSetup(t, name)
		stored := must(StoredMap(s))
		o := CalibrateOptions{Factors: []float64{0.5, 1, 4}, Points: 40, Duration: 1e4, Seed: 99, Parallel: 1}
		m := must(Calibrate(t.Context(), s, o))
		for _, p := range m.Points() {
			var q MapPoint
			for _, r := range stored.Points() {
				if r.Factor == p.Factor {
					q = r
				}
			}
			if math.Abs(p.Alpha-q.Alpha) > 4.5*math.Hypot(p.AlphaSE, q.AlphaSE) || math.Abs(p.VHalf-q.VHalf) > 4.5*math.Hypot(p.VHalfSE, q.VHalfSE) {
				t.Errorf("%s: measured %+v, stored %+v", name, p, q)
			}
		}
		if name == "tutorial-cuba" {
			o.Parallel = 2
			a, b := must(json.Marshal(m)), must(json.Marshal(must(Calibrate(t.Context(), s, o))))
			if string(a) != string(b) {
				t.Errorf("two workers measure %s, one %s", b, a)
			}
		}
	}
}
