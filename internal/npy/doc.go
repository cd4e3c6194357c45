// Package npy reads and writes arrays in the two file formats of NumPy: NPY, one array
// (numpy.save), and NPZ, named arrays in a zip file (numpy.savez).
//
// An NPY file is the magic "\x93NUMPY", two bytes of version, the length of the header
// (two bytes in version 1, four in 2 and 3), the header, a Python dictionary of type,
// order and shape padded with spaces to a multiple of 64 bytes, and the entries. All
// numbers are little endian. Read are versions 1 to 3 in C and in Fortran order; written
// is version 1 in C order, byte for byte as NumPy does.
//
// The types are those of [Element]: NumPy's float32, float64, uint8, int8, int16, int32,
// int64 and bool. An array has at most 2^28 entries and an NPZ file at most 2 GiB of
// arrays, so that a small hostile file cannot claim all memory.
//
// The same arrays give the same bytes: entries of an NPZ file are in the order given, all
// of 1 January 1980, and not compressed, as numpy.savez does it; what is read may be
// compressed. Text can be kept as an array of uint8.
//
// Source: NumPy enhancement proposal 1, "A simple file format for NumPy arrays", and the
// documentation of numpy.lib.format.
package npy
