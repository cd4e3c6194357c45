package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/spikesampling/spikesampling"
	root   = "../.." // of the module, from here
)

// rule says what of the library a package may import in its code (tests may import
// upwards). A path is relative to the module; "a/..." is a and everything below it.
type rule struct {
	path string
	may  []string
}

// rules are in the order of the layers, from below: a package imports only packages above
// its row.
var rules = []rule{
	{"sampling/rng", nil},
	{"sampling/dynamics", nil},
	{"internal/linalg", nil},
	{"internal/linalg/gen", nil},
	{"internal/heatbath", nil},
	{"internal/kernel", nil},
	{"internal/kernel/gen", nil},
	{"internal/gibbskernel", []string{"internal/kernel"}},
	{"internal/gibbskernel/gen", nil},
	{"internal/npy", nil},
	{"internal/data", []string{"internal/npy"}},
	{"sampling", []string{"sampling/dynamics", "sampling/rng"}},
	{"sampling/estimate", []string{"sampling", "sampling/rng"}},
	{"boltzmann", with(bottom, "internal/gibbskernel", "internal/kernel")},
	{"boltzmann/bayes", with(bottom, "boltzmann")},
	{"boltzmann/models", with(bottom, "boltzmann")},
	{"internal/lumped", bottom},
	{"stp", []string{"sampling/dynamics"}},
	{"internal/engine", with(bottom, "internal/kernel", "stp")},
	{"lif", with(bottom, "boltzmann", "stp", "internal/engine", "internal/kernel")},
	{"lif/ensemble", with(bottom, "boltzmann", "lif", "stp")},
	{"tempering", with(bottom, "boltzmann", "lif")},
	{"boltzmann/train", with(bottom, "boltzmann", "tempering", "internal/gibbskernel", "internal/kernel", "internal/npy")},
	{"internal/embed", nil},
	{"inference", library},
	{"inference/learn", with(bottom, "internal/npy")},
	{"inference/latent", with(bottom, "inference/learn", "internal/npy")},
	{"inference/latent/circuit", with(bottom, "inference/learn")},
	{"inference/feedforward", with(library, "inference/learn")},
	{"internal/compare", []string{"sampling/..."}},
	{"internal/plotx", nil},
	{"internal/dream", with(library, "internal/compare", "internal/data", "internal/plotx")},
	{"internal/cli", []string{"sampling"}},
	{"internal/report", []string{"sampling", "internal/cli", "internal/plotx"}},
	{"internal/clitest", []string{"internal/cli"}},
	{"internal/data/gen", []string{"internal/cli", "internal/data"}},
	{"internal/layout", nil},
	{"examples/...", with(library, "inference/...", "internal/cli", "internal/clitest", "internal/compare", "internal/dream", "internal/plotx", "internal/report", "internal/npy", "internal/data", "internal/embed", "internal/engine", "internal/kernel")},
	{"notebooks/...", with(library, "inference/...", "internal/cli", "internal/plotx", "internal/data")},
}

var (
	bottom  = []string{"sampling/...", "internal/linalg", "internal/heatbath"}
	library = with(bottom, "boltzmann/...", "internal/lumped", "stp", "lif", "lif/ensemble", "tempering")
)

func with(base []string, more ...string) []string { return slices.Concat(base, more) }

// programs are imported by nobody, and may draw.
var programs = []string{"examples/...", "notebooks/..."}

// matches reports whether a package is one of the patterns.
func matches(pkg string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		below, tree := strings.CutSuffix(p, "/...")
		return pkg == below || tree && strings.HasPrefix(pkg, below+"/")
	})
}

// ruleOf is the index of the rule of a package, -1 if there is none.
func ruleOf(pkg string) int {
	return slices.IndexFunc(rules, func(r rule) bool { return matches(pkg, r.path) })
}

// file is one Go file of the module.
type file struct {
	pkg  string // relative to the module
	name string
	test bool
	ast  *ast.File
}

// files parses every Go file of the module, whatever its build constraints.
func files(t *testing.T) (all []file, fset *token.FileSet) {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), "module "+module+"\n") {
		t.Fatalf("%s is not the root of %s: %v", root, module, err)
	}
	fset = token.NewFileSet()
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if p == root {
				return nil
			}
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			if base[0] == '.' || base[0] == '_' || base == "testdata" || nested == nil {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(base) != ".go" || base[0] == '.' || base[0] == '_' {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, p, nil, 0)
		if err != nil {
			return err
		}
		all = append(all, file{filepath.ToSlash(rel), base, strings.HasSuffix(base, "_test.go"), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("%d Go files below %s", len(all), root)
	}
	return all, fset
}

// imports are the paths a file imports.
func imports(f *ast.File) []string {
	var paths []string
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value) // parsed, so valid
		paths = append(paths, p)
	}
	return paths
}

