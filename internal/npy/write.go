package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Write writes one array, byte for byte as numpy.save does.
func Write(w io.Writer, a Array) error {
	if err := write(w, a); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}

// write does not name the package in errors.
func write(w io.Writer, a Array) error {
	if err := a.check(); err != nil {
		return err
	}
	descr, _ := kind(a.Data)
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, tuple(a.Shape))
	// 10 bytes come before the header, and a newline ends it at a multiple of 64.
	dict += strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	head := append([]byte(magic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(dict)))
	if _, err := w.Write(append(head, dict...)); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, a.Data)
}
