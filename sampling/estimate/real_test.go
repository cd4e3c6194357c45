package estimate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// TestRealMoments compares with the two-pass formulas and merges chains in another order.
func TestRealMoments(t *testing.T) {
	const n, chains, states = 3, 5, 40
	r := rand.New(rand.NewPCG(1, 2))
	x := make([][]float64, states)
	for k := range x {
		x[k] = make([]float64, n*chains)
		for i := range x[k] {
			x[k][i] = 1e4 + r.NormFloat64()*float64(1+i%n)
		}
	}
	m, err := NewRealMoments(n)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([]*RealMoments, 2)
	for p := range parts {
		if parts[p], err = NewRealMoments(n); err != nil {
			t.Fatal(err)
		}
	}
	s, err := NewRealSeries(n)
	if err != nil {
		t.Fatal(err)
	}
	for k := range x {
		for _, e := range []error{
			m.RecordReal(float64(k), x[k], chains), s.RecordReal(float64(k), x[k], chains),
			parts[0].RecordReal(float64(k), x[k][:2*n], 2), parts[1].RecordReal(float64(k), x[k][2*n:], 3)} {
			if e != nil {
				t.Fatal(e)
			}
		}
	}
	// Into an empty one first: what is merged stays as it is, whatever comes after.
	empty, _ := NewRealMoments(n)
	if err := empty.Merge(parts[1]); err != nil {
		t.Fatal(err)
	}
	if err := empty.RecordReal(0, x[0][2*n:], 3); err != nil {
		t.Fatal(err)
	}
	if empty.Count() != 3*(states+1) || parts[1].Count() != 3*states {
		t.Errorf("%d and %d states after a merge", empty.Count(), parts[1].Count())
	}
	if parts[0].Merge(nil) == nil || parts[0].Merge(parts[0]) == nil || s.Merge(nil) == nil || s.Merge(s) == nil {
		t.Error("merge of nil or of itself: no error")
	}
	if err := parts[0].Merge(parts[1]); err != nil {
		t.Fatal(err)
	}
	// JSON holds all.
	b, err := json.Marshal(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	var restored RealMoments
	if err := json.Unmarshal(b, &restored); err != nil || !reflect.DeepEqual(&restored, parts[0]) {
		t.Errorf("restored: %+v, %v", restored, err)
	}
	if b, err = json.Marshal(s); err != nil {
		t.Fatal(err)
	}
	var series RealSeries
	if err := json.Unmarshal(b, &series); err != nil || !reflect.DeepEqual(&series, s) {
		t.Errorf("restored: %+v, %v", series, err)
	}
	if err := series.Merge(s); err != nil || len(series.Variable(2)) != 2*chains || !reflect.DeepEqual(series.Variable(2)[chains:], s.Variable(2)) || len(s.Variable(2)) != chains {
		t.Errorf("merged: %d chains, %v", len(series.Variable(2)), err)
	}
	mean, se, err := m.Mean()
	if err != nil {
		t.Fatal(err)
	}
	cov, covSE, err := m.Cov()
	if err != nil {
		t.Fatal(err)
	}
	mergedMean, mergedSE, _ := parts[0].Mean()
	merged, mergedCovSE, _ := parts[0].Cov()
	all := make([][]float64, n)
	for i := range all {
		means := make([]float64, chains)
		for c, series := range s.Variable(i) {
			all[i] = append(all[i], series...)
			means[c] = stat.Mean(series, nil)
		}
		if want := stat.Mean(all[i], nil); math.Abs(mean[i]-want) > 1e-10 || math.Abs(mergedMean[i]-want) > 1e-10 {
			t.Errorf("mean %d: %v, merged %v: must be %v", i, mean[i], mergedMean[i], want)
		}
		// Chains of one length: the standard error is that of the mean of their means.
		if want := stat.StdDev(means, nil) / math.Sqrt(chains); math.Abs(se[i]-want) > 1e-10 || math.Abs(mergedSE[i]-want) > 1e-10 {
			t.Errorf("standard error %d: %v: must be %v", i, se[i], want)
		}
	}
	for i := range n {
		for j := range n {
			k := float64(chains * states)
			if want := stat.Covariance(all[i], all[j], nil) * (k - 1) / k; math.Abs(cov.At(i, j)-want) > 1e-8 || math.Abs(merged.At(i, j)-want) > 1e-8 {
				t.Errorf("covariance %d,%d: %v, merged %v: must be %v", i, j, cov.At(i, j), merged.At(i, j), want)
			}
			if math.Abs(covSE.At(i, j)-mergedCovSE.At(i, j)) > 1e-8 {
				t.Errorf("standard error of covariance %d,%d: %v and %v", i, j, covSE.At(i, j), mergedCovSE.At(i, j))
			}
		}
	}
	if m.Count() != chains*states || m.Chains() != chains || len(s.Times()) != states {
		t.Errorf("%d states of %d chains, %d times", m.Count(), m.Chains(), len(s.Times()))
	}
}

// TestRealErrors: over many repetitions the standard errors are those seen, for chains whose
// states depend on each other. 400 repetitions: the spread of a variance is 7 %; at 5 of these
// a false alarm has 6e-7.
func TestRealErrors(t *testing.T) {
	const repeats, chains, states, a = 400, 20, 50, .9
	r := rand.New(rand.NewPCG(3, 4))
	var z2, zc2, covSE2 float64
	covs := make([]float64, 0, repeats)
	for range repeats {
		m, _ := NewRealMoments(1)
		x := make([]float64, chains)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		for range states {
			for i := range x {
				x[i] = a*x[i] + math.Sqrt(1-a*a)*r.NormFloat64()
			}
			if err := m.RecordReal(0, x, chains); err != nil {
				t.Fatal(err)
			}
		}
		mean, se, _ := m.Mean()
		cov, covSE, _ := m.Cov()
		covs = append(covs, cov.At(0, 0))
		covSE2 += covSE.At(0, 0) * covSE.At(0, 0) / repeats
		z2 += mean[0] * mean[0]
		zc2 += se[0] * se[0]
	}
	if ratio := zc2 / z2; math.Abs(ratio-1) > .36+.05 {
		t.Errorf("estimated over true variance of a mean: %v", ratio)
	}
	if ratio := covSE2 / stat.Variance(covs, nil); math.Abs(ratio-1) > .36+.1 {
		t.Errorf("estimated over true variance of a variance: %v", ratio)
	}
}

func TestRealRefusals(t *testing.T) {
	if _, err := NewRealMoments(0); err == nil {
		t.Error("no variables: no error")
	}
	if _, err := NewRealSeries(0); err == nil {
		t.Error("no variables: no error")
	}
	m, _ := NewRealMoments(2)
	s, _ := NewRealSeries(2)
	if _, _, err := m.Mean(); err == nil {
		t.Error("mean of nothing: no error")
	}
	if _, _, err := m.Cov(); err == nil {
		t.Error("covariance of nothing: no error")
	}
	if s.Variable(1) != nil {
		t.Error("series of nothing")
	}
	for i, x := range [][]float64{{1}, {1, 2}, {1, 2, 3, 4}} {
		ok := i == 1
		if err := m.RecordReal(0, x, max(len(x)/2, 1)); (err == nil) != ok {
			t.Errorf("moments of %v: %v", x, err)
		}
		if err := s.RecordReal(0, x, max(len(x)/2, 1)); (err == nil) != ok {
			t.Errorf("series of %v: %v", x, err)
		}
	}
	if _, se, err := m.Mean(); err != nil || !math.IsNaN(se[0]) {
		t.Errorf("one chain: %v, %v: the error must be NaN", se, err)
	}
	o, _ := NewRealMoments(3)
	if err := m.Merge(o); err == nil {
		t.Error("merge of other variables: no error")
	}
	p, _ := NewRealSeries(2)
	if err := s.Merge(p); err == nil {
		t.Error("merge of other times: no error")
	}
	for _, bad := range []string{`{`, `{"n":0}`, `{"n":1,"count":[1]}`, `{"n":1,"origin":[0],"count":[0.5],"x":[[1]],"xx":[[1]]}`,
		`{"n":1,"origin":[0],"count":[1],"x":[[1,2]],"xx":[[1]]}`, `{"n":2,"origin":[0,0],"count":[1],"x":[[1,2]],"xx":[[1,2]]}`} {
		if err := json.Unmarshal([]byte(bad), m); err == nil || m.Count() != 1 {
			t.Errorf("moments of %s: %v", bad, err)
		}
	}
	for _, bad := range []string{`{`, `{"n":0}`, `{"n":1,"times":[1]}`, `{"n":1,"times":[1],"values":[[]]}`, `{"n":2,"times":[1],"values":[[[1]]]}`, `{"n":2,"times":[1],"values":[[[1]],[[1],[2]]]}`, `{"n":1,"times":[1],"values":[[[1,2]]]}`} {
		if err := json.Unmarshal([]byte(bad), s); err == nil || len(s.Times()) != 1 {
			t.Errorf("series of %s: %v", bad, err)
		}
	}
}
