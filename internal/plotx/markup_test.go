package plotx

import (
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestRuns(t *testing.T) {
	for in, want := range map[string][]run{
		"":            nil,
		"plain":       {{"plain", 1, 0}},
		"tau_ref ^ 2": {{"tau_ref ^ 2", 1, 0}},
		"D_{KL} [n]":  {{"D", 1, 0}, {"KL", 0.7, -0.18}, {" [n]", 1, 0}},
		"10^{−3}":     {{"10", 1, 0}, {"−3", 0.7, 0.36}},
		"a_{i}^{2}":   {{"a", 1, 0}, {"i", 0.7, -0.18}, {"2", 0.7, 0.36}},
		"open_{ab":    {{"open_{ab", 1, 0}},
		"_{}x":        {{"x", 1, 0}},
	} {
		if got := runs(in); !reflect.DeepEqual(got, want) {
			t.Errorf("runs(%q) = %v: want %v", in, got, want)
		}
	}
}

// FuzzRuns checks that no text is lost: the runs are the line without markup.
func FuzzRuns(f *testing.F) {
	for _, s := range []string{"D_{KL}", "^{", "_{^{}}", "τ_{ref} = 10 ms", "}_{a}b^{c}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var b strings.Builder
		for _, r := range runs(line) {
			switch {
			case r.shift < 0:
				b.WriteString("_{" + r.text + "}")
			case r.shift > 0:
				b.WriteString("^{" + r.text + "}")
			default:
				b.WriteString(r.text)
			}
		}
		if want := strings.NewReplacer("_{}", "", "^{}", "").Replace(line); !strings.Contains(line, "{}") && b.String() != want {
			t.Errorf("runs of %q say %q", line, b.String())
		}
		if w := textStyle(10, inkColor).Width(line); !(w >= 0) {
			t.Errorf("width of %q is %v", line, w)
		}
	})
}

// TestFit checks that fitted text fits and keeps its beginning.
func TestFit(t *testing.T) {
	const s = "a name that is rather long, D_{KL}"
	for room := vg.Length(30); room < 300; room += 7 {
		sty := textStyle(10, inkColor)
		got := fit(&sty, s, room)
		if w := sty.Width(got); w > room+0.02 || sty.Font.Size < smallest || sty.Font.Size > 10 {
			t.Errorf("room %v: %q is %v wide at size %v", room, got, w, sty.Font.Size)
		}
		if !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Errorf("room %v: %q", room, got)
		}
	}
}

func TestWrap(t *testing.T) {
	sty := boldStyle(titleSize)
	lines := wrap(sty, "one two three four five", sty.Width("three four"))
	if got := strings.Join(lines, "|"); got != "one two|three four|five" {
		t.Errorf("wrapped to %s", got)
	}
}
