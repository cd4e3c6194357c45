package bayes

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// ReadUAI reads a network in the format of the UAI inference competitions, of type BAYES
// or MARKOV:
//
//	MARKOV
//	3            number of variables
//	2 2 3        their numbers of states
//	2            number of factors
//	2 0 1        size of the scope, variables; in BAYES the child comes last
//	3 0 1 2
//	4            number of entries of the first table
//	.1 .2 .3 .4  entries, last variable fastest
//	12 ...
//
// Variables are named "0", "1", ... and so are the states of each. Lines whose first word
// is "c" are comments. Errors give line, column and what was expected; all tables
// together may have 2^24 entries. The result has passed Validate.
//
// Source: UAI 2008 and 2016 evaluation file formats.
func ReadUAI(r io.Reader) (*Network, error) {
	s := &uaiScanner{src: newSource("UAI", r)}
	n, err := s.network()
	if err != nil {
		return nil, err
	}
	if err := n.Validate(); err != nil {
		return nil, err
	}
	return n, nil
}

// ReadUAIEvidence reads evidence in UAI format: the number of observed variables, then
// variable and state of each. A file that begins with the number of samples, as in UAI
// 2010, is understood if that number is 1.
func ReadUAIEvidence(r io.Reader) (Evidence, error) {
	s := &uaiScanner{src: newSource("UAI evidence", r)}
	var nums []int
	var at []place
	for {
		if err := s.advance(); err != nil {
			return nil, err
		}
		if s.word == "" {
			break
		}
		x, err := strconv.Atoi(s.word)
		if err != nil || x < 0 {
			return nil, s.expected("an integer ≥ 0")
		}
		if len(nums) > 2*maxStates {
			return nil, s.src.errorf(s.at, "more than %d numbers", len(nums))
		}
		nums, at = append(nums, x), append(at, s.at)
	}
	// The two forms have an odd and an even number of numbers.
	switch {
	case len(nums) == 0:
		return nil, s.expected("the number of observed variables (0: no evidence)")
	case len(nums)%2 == 0 && nums[0] == 1:
		nums, at = nums[1:], at[1:]
	case len(nums)%2 == 0:
		return nil, s.src.errorf(at[0], "%d numbers follow: expected the number of observed variables, then pairs of variable and state", len(nums)-1)
	}
	if pairs := len(nums) / 2; nums[0] != pairs {
		return nil, s.src.errorf(at[0], "%d variables observed but %d pairs of variable and state", nums[0], pairs)
	}
	ev := Evidence{}
	for i := 1; i < len(nums); i += 2 {
		name := strconv.Itoa(nums[i])
		if _, twice := ev[name]; twice {
			return nil, s.src.errorf(at[i], "variable %s is observed twice", name)
		}
		ev[name] = strconv.Itoa(nums[i+1])
	}
	return ev, nil
}

// uaiScanner cuts a file into words.
type uaiScanner struct {
	src  *source
	word string // the current word, "" at the end
	at   place
}

func (s *uaiScanner) advance() error {
	for {
		lineStart := s.src.at.col == 1
		for !s.src.end() && isSpace(s.src.peek(0)) {
			lineStart = s.src.take() == '\n' || lineStart
		}
		s.at = s.src.at
		var word []byte
		for !s.src.end() && !isSpace(s.src.peek(0)) {
			if len(word) == maxToken {
				return s.src.errorf(s.at, "word longer than %d bytes", maxToken)
			}
			word = append(word, s.src.take())
		}
		if s.src.err != nil {
			return s.src.errorf(s.at, "")
		}
		if s.word = string(word); s.word != "c" || !lineStart {
			return nil
		}
		for !s.src.end() && s.src.peek(0) != '\n' {
			s.src.take()
		}
	}
}

func (s *uaiScanner) expected(format string, args ...any) error {
	found := "the end of the file"
	if s.word != "" {
		found = token{kind: tokenWord, text: s.word}.String()
	}
	return s.src.errorf(s.at, "found %s: expected %s", found, fmt.Sprintf(format, args...))
}

// integer takes an integer in lo..hi.
func (s *uaiScanner) integer(lo, hi int, what string, args ...any) (int, error) {
	if err := s.advance(); err != nil {
		return 0, err
	}
	x, err := strconv.Atoi(s.word)
	if err != nil || x < lo || x > hi {
		return 0, s.expected("%s, an integer in %d..%d", fmt.Sprintf(what, args...), lo, hi)
	}
	return x, nil
}

