// Package layout is empty. Its tests keep the order of the repository: which package may
// import which, what library code must not call, and what lies at the top level. The
// tables are in layout_test.go.
package layout
