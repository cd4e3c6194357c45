package engine

import (
	"math"

	"github.com/spikesampling/spikesampling/stp"
)

// plastic is the short-term plasticity of all lanes: stp.Sender as arrays, with decays from
// tables. Conversions keep every platform from fusing.
type plastic struct {
	p        stp.Params
	r, u     []float64 // resource and utilisation used by the last spike; u = −1 before the first
	rec, fac decays
}

func newPlastic(p stp.Params, dt float64, lanes int) plastic {
	x := plastic{p: p, r: make([]float64, lanes), u: make([]float64, lanes), rec: newDecays(dt, p.TauRec), fac: newDecays(dt, p.TauFac)}
	x.rest()
	return x
}

// rest makes all lanes as if they had never spiked.
func (x *plastic) rest() {
	for i := range x.u {
		x.r[i], x.u[i] = 1, -1
	}
}

// spike is a spike of a lane d steps after the one before. It returns the factor of the
// weights.
func (x *plastic) spike(lane int32, d int64) float32 {
	r, u := x.r[lane], x.u[lane]
	if u < 0 {
		r, u = 1, x.p.U
	} else {
		r = 1 + float64((float64(r*(1-u))-1)*x.rec.at(d))
		u = x.p.U + float64(float64(u*(1-x.p.U))*x.fac.at(d))
	}
	x.r[lane], x.u[lane] = r, u
	return float32(float64(x.p.Scale*u) * r)
}

// decays is e^{−d·dt/τ} for whole d ≥ 0 as a product of two tables; 0 for τ = 0 and beyond
// 40 τ.
type decays struct {
	fine   [256]float64
	coarse []float64
}

func newDecays(dt, tau float64) (t decays) {
	if tau == 0 {
		return t
	}
	for i := range t.fine {
		t.fine[i] = math.Exp(-float64(i) * dt / tau)
	}
	for i := 0; float64(i*len(t.fine))*dt < 40*tau; i++ {
		t.coarse = append(t.coarse, math.Exp(-float64(i*len(t.fine))*dt/tau))
	}
	return t
}

func (t *decays) at(d int64) float64 {
	if i := d / int64(len(t.fine)); i < int64(len(t.coarse)) {
		return t.fine[d%int64(len(t.fine))] * t.coarse[i]
	}
	return 0
}