func (s *uaiScanner) network() (*Network, error) {
	if err := s.advance(); err != nil {
		return nil, err
	}
	bayes := s.word == "BAYES"
	if !bayes && s.word != "MARKOV" {
		return nil, s.expected(`"BAYES" or "MARKOV"`)
	}
	nvar, err := s.integer(1, maxStates, "the number of variables")
	if err != nil {
		return nil, err
	}
	n := &Network{}
	states := 0
	for v := range nvar {
		r, err := s.integer(1, maxStates-states, "the number of states of variable %d", v)
		if err != nil {
			return nil, err
		}
		states += r
		va := Variable{Name: strconv.Itoa(v), States: make([]string, r)}
		for i := range va.States {
			va.States[i] = strconv.Itoa(i)
		}
		n.Vars = append(n.Vars, va)
	}
	if err := s.scopes(n, bayes); err != nil {
		return nil, err
	}
	for f := range n.Factors {
		if err := s.table(n, f); err != nil {
			return nil, err
		}
	}
	if err := s.advance(); err != nil {
		return nil, err
	}
	if s.word != "" {
		return nil, s.expected("the end of the file after the last table")
	}
	return n, nil
}

func (s *uaiScanner) scopes(n *Network, bayes bool) error {
	count, err := s.integer(0, maxEntries, "the number of factors")
	if err != nil {
		return err
	}
	card := n.cards()
	least, total := 0, 0
	if bayes {
		least = 1
	}
	for f := range count {
		k, err := s.integer(least, len(n.Vars), "the size of the scope of factor %d", f)
		if err != nil {
			return err
		}
		fac := Factor{Child: -1}
		seen := map[int]bool{}
		size := 1
		for range k {
			v, err := s.integer(0, len(n.Vars)-1, "a variable of factor %d", f)
			if err != nil {
				return err
			}
			if seen[v] {
				return s.src.errorf(s.at, "variable %d occurs twice in factor %d", v, f)
			}
			seen[v] = true
			if size > (maxEntries-total)/card[v] {
				return s.src.errorf(s.at, "the tables have more than %d entries together", maxEntries)
			}
			size *= card[v]
			fac.Scope = append(fac.Scope, v)
		}
		total += size
		if bayes {
			fac.Child = fac.Scope[k-1]
		}
		n.Factors = append(n.Factors, fac)
	}
	return nil
}

func (s *uaiScanner) table(n *Network, f int) error {
	fac := &n.Factors[f]
	size, _ := tableSize(fac.Scope, n.cards())
	got, err := s.integer(1, maxEntries, "the number of entries of factor %d", f)
	if err != nil {
		return err
	}
	if got != size {
		return s.expected("%d entries for factor %d (%s)", size, f, n.scopeNames(fac.Scope))
	}
	start := s.at
	for i := range size {
		if err := s.advance(); err != nil {
			return err
		}
		x, err := strconv.ParseFloat(s.word, 64)
		if err != nil || !(x >= 0) || math.IsInf(x, 0) {
			return s.expected("entry %d of factor %d, a finite number ≥ 0", i, f)
		}
		fac.Table = append(fac.Table, x)
	}
	if fac.Child < 0 {
		return nil
	}
	r := len(n.Vars[fac.Child].States)
	for row := range size / r {
		if sum, ok := rowSum(fac.Table[row*r : (row+1)*r]); !ok {
			return s.src.errorf(start, "the table of variable %d given %s sums to %v: expected 1 within %v",
				fac.Child, n.rowName(fac.Scope[:len(fac.Scope)-1], row), sum, rowTolerance)
		}
	}
	return nil
}

// WriteUAI writes the network in UAI format, as BAYES if it is a Bayesian network and as
// MARKOV otherwise. The format has no names: variables and states become indices, and
// ReadUAI gives back the same tables, bit for bit.
func (n *Network) WriteUAI(w io.Writer) error {
	if err := n.Validate(); err != nil {
		return err
	}
	b := bufio.NewWriter(w) // keeps the first error for Flush
	kind := "MARKOV"
	if n.Bayesian() {
		kind = "BAYES"
	}
	fmt.Fprintf(b, "%s\n%d\n%s\n%d\n", kind, len(n.Vars), intList(n.cards()), len(n.Factors))
	for _, f := range n.Factors {
		fmt.Fprintln(b, strings.TrimSpace(strconv.Itoa(len(f.Scope))+" "+intList(f.Scope)))
	}
	for _, f := range n.Factors {
		fmt.Fprintf(b, "\n%d\n%s\n", len(f.Table), numberList(f.Table, " "))
	}
	return b.Flush()
}

func intList(xs []int) string {
	part := make([]string, len(xs))
	for i, x := range xs {
		part[i] = strconv.Itoa(x)
	}
	return strings.Join(part, " ")
}
