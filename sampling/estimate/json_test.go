package estimate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spikesampling/spikesampling/sampling"
)

// codec is a recorder that encodes and decodes.
type codec interface {
	sampling.Recorder
	json.Marshaler
	json.Unmarshaler
}

// recorded returns one of every recorder with a record of two chains, and an empty one.
func recorded(t fatal) (full, empty []codec) {
	r := rand.New(rand.NewPCG(8, 8))
	build := func() []codec {
		return []codec{
			NewMarginals(4), NewMoments(4), must(NewJoint(3, 1)),
			must(NewValues(testVariables(), ValuesOptions{BinWidth: 2 * dt, Joint: true, Condition: true})),
			must(NewValues([]Variable{{Name: "z", Units: []int{2}}}, ValuesOptions{})),
			must(NewCurve([]float64{.5, .5, 0, 0}, []float64{1, 2, 1e6}, 0, 2)),
			&tableCodec{newTable(2)},
			must(NewModes(LabelFunc(2, pairLabel), ModesOptions{MinRun: dt, Step: 2 * dt})),
		}
	}
	first, second := build(), build()
	for _, set := range [][]codec{first, second} {
		for range 2 {
			s := &stream{z0: make([]uint8, 4), path: make([][]uint8, 400)}
			z := make([]uint8, 4)
			for i := range s.path {
				k := r.IntN(4)
				z[k] ^= 1
				s.flips = append(s.flips, flip(float64(i)*dt, int32(k), z[k]))
			}
			for _, e := range set {
				s.feed(t, e, 100)
			}
		}
	}
	for i := range first {
		var err error
		switch e := first[i].(type) {
		case *Marginals:
			err = e.Merge(second[i].(*Marginals))
		case *Moments:
			err = e.Merge(second[i].(*Moments))
		case *Joint:
			err = e.Merge(second[i].(*Joint))
		case *Values:
			err = e.Merge(second[i].(*Values))
		case *Curve:
			err = e.Merge(second[i].(*Curve))
		case *Modes:
			err = e.Merge(second[i].(*Modes))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return first, []codec{&Marginals{}, &Moments{}, &Joint{}, &Values{}, &Values{}, &Curve{}, &tableCodec{&Table{}}, &Modes{}}
}

// tableCodec makes a Table one of them.
type tableCodec struct{ *Table }

func (b tableCodec) Begin(float64, []uint8) error    { return nil }
func (b tableCodec) Record([]sampling.Flip, float64) { b.add(0, 3) }

// TestJSONRoundTrip: what is decoded encodes to the same bytes and has the same estimates; a
// record of units goes on.
func TestJSONRoundTrip(t *testing.T) {
	full, empty := recorded(t)
	for i, e := range full {
		code := jsonOf(t, e)
		if err := json.Unmarshal([]byte(code), empty[i]); err != nil {
			t.Fatalf("%T: %v\n%s", e, err, code)
		}
		if again := jsonOf(t, empty[i]); again != code {
			t.Fatalf("%T: decoded to\n%s, was\n%s", e, again, code)
		}
		switch a := e.(type) {
		case *Marginals:
			if b := empty[i].(*Marginals); !allClose(a.Mean(), b.Mean()) || a.Flips() != b.Flips() || a.Time() != b.Time() {
				t.Errorf("marginals %v, decoded %v", a.Mean(), b.Mean())
			}
		case *Moments:
			if b := empty[i].(*Moments); !allClose(a.Cov().RawSymmetric().Data, b.Cov().RawSymmetric().Data) {
				t.Errorf("covariance %v, decoded %v", a.Cov(), b.Cov())
			}
		case *Joint:
			if b := empty[i].(*Joint); !allClose(a.Var(), b.Var()) || !allClose(a.P(), b.P()) {
				t.Errorf("joint %v, decoded %v", a.P(), b.P())
			}
		case *Values:
			if s, d := must(a.Summary()).String(), must(empty[i].(*Values).Summary()).String(); s != d {
				t.Errorf("summary %v, decoded %v", s, d)
			}
		case *Curve:
			if s, d := a.String(), empty[i].(*Curve).String(); s != d {
				t.Errorf("curve %v, decoded %v", s, d)
			}
		case *Modes:
			b := empty[i].(*Modes)
			if !allClose(a.Occupancy(), b.Occupancy()) || a.Switches() != b.Switches() || a.Switches() < 50 ||
				must(a.IACT(1)) != must(b.IACT(1)) || must(a.RoundTrips()) != must(b.RoundTrips()) {
				t.Errorf("modes %v with %d switches, decoded %v with %d", a.Occupancy(), a.Switches(), b.Occupancy(), b.Switches())
			}
		}
		err := empty[i].Begin(0, make([]uint8, 4))
		needsFunctions := i == 3 || i == 5 || i == 7
		if (err != nil) != needsFunctions {
			t.Errorf("decoded %T begins: %v", e, err)
		}
		if err == nil {
			empty[i].Record([]sampling.Flip{flip(1, 1, 1)}, 2)
			if again := jsonOf(t, empty[i]); again == code {
				t.Errorf("decoded %T does not go on", e)
			}
		}
	}

	live := must(NewValues(testVariables(), ValuesOptions{BinWidth: 2 * dt, Joint: true, Condition: true}))
	var decoded Values
	if err := json.Unmarshal([]byte(jsonOf(t, full[3])), &decoded); err != nil {
		t.Fatal(err)
	}
	if err := live.Merge(&decoded); err != nil {
		t.Errorf("a decoded record does not merge: %v", err)
	}
}

// badJSON is what decoders must refuse, by their place in the list of recorded.
var badJSON = []struct {
	which int
	code  string
}{
	{0, `{`}, {0, `[]`}, {0, `{"time":-1}`}, {0, `{"flips":-1}`}, {0, `{"on":[-1]}`}, {0, `{"on":["x"]}`},
	{1, `[]`}, {1, `{"units":2,"both":[1,1]}`}, {1, `{"units":-1}`}, {1, `{"units":4000000000,"both":[]}`}, {1, `{"units":1,"both":[-1]}`}, {1, `{"flips":-1}`},
	{2, `[]`}, {2, `{"units":[0]}`}, {2, `{"units":[],"table":null}`}, {2, `{"units":[0,1],"table":{"size":2,"width":1,"chains":[[{}]]}}`},
	{4, `[]`}, {4, `{}`}, {4, `{"variables":[{"name":"z","card":0,"units":[0]}]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"times":[1]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":-1,"times":[1,1],"chains":[[]]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":3,"times":[1,1],"chains":[[]]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":1,"times":[1,-1],"chains":[[]]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":1,"times":[1,1],"defined":-1,"chains":[[]]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":1,"times":[1,1],"chains":[]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":1,"times":[1,1],"chains":[[1]]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":1,"times":[1,1],"chains":[[1,2]]}`},
	{4, `{"variables":[{"name":"z","card":2,"units":[0]}],"bin_width":1,"width":1,"times":[1,1],"chains":[[1,0]],"joint":{"size":4,"width":1,"chains":[[{}]]}}`},
	{5, `[]`}, {5, `{}`}, {5, `{"variables":[{"name":"z","card":2,"units":[0]}],"target":[1,1],"times":[1],"chains":[[]]}`},
	{5, `{"variables":[{"name":"z","card":2,"units":[0]}],"target":[1,0],"times":[1],"chains":[]}`},
	{5, `{"variables":[{"name":"z","card":2,"units":[0]}],"target":[1,0],"times":[1],"chains":[[1,2]]}`},
	{5, `{"variables":[{"name":"z","card":2,"units":[0]}],"target":[1,0],"times":[1],"chains":[[-1]]}`},
	{5, `{"variables":[{"name":"z","card":2,"units":[0]}],"target":[1,0],"times":[1],"chains":[["x"]]}`},
	{6, `[]`}, {6, `{}`}, {6, `{"size":0,"width":1,"chains":[[{}]]}`}, {6, `{"size":2000000,"width":1,"chains":[[{}]]}`},
	{6, `{"size":2,"width":3,"chains":[[{}]]}`}, {6, `{"size":2,"width":1,"chains":[]}`}, {6, `{"size":2,"width":1,"chains":[[]]}`},
	{6, `{"size":1048576,"width":1,"chains":[[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]]}`},
	{6, `{"size":2,"width":1,"chains":[[{"state":[0],"time":[]}]]}`}, {6, `{"size":2,"width":1,"chains":[[{"state":[2],"time":[1]}]]}`},
	{6, `{"size":2,"width":1,"chains":[[{"state":[-1],"time":[1]}]]}`}, {6, `{"size":2,"width":1,"chains":[[{"state":[1,1],"time":[1,1]}]]}`},
	{6, `{"size":2,"width":1,"chains":[[{"state":[1],"time":[-1]}]]}`}, {6, `{"size":2,"width":1e-9,"chains":[[{}]]}`},
	{7, `[]`}, {7, `{}`}, {7, modesCode("", 0, "1", "1", "3", "")}, {7, modesCode("", 2, "0", "1", "3", "")},
	{7, modesCode("", 2, "1", "3", "3", "")}, {7, modesCode("", 2, "2", "1", "3", "")}, {7, modesCode("", 2, "1", "1", "2", "")},
	{7, modesCode(`"min_run":-1,`, 2, "1", "1", "3", "")}, {7, modesCode("", 40000, "1", "1", "40001", "")},
	{7, modesCode("", 2, "1", "1", "3", `{"begin":1,"end":0}`)}, {7, modesCode("", 2, "1", "1", "3", `{"end":1,"reads":[2]}`)},
	{7, modesCode("", 2, "1", "1", "3", `{"end":1,"at":[0]}`)}, {7, modesCode("", 2, "1", "1", "3", `{"end":1,"at":[0],"mode":[2]}`)},
	{7, modesCode("", 2, "1", "1", "3", `{"end":1,"at":[2],"mode":[1]}`)}, {7, modesCode("", 2, "1", "1", "3", `{"end":1,"at":[0,0],"mode":[1,1]}`)},
}

// modesCode is a record of modes with those fields.
func modesCode(first string, modes int, step, spacing, size, stretch string) string {
	return fmt.Sprintf(`{%s"modes":%d,"step":%s,"spacing":%s,"table":{"size":%s,"width":1,"chains":[[{}]]},"stretches":[%s]}`,
		first, modes, step, spacing, size, stretch)
}

func TestBadJSON(t *testing.T) {
	for _, bad := range badJSON {
		_, empty := recorded(t)
		if err := empty[bad.which].UnmarshalJSON([]byte(bad.code)); err == nil || !strings.HasPrefix(err.Error(), "estimate: ") {
			t.Errorf("%T of %s: error %v", empty[bad.which], bad.code, err)
		}
	}
	var v Value
	if err := json.Unmarshal([]byte(`{"x":"1"}`), &v); err == nil {
		t.Error("a string is accepted for a number")
	}
}

// FuzzJSON: no input makes a decoder or what it decodes panic; what is accepted encodes, and
// decodes to the same again.
func FuzzJSON(f *testing.F) {
	full, _ := recorded(f)
	for i, e := range full {
		f.Add(i, jsonOf(f, e))
	}
	for _, bad := range badJSON {
		f.Add(bad.which, bad.code)
	}
	f.Fuzz(func(t *testing.T, which int, code string) {
		build := func() []codec {
			return []codec{&Marginals{}, &Moments{}, &Joint{}, &Values{}, &Values{}, &Curve{}, &tableCodec{&Table{}}, &Modes{}}
		}
		which = int(uint(which) % uint(len(build())))
		e, again := build()[which], build()[which]
		if e.UnmarshalJSON([]byte(code)) != nil {
			return
		}
		first := jsonOf(t, e)
		if err := again.UnmarshalJSON([]byte(first)); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second := jsonOf(t, again); second != first {
			t.Fatalf("encodes to %s, then to %s", first, second)
		}
		switch e := e.(type) {
		case *Marginals:
			e.Mean()
		case *Moments:
			e.Cov()
		case *Joint:
			e.ESS()
			e.DKL(e.P())
		case *Values:
			if s, err := e.Summary(); err == nil {
				_ = s.String()
			}
		case *Curve:
			_ = e.String()
		case *tableCodec:
			e.TV(e.P())
			e.Record(nil, 1)
		case *Modes:
			e.Occupancy()
			_, _, _ = e.LogOdds(0, e.Modes()-1)
			_, _ = e.IACT(0)
			_, _ = e.RoundTrips()
			e.Dwells(0)
		}
	})
}

// TestReportJSON: reports encode although JSON has no NaN and no infinity.
func TestReportJSON(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	v := Value{X: inf, MCSE: nan, ESS: 10, Floor: -inf}
	code, err := json.Marshal(v)
	if want := `{"x":"+Inf","mcse":null,"ess":10,"floor":"-Inf"}`; err != nil || string(code) != want {
		t.Errorf("%s, %v: want %s", code, err, want)
	}
	var back Value
	if err := json.Unmarshal(code, &back); err != nil || back.X != inf || !math.IsNaN(back.MCSE) || back.ESS != 10 || back.Floor != -inf {
		t.Errorf("%+v, %v", back, err)
	}
	constant := must(Describe([][]float64{{1, 1, 1, 1}}))
	row := SummaryRow{Variable: "x", MCSE: nan, ESS: nan, Rhat: inf, Constant: true}
	for _, r := range []any{constant, Summary{Rows: []SummaryRow{row}}, CurvePoint{Mean: nan, SE: nan}} {
		if code, err := json.Marshal(r); err != nil || !strings.Contains(string(code), "null") {
			t.Errorf("%T: %s, %v", r, code, err)
		}
	}
}
