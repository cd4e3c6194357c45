package npy

import (
	"archive/zip"
	"bufio"
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
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("npy: NPZ file with a member %q: names must end in .npy", f.Name)
		}
		if err := a.mayAdd(name); err != nil {
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
	return Read(r)
}

// mayAdd reports an error if an array of that name cannot join the archive.
func (a Archive) mayAdd(name string) error {
	if _, twice := a.Find(name); twice {
		return fmt.Errorf("npy: two arrays %q: names must differ", name)
	}
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
	for i, e := range a {
		if err := a[:i].mayAdd(e.Name); err != nil {
			return err
		}
		if err := e.Check(); err != nil {
			return fmt.Errorf("npy: array %q: %w", e.Name, err)
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
		if err := Write(f, e.Array); err != nil {
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
