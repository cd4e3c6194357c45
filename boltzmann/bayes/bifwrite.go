package bayes

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteBIF writes a Bayesian network in the dialect of bnlearn. ReadBIF gives back the
// same network, bit for bit. It refuses a network that is not valid, Markov factors,
// which the format does not have, and names with a quote or a line break.
func (n *Network) WriteBIF(w io.Writer) error {
	if err := n.Validate(); err != nil {
		return err
	}
	if !n.Bayesian() {
		return errors.New("bayes: WriteBIF: the network has Markov factors: BIF has conditional tables only (use WriteUAI)")
	}
	if err := n.checkQuotable(); err != nil {
		return err
	}
	b := bufio.NewWriter(w) // keeps the first error for Flush
	fmt.Fprintf(b, "network %s {\n}\n", bifName(n.Name))
	for _, v := range n.Vars {
		fmt.Fprintf(b, "variable %s {\n  type discrete [ %d ] { %s };\n}\n",
			bifName(v.Name), len(v.States), bifNames(v.States))
	}
	for _, f := range n.Factors {
		n.writeBIFTable(b, f)
	}
	return b.Flush()
}

func (n *Network) writeBIFTable(b *bufio.Writer, f Factor) {
	parents := f.Scope[:len(f.Scope)-1]
	child := n.Vars[f.Child]
	r := len(child.States)
	if len(parents) == 0 {
		fmt.Fprintf(b, "probability ( %s ) {\n  table %s;\n}\n", bifName(child.Name), numberList(f.Table, ", "))
		return
	}
	names := make([]string, len(parents))
	for i, v := range parents {
		names[i] = n.Vars[v].Name
	}
	fmt.Fprintf(b, "probability ( %s | %s ) {\n", bifName(child.Name), bifNames(names))
	state := make([]int, len(parents))
	for i := 0; i < len(f.Table); i += r {
		for j, v := range parents {
			names[j] = n.Vars[v].States[state[j]]
		}
		fmt.Fprintf(b, "  (%s) %s;\n", bifNames(names), numberList(f.Table[i:i+r], ", "))
		for j := len(state) - 1; j >= 0; j-- { // the next row: last parent fastest
			if state[j]++; state[j] < len(n.Vars[parents[j]].States) {
				break
			}
			state[j] = 0
		}
	}
	b.WriteString("}\n")
}

func (n *Network) checkQuotable() error {
	bad := func(s string) bool { return strings.ContainsAny(s, "\"\n\r") || len(s) >= maxToken }
	if bad(n.Name) {
		return fmt.Errorf("bayes: WriteBIF: network name %q: must have no quote or line break and less than %d bytes", n.Name, maxToken)
	}
	for _, v := range n.Vars {
		for _, name := range append([]string{v.Name}, v.States...) {
			if bad(name) {
				return fmt.Errorf("bayes: WriteBIF: name %q of variable %q: must have no quote or line break and less than %d bytes", name, v.Name, maxToken)
			}
		}
	}
	return nil
}

// bifName is a name as a bare word if nothing in it needs quotes.
func bifName(s string) string {
	bare := s != ""
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c > 0x7f && c != 0xfffd, strings.ContainsRune("_.-+<>", c):
		default:
			bare = false
		}
	}
	if bare {
		return s
	}
	return `"` + s + `"`
}

func bifNames(names []string) string {
	q := make([]string, len(names))
	for i, s := range names {
		q[i] = bifName(s)
	}
	return strings.Join(q, ", ")
}

// numberList writes numbers so that reading them gives the same bits.
func numberList(xs []float64, sep string) string {
	var b []byte
	for i, x := range xs {
		if i > 0 {
			b = append(b, sep...)
		}
		b = strconv.AppendFloat(b, x, 'g', -1, 64)
	}
	return string(b)
}
