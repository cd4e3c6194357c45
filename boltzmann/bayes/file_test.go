package bayes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if n := must(ReadFile(write("a.bif", dialects))); n.Name != "several words" {
		t.Errorf("a.bif: %+v", n)
	}
	if n := must(ReadFile(write("a.UAI", uaiBayes))); len(n.Vars) != 3 {
		t.Errorf("a.UAI: %+v", n)
	}
	_, err := ReadFile(write("a.xml", ""))
	wantError(t, err, "a.xml", `extension ".xml": must be .bif or .uai`)
	_, err = ReadFile(write("bad.bif", "network"))
	wantError(t, err, "bad.bif: bayes: BIF line 1, column 8")
	if _, err = ReadFile(filepath.Join(dir, "none.bif")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestBuiltin(t *testing.T) {
	for name, vars := range map[string]int{"asia": 8, "vision": 4, "alarm": 3} {
		n := must(Builtin(name))
		if n.Name != name || len(n.Vars) != vars || !n.Bayesian() {
			t.Errorf("%s: %+v", name, n)
		}
		n.Factors[0].Table[0] = 7
		if reflect.DeepEqual(n, must(Builtin(name))) {
			t.Errorf("%s: two calls share memory", name)
		}
	}
	_, err := Builtin("cancer")
	wantError(t, err, `no built-in network "cancer": must be one of "asia", "vision", "alarm"`)
}
