package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Write writes one array, byte for byte as numpy.save does.
func Write(w io.Writer, a Array) error {
	if err := a.Check(); err != nil {
		return err
	}
	descr, _ := kind(a.Data)
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, tuple(a.Shape))
	// 10 bytes come before the header, and a newline ends it at a multiple of 64.
	dict += strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	if len(dict) >= 1<<16 {
		return fmt.Errorf("npy: array of %d dimensions: its header must fit in 65535 bytes", len(a.Shape))
	}
	head := append([]byte(magic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(dict)))
	if _, err := w.Write(append(head, dict...)); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if err := binary.Write(w, binary.LittleEndian, a.Data); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}
