package circuit

import (
	"context"
	"fmt"
	"math"
)

// MimicOptions configures Mimic. The zero value of each field but Input is that of the paper.
type MimicOptions struct {
	Seed    uint64         // of the student
	Teacher uint64         // seed of the teacher; default 42
	Epochs  int            // default 500
	Input   func() float64 // inputs, uniform in [0, 1] in the paper; required

	// OnEpoch, if set, is called after every epoch of learning.
	OnEpoch func(epoch int, d Distance)
}

// Distance says how far the student is from its teacher.
type Distance struct {
	Apical  float64 // root mean square of the apical potential while targets are there
	Output  float64 // the same of the difference of the outputs without targets
	Weights float64 // the same of the difference of W_up
}

// Mimicry is what Mimic finds.
type Mimicry struct {
	SelfPredicting float64  // root mean square apical potential before targets come
	Aligned        bool     // the student's feedback has the sign of the teacher's output weight
	First, Last    Distance // after the first and the last epoch
}

// Mimic runs the experiment of Fig. 5: six inputs, each for 1 ms in steps of 0.01 ms, to circuits of
// one cell a layer. The student first learns to predict itself, in three epochs without targets,
// then to do as the teacher does. The student's feedback stays as it is drawn; only if its sign is
// that of the teacher's output weight ([Mimicry.Aligned]) do errors reach the hidden cell with the
// right sign, and the student learns. Otherwise its weights go to their limits. If Mimic fails, or ctx
// ends, it returns what it has with the error.
func Mimic(ctx context.Context, o MimicOptions) (m Mimicry, err error) {
	if o.Input == nil || o.Epochs < 0 {
		return m, fmt.Errorf("circuit: Mimic of %d epochs: must be ≥ 1 (0: 500), and Input must be there", o.Epochs)
	}
	if o.Teacher == 0 {
		o.Teacher = 42
	}
	if o.Epochs == 0 {
		o.Epochs = 500
	}
	const dt, inputs, steps = .01, 6, 100
	teacherOptions := Haider2021(1, 1, 1)
	teacherOptions.Dt, teacherOptions.Seed = dt, o.Teacher
	teacher, err := New(teacherOptions)
	if err != nil {
		return m, err
	}
	var inputsOf, targetsOf [inputs][]float64
	for i := range inputs {
		inputsOf[i] = []float64{o.Input()}
		for range steps {
			if err := teacher.Step(inputsOf[i], nil, false); err != nil {
				return m, err
			}
		}
		targetsOf[i] = append([]float64(nil), teacher.Output()...)
	}
	so := teacherOptions
	so.Seed, so.Random = o.Seed, true
	so.IP, so.PI = 40, 50
	student, err := New(so)
	if err != nil {
		return m, err
	}
	m.Aligned = student.layers[0].down.Data[0]*teacher.layers[1].up.Data[0] > 0
	// show presents all inputs, and returns the mean squares of apical potential and output error.
	show := func(target, learning bool) (apical, output float64, err error) {
		for i := range inputs {
			x, y := inputsOf[i], targetsOf[i]
			goal := y
			if !target {
				goal = nil
			}
			for range steps {
				if err := student.Step(x, goal, learning); err != nil {
					return 0, 0, err
				}
			}
			a, e := student.Apical(1)[0], student.Output()[0]-y[0]
			apical += a * a / inputs
			output += e * e / inputs
		}
		return apical, output, ctx.Err()
	}
	for range 3 {
		if _, _, err := show(false, true); err != nil {
			return m, err
		}
	}
	a, _, err := show(false, false)
	if err != nil {
		return m, err
	}
	m.SelfPredicting = math.Sqrt(a)
	if err := student.SetRates([]float64{50, 10}, 20, 0); err != nil {
		return m, err
	}
	for e := range o.Epochs {
		apical, _, err := show(true, true)
		if err != nil {
			return m, err
		}
		_, output, err := show(false, false)
		if err != nil {
			return m, err
		}
		w := 0.0
		for l := range student.layers {
			v := student.layers[l].up.Data[0] - teacher.layers[l].up.Data[0]
			w += v * v / 2
		}
		m.Last = Distance{math.Sqrt(apical), math.Sqrt(output), math.Sqrt(w)}
		if e == 0 {
			m.First = m.Last
		}
		if o.OnEpoch != nil {
			o.OnEpoch(e+1, m.Last)
		}
	}
	return m, nil
}
