package npy

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxBytes bounds what an NPZ file holds, after decompression.
const maxBytes = 1 << 31

// maxHeader is at least the length of what comes before the entries of an array.
const maxHeader = 512

// ReadZip reads an NPZ file of size bytes. Every member must be an NPY file, every name
// must be there once, and the checksums must be right.
func ReadZip(r io.ReaderAt, size int64) (Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("npy: no NPZ file: %w", err)
	}
	total := uint64(0)
	for _, f := range z.File {
		// Each is compared, so the sum cannot pass the end of its type.
		if f.UncompressedSize64 > maxBytes || total+f.UncompressedSize64 > maxBytes {
			return nil, fmt.Errorf("npy: NPZ file of more than %d bytes of arrays: must be at most that", maxBytes)
		}
		total += f.UncompressedSize64
	}
	var a Archive
	names := map[string]bool{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("npy: NPZ file with a member %q: names must end in .npy", f.Name)
		}
		if err := checkName(name, names); err != nil {
			return nil, err
		}
		x, err := readMember(f)
		if err != nil {
			return nil, fmt.Errorf("npy: array %q: %w", name, err)
		}
		a = append(a, Entry{name, x})
	}
	return a, nil
}

// readMember reads one array to the end of its file, where the checksum is compared.
func readMember(f *zip.File) (Array, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	return read(r)
}

// checkName reports an error if no array can have that name or one has it already.
func checkName(name string, taken map[string]bool) error {
	if taken[name] {
		return fmt.Errorf("npy: two arrays %q: names must differ", name)
	}
	taken[name] = true
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") {
		return fmt.Errorf("npy: array name %q: must be a file name, which may have single slashes inside", name)
	}
	return nil
}

// ReadZipFile reads an NPZ file.
func ReadZipFile(path string) (a Archive, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if a, err = ReadZip(f, info.Size()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// WriteZip writes an NPZ file that numpy.load reads. The same arrays give the same bytes.
func WriteZip(w io.Writer, a Archive) error {
	names := map[string]bool{}
	total := 0
	for _, e := range a {
		if err := checkName(e.Name, names); err != nil {
			return err
		}
		if err := e.check(); err != nil {
			return fmt.Errorf("npy: array %q: %w", e.Name, err)
		}
		total += maxHeader + binary.Size(e.Data)
		if total > maxBytes {
			return fmt.Errorf("npy: array %q: arrays up to here have %d bytes: must have at most %d", e.Name, total, maxBytes)
		}
	}
	z := zip.NewWriter(w)
	for _, e := range a {
		f, err := z.CreateHeader(&zip.FileHeader{
			Name:     e.Name + ".npy",
			Method:   zip.Store,
			Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return fmt.Errorf("npy: array %q: %w", e.Name, err)
		}
		if err := write(f, e.Array); err != nil {
			return fmt.Errorf("npy: array %q: %w", e.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}

// WriteZipFile writes an NPZ file so that at any time path is the old file, if there was
// one, or the whole new one.
func WriteZipFile(path string, a Archive) error {
	t, err := os.CreateTemp(filepath.Dir(path), ".partial")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // fails, as it should, after the rename
	b := bufio.NewWriterSize(t, 1<<16)
	err = WriteZip(b, a)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	} else {
		err = errors.Join(b.Flush(), t.Chmod(0o644), t.Sync())
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}
