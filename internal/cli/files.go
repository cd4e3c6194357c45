package cli

import (
	"os"
	"path/filepath"
)

// Writable makes the directory if needed and tries to write to it: a command calls it
// before the work and not after.
func Writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	t, err := os.CreateTemp(dir, ".writable")
	if err != nil {
		return err
	}
	t.Close()
	return os.Remove(t.Name())
}

// WriteFile writes data to path so that the file is whole or not there.
func WriteFile(path string, data []byte) error {
	t, err := os.CreateTemp(filepath.Dir(path), ".partial")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // fails, as it should, after the rename
	if _, err := t.Write(data); err != nil {
		t.Close()
		return err
	}
	if err := t.Chmod(0o644); err != nil {
		t.Close()
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}
