package report

import (
	"strings"
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	all := []Experiment{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	for run, want := range map[string]string{"all": "a, b, c", "b": "b", "c,a": "a, c"} {
		got, err := Choose(all, run)
		if err != nil || Names(got) != want {
			t.Errorf("%s: %s, %v: must be %s", run, Names(got), err, want)
		}
	}
	if _, err := Choose(all, "a,d"); err == nil || !strings.Contains(err.Error(), "a, b, c") {
		t.Errorf("%v", err)
	}
}

func TestPrint(t *testing.T) {
	var r Result
	r.Add("long name", 12.345678, "%", "full", time.Now()).Paper = Number(12)
	x := r.Add("b", 1, "", "small", time.Now())
	x.Tolerance, x.AtLeast = Number(.5), true
	r.Add("c", 2, "ms", "small", time.Now()).Tolerance = Number(3)
	r.Notes = []string{"a note"}
	var s strings.Builder
	if err := r.print(&s, "test", 1500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	want := `test (1.5 s)
  long name       12.35 %     paper     12  full
  b                   1       paper      –  small  (at least 0.5)
  c                   2 ms    paper      –  small  (at most 3)
  a note
`
	if s.String() != want {
		t.Errorf("%s\nmust be\n%s", s.String(), want)
	}
}
