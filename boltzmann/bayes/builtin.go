package bayes

import (
	"bytes"
	_ "embed"
	"fmt"
)

//go:embed networks/asia.bif
var asiaBIF []byte

//go:embed networks/vision.bif
var visionBIF []byte

//go:embed networks/alarm.bif
var alarmBIF []byte

// builtins are the networks by name, in the order they are listed to the user.
var builtins = []struct {
	name string
	make func() *Network
}{
	{"asia", ASIA},
	{"vision", Vision},
	{"alarm", Alarm},
}

// Builtin returns a built-in network by name: "asia", "vision" or "alarm".
func Builtin(name string) (*Network, error) {
	for _, b := range builtins {
		if b.name == name {
			return b.make(), nil
		}
	}
	return nil, fmt.Errorf("bayes: no built-in network %q: must be one of %s", name, quoteList(BuiltinNames()))
}

// BuiltinNames lists the names Builtin knows.
func BuiltinNames() []string {
	names := make([]string, len(builtins))
	for i, b := range builtins {
		names[i] = b.name
	}
	return names
}

// embedded parses a file of this package, whose errors only a programmer can cause.
func embedded(bif []byte) *Network {
	n, err := ReadBIF(bytes.NewReader(bif))
	if err != nil {
		panic(err)
	}
	return n
}

// ASIA is the chest clinic network of Lauritzen and Spiegelhalter 1988 ("Local
// computations with probabilities on graphical structures and their application to expert
// systems", J. R. Stat. Soc. B 50:157-224): asia (a visit to Asia) → tub (tuberculosis);
// smoke → lung (cancer), bronc(hitis); tub, lung → either; either → xray (positive);
// either, bronc → dysp(noea). All states are yes and no; either is the logical or of tub
// and lung. Names are those of the bnlearn repository.
func ASIA() *Network { return embedded(asiaBIF) }

// Vision is the visual perception network of Knill and Kersten 1991 ("Apparent surface
// curvature affects lightness perception", Nature 351:228-230), with the numbers of
// Pecevski, Buesing and Maass 2011: what is seen, a shading profile and a contour, is
// explained by the reflectance and the shape of a surface.
//
//	reflectance  z1  uniform, step      a step of the reflectance, or none
//	shape        z2  flat, cylinder
//	shading      z3  absent, present    the profile that either cause alone would give
//	contour      z4  straight, curved   seen at the edge; curved suggests a cylinder
//
// The second state of each is z = 1. p(shading | reflectance, shape) is not a product, so
// a Boltzmann machine of all four variables has third-order couplings. With shading
// observed, a curved contour explains it by shape and makes a step of reflectance less
// likely.
func Vision() *Network { return embedded(visionBIF) }

// Alarm is a small network for explaining away: burglary (prior .3) and earthquake (.2)
// cause an alarm by a noisy or (Pearl 1988, "Probabilistic Reasoning in Intelligent
// Systems", section 4.3) with strengths .8 and .7 and leak .05,
//
//	p(no alarm | burglary, earthquake) = .95 · .2^burglary · .3^earthquake.
//
// All states are yes and no. It is not the patient monitoring network ALARM.
func Alarm() *Network { return embedded(alarmBIF) }
