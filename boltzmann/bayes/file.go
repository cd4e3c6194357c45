package bayes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ReadFile reads a network from a file in the format its extension names, .bif (ReadBIF)
// or .uai (ReadUAI), letter case ignored.
func ReadFile(path string) (*Network, error) {
	read := ReadBIF
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".bif":
	case ".uai":
		read = ReadUAI
	default:
		return nil, fmt.Errorf("bayes: %s: extension %q: must be .bif or .uai", path, ext)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("bayes: %w", err)
	}
	defer f.Close()
	n, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}
