package bayes

import (
	"maps"
	"testing"
)

func TestParseEvidence(t *testing.T) {
	for in, want := range map[string]Evidence{
		"":                      {},
		"  ":                    {},
		"xray=yes,dysp=yes":     {"xray": "yes", "dysp": "yes"},
		" xray = yes , a.b=x-1": {"xray": "yes", "a.b": "x-1"},
		"age=>=50":              {"age": ">=50"},
	} {
		got, err := ParseEvidence(in)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("ParseEvidence(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"xray":              `evidence "xray": must be variable=state`,
		"xray=yes,":         `evidence "": must be`,
		"=yes":              `evidence "=yes"`,
		"xray=":             `evidence "xray="`,
		"xray=yes,xray=yes": `variable "xray" twice`,
	} {
		_, err := ParseEvidence(in)
		wantError(t, err, "bayes: ", want)
	}
}

func TestEvidenceString(t *testing.T) {
	ev := Evidence{"b": "1", "a": "2", "c": "3"}
	if got := ev.String(); got != "a=2,b=1,c=3" {
		t.Errorf("String() = %q", got)
	}
}

func TestUnknownEvidence(t *testing.T) {
	asia := ASIA()
	for _, use := range []func(Evidence) error{
		func(ev Evidence) error { _, err := asia.Posterior(ev); return err },
		func(ev Evidence) error { _, err := asia.PosteriorJoint(ev, []string{"tub"}); return err },
		func(ev Evidence) error { _, err := asia.Translate(ev, Options{}); return err },
	} {
		err := use(Evidence{"xrays": "yes", "dysp": "maybe"})
		wantError(t, err,
			`unknown variable "xrays": must be one of "asia", "tub", "smoke", "lung", "bronc", "either", "xray", "dysp"`,
			`variable "dysp" has no state "maybe": must be one of "yes", "no"`)
	}
}

func TestSuggestNearest(t *testing.T) {
	var names []string
	for _, a := range []string{"heart", "lung", "liver", "kidney"} {
		for _, b := range []string{"Rate", "Volume", "Pressure", "Size"} {
			names = append(names, a+b)
		}
	}
	const want = `must be one of 16 names, nearest are "liverRate", "lungRate", "liverSize"`
	if got := suggest("liverate", names); got != want {
		t.Errorf("suggest = %s, want %s", got, want)
	}
}