// importFault says what is wrong if a file of package pkg imports path; "" if nothing.
func importFault(pkg string, test bool, imported string) string {
	if matches(imported, "gonum.org/v1/plot/...") && !matches(pkg, with(programs, "internal/plotx")...) {
		return "only internal/plotx, examples and notebooks may draw"
	}
	target, ours := strings.CutPrefix(imported, module+"/")
	if !ours || target == pkg { // an external test imports its own package
		return ""
	}
	if matches(target, programs...) {
		return "examples and notebooks are imported by nobody"
	}
	if i := ruleOf(pkg); !test && i >= 0 && !matches(target, rules[i].may...) {
		return fmt.Sprintf("%s may import of the library only %v", pkg, rules[i].may)
	}
	return ""
}

// TestImports: imports go one way, and every package has a rule that says which.
func TestImports(t *testing.T) {
	all, _ := files(t)
	missing := map[string]bool{}
	for _, f := range all {
		if ruleOf(f.pkg) < 0 {
			missing[f.pkg] = true
		}
		for _, p := range imports(f.ast) {
			if fault := importFault(f.pkg, f.test, p); fault != "" {
				t.Errorf("%s/%s imports %s: %s", f.pkg, f.name, p, fault)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("package %s has no rule: add a row to rules in internal/layout/layout_test.go, below everything it imports", pkg)
	}
}

// TestRules: the table itself goes one way.
func TestRules(t *testing.T) {
	for i, r := range rules {
		for _, upper := range rules[i+1:] {
			if matches(strings.TrimSuffix(upper.path, "/..."), r.may...) {
				t.Errorf("%s may import %s, which is below it in the table: rules must be in the order of the layers", r.path, upper.path)
			}
		}
		for _, p := range r.may {
			if !slices.ContainsFunc(rules, func(q rule) bool { return q.path == p || matches(q.path, p) }) {
				t.Errorf("%s may import %s, which has no rule", r.path, p)
			}
		}
	}
}

// TestImportFault checks the check.
func TestImportFault(t *testing.T) {
	for _, c := range []struct {
		pkg, imports string
		test, fault  bool
	}{
		{"sampling/rng", "sampling", false, true},
		{"sampling/rng", "lif", true, false},
		{"sampling/dynamics", "sampling/rng", false, true},
		{"sampling/estimate", "sampling", false, false},
		{"sampling/estimate", "sampling/dynamics", false, true},
		{"boltzmann", "sampling/estimate", false, false},
		{"boltzmann", "boltzmann/bayes", false, true},
		{"stp", "sampling", false, true},
		{"lif", "internal/engine", false, false},
		{"lif", "boltzmann/bayes", false, true},
		{"internal/engine", "lif", false, true},
		{"lif", "tempering", false, true},
		{"tempering", "lif", false, false},
		{"inference", "tempering", false, false},
		{"inference", "internal/plotx", false, true},
		{"lif", "examples/posterior", true, true},
		{"examples/a", "examples/b", false, true},
		{"examples/a", "internal/plotx", false, false},
		{"internal/plotx", "sampling", false, true},
	} {
		if got := importFault(c.pkg, c.test, module+"/"+c.imports); (got != "") != c.fault {
			t.Errorf("%s imports %s (test: %v): %q", c.pkg, c.imports, c.test, got)
		}
	}
	for _, pkg := range []string{"lif", "internal/cli", "internal/plotx", "examples/x"} {
		if got := importFault(pkg, false, "gonum.org/v1/plot/vg"); (got != "") != (pkg == "lif" || pkg == "internal/cli") {
			t.Errorf("%s imports gonum/plot: %q", pkg, got)
		}
	}
	if ruleOf("sampling/unheard") >= 0 || ruleOf("lifx") >= 0 || ruleOf("") >= 0 {
		t.Error("unknown packages have a rule")
	}
}

// generators are the packages of random generators with what may be used of them: all but
// the functions that draw from a global generator.
var generators = map[string][]string{
	"math/rand/v2":          {"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"},
	"math/rand":             {"New", "NewSource", "NewZipf", "Rand", "Source", "Source64", "Zipf"},
	"golang.org/x/exp/rand": {"New", "NewSource", "NewZipf", "Rand", "Source", "PCGSource", "LockedSource", "Zipf"},
	"crypto/rand":           {},
}

// clockNumbers are the methods of time.Time that make a number of it, as a seed is.
var clockNumbers = []string{"Unix", "UnixNano", "UnixMicro", "UnixMilli", "Nanosecond"}

// callFaults lists what a file of package pkg uses and must not.
func callFaults(pkg string, f *ast.File, fset *token.FileSet) (faults []string) {
	fault := func(n ast.Node, format string, a ...any) {
		faults = append(faults, fmt.Sprintf("%s: ", fset.Position(n.Pos()))+fmt.Sprintf(format, a...))
	}
	program := matches(pkg, "examples/...", "internal/cli", "internal/clitest")
	names := map[string]string{} // name in the file → import path
	for i, p := range imports(f) {
		name := path.Base(p)
		if p == "math/rand/v2" {
			name = "rand"
		}
		if id := f.Imports[i].Name; id != nil {
			name = id.Name
		}
		if name == "." {
			fault(f.Imports[i], "dot import of %s hides what is called", p)
		}
		names[name] = p
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && !program {
			if id, ok := call.Fun.(*ast.Ident); ok && id.Obj == nil && (id.Name == "print" || id.Name == "println") {
				fault(n, "%s: a library prints nothing", id.Name)
			}
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		name := sel.Sel.Name
		id, ok := sel.X.(*ast.Ident)
		if !ok || id.Obj != nil || names[id.Name] == "" { // not a package's
			if slices.Contains(clockNumbers, name) && slices.Contains(slices.Collect(maps.Values(names)), "time") {
				fault(n, "%s: the time is no seed", name)
			}
			return true
		}
		p := names[id.Name]
		if allowed, ok := generators[p]; ok && !slices.Contains(allowed, name) {
			fault(n, "%s.%s: randomness comes from an injected source only", p, name)
		}
		switch {
		case program:
		case p == "os" && name == "Exit", p == "log" && strings.HasPrefix(name, "Fatal"):
			fault(n, "%s.%s: a library returns errors", p, name)
		case p == "fmt" && strings.HasPrefix(name, "Print"):
			fault(n, "fmt.%s: a library prints nothing", name)
		}
		return true
	})
	return faults
}

// TestCalls: no global generator and no time as seed anywhere, and no exit and no output
// outside examples, internal/cli and internal/clitest.
func TestCalls(t *testing.T) {
	all, fset := files(t)
	for _, f := range all {
		if f.test {
			continue
		}
		for _, fault := range callFaults(f.pkg, f.ast, fset) {
			t.Error(fault)
		}
	}
}

// TestCallFaults checks the check.
func TestCallFaults(t *testing.T) {
	for _, c := range []struct {
		imports, body string
		library, cli  int // faults in a library package and in internal/cli
	}{
		{`"math/rand/v2"`, `rand.New(rand.NewPCG(1, 2)).IntN(3)`, 0, 0},
		{`"math/rand/v2"`, `rand.IntN(3)`, 1, 1},
		{`r "math/rand/v2"`, `r.Shuffle(3, nil); f := r.Float64; f()`, 2, 2},
		{`"math/rand"`, `rand.Seed(1)`, 1, 1},
		{`"math/rand"`, `rand := 1; rand.Seed()`, 0, 0},
		{`"golang.org/x/exp/rand"`, `rand.Uint64(); rand.NewSource(3)`, 1, 1},
		{`"crypto/rand"`, `rand.Read(nil)`, 1, 1},
		{`. "math/rand/v2"`, `IntN(3)`, 1, 1},
		{`"time"`, `seed(time.Now().UnixNano())`, 1, 1},
		{`"time"`, `t := time.Now(); seed(t.Unix()); time.Since(t); time.Unix(1, 2)`, 1, 1},
		{`"os"`, `os.Exit(1)`, 1, 0},
		{`"os"`, `os.Open("x")`, 0, 0},
		{`"log"`, `log.Fatal(1); log.Fatalf("x")`, 2, 0},
		{`"fmt"`, `fmt.Print(1); fmt.Printf("x"); fmt.Println(); fmt.Sprintf("x"); fmt.Errorf("x")`, 3, 0},
		{`"fmt"`, `println(1); print(2)`, 2, 0},
	} {
		src := "package p\nimport " + c.imports + "\nfunc f() { " + c.body + " }\n"
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		for pkg, want := range map[string]int{"lif": c.library, "sampling/rng": c.library, "internal/cli": c.cli, "examples/x": c.cli} {
			if got := callFaults(pkg, f, fset); len(got) != want {
				t.Errorf("%s in %s: %q: must be %d faults", c.body, pkg, got, want)
			}
		}
	}
}

// top is what may lie at the top level beside hidden files.
var top = strings.Fields("go.mod go.sum sampling lif stp tempering boltzmann inference notebooks examples README.md LICENSE internal")

// TestTopLevel looks at what git tracks, or at the directory where there is no git.
func TestTopLevel(t *testing.T) {
	seen := map[string]bool{}
	if out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output(); err == nil {
		for p := range strings.SplitSeq(string(out), "\x00") {
			first, _, _ := strings.Cut(p, "/")
			seen[first] = true
		}
		delete(seen, "") // after the last separator
	}
	if len(seen) == 0 {
		entries, err := os.ReadDir(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			seen[e.Name()] = true
		}
	}
	if !seen["go.mod"] {
		t.Error("no go.mod at the top level")
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if name[0] != '.' && !slices.Contains(top, name) {
			t.Errorf("%s at the top level: only %v and hidden files belong there", name, top)
		}
	}
}
