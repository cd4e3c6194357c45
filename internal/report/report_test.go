package report

import (
	"context"
	"errors"
	"math"
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

// TestRun: what an experiment found is printed also if a later one fails, or is ended.
func TestRun(t *testing.T) {
	failed := errors.New("failed")
	ok := Experiment{"ok", func(context.Context, func(done, total float64)) (*Result, error) {
		return &Result{Rows: []Row{{Experiment: "x", Ours: 1}}}, nil
	}}
	stops := func(err error, res *Result) Experiment {
		return Experiment{"stops", func(context.Context, func(done, total float64)) (*Result, error) { return res, err }}
	}
	const row = `{"experiment":"x","paper":null,"ours":1,"tolerance":null,"at_least":false,"unit":"","scale":"","wall_s":0}`
	nan := Experiment{"nan", func(context.Context, func(done, total float64)) (*Result, error) {
		return &Result{Rows: []Row{{Experiment: "x", Ours: math.NaN(), Paper: Number(2), Tolerance: Number(3), AtLeast: true, Unit: "%", Scale: "full", WallS: 4}}}, nil
	}}
	for _, c := range []struct {
		name  string
		all   []Experiment
		err   error
		json  string
		lines int
	}{
		{"all is well", []Experiment{ok, ok}, nil, `{"rows":[` + row + `,` + row + `],"partial":false}` + "\n", 4},
		{"not a number", []Experiment{nan}, nil, `{"rows":[{"experiment":"x","paper":2,"ours":null,"tolerance":3,"at_least":true,"unit":"%","scale":"full","wall_s":4}],"partial":false}` + "\n", 2},
		{"the second fails", []Experiment{ok, stops(failed, nil), ok}, failed, `{"rows":[` + row + `],"partial":true}` + "\n", 2},
		{"the second fails with a row", []Experiment{ok, stops(failed, &Result{Rows: []Row{{Experiment: "x", Ours: 1}}})}, failed, `{"rows":[` + row + `,` + row + `],"partial":true}` + "\n", 4},
		{"the first fails", []Experiment{stops(failed, nil), ok}, failed, "", 0},
		{"interrupted", []Experiment{stops(context.Canceled, nil), ok}, context.Canceled, `{"rows":[],"partial":true}` + "\n", 0},
	} {
		for _, asJSON := range []bool{true, false} {
			var s strings.Builder
			err := Run(t.Context(), &s, c.all, asJSON, "")
			if err != c.err || asJSON && s.String() != c.json || !asJSON && strings.Count(s.String(), "\n") != c.lines {
				t.Errorf("%s: %v, %q", c.name, err, s.String())
			}
		}
	}
}
