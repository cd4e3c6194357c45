package bayes

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Evidence gives the observed state of some variables, by name.
type Evidence map[string]string

// ParseEvidence reads "variable=state,variable=state"; spaces around names are ignored
// and the empty string is no evidence. The first '=' of a part separates, so a state may
// hold one; names with commas have to be put into an Evidence directly.
func ParseEvidence(s string) (Evidence, error) {
	ev := Evidence{}
	if strings.TrimSpace(s) == "" {
		return ev, nil
	}
	var errs []error
	for part := range strings.SplitSeq(s, ",") {
		name, state, ok := strings.Cut(part, "=")
		name, state = strings.TrimSpace(name), strings.TrimSpace(state)
		switch _, twice := ev[name]; {
		case !ok || name == "" || state == "":
			errs = append(errs, fmt.Errorf("bayes: evidence %q: must be variable=state", strings.TrimSpace(part)))
		case twice:
			errs = append(errs, fmt.Errorf("bayes: evidence gives variable %q twice", name))
		default:
			ev[name] = state
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return ev, nil
}

// String is the evidence in the form ParseEvidence reads, ordered by name.
func (ev Evidence) String() string {
	part := make([]string, 0, len(ev))
	for _, name := range ev.names() {
		part = append(part, name+"="+ev[name])
	}
	return strings.Join(part, ",")
}

func (ev Evidence) names() []string {
	names := make([]string, 0, len(ev))
	for name := range ev {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// observed returns the state index of every variable, -1 where there is no evidence.
func (n *Network) observed(ev Evidence) ([]int, error) {
	value := make([]int, len(n.Vars))
	for v := range value {
		value[v] = -1
	}
	var errs []error
	for _, name := range ev.names() {
		v, err := n.Index(name)
		if err == nil {
			value[v], err = n.state(v, ev[name])
		}
		errs = append(errs, err)
	}
	return value, errors.Join(errs...)
}

// suggest says what may stand instead of name: all of a short list, else the nearest.
func suggest(name string, allowed []string) string {
	if len(allowed) <= 12 {
		return "must be one of " + quoteList(allowed)
	}
	type candidate struct {
		name string
		d    int
	}
	near := make([]candidate, len(allowed))
	for i, a := range allowed {
		near[i] = candidate{a, distance(name, a)}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.d, b.d) })
	best := make([]string, 3)
	for i := range best {
		best[i] = near[i].name
	}
	return fmt.Sprintf("must be one of %d names, nearest are %s", len(allowed), quoteList(best))
}

func quoteList(names []string) string {
	q := make([]string, len(names))
	for i, s := range names {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

// distance is the number of edits (insert, delete, replace) between the first 64 bytes
// of two names, letter case ignored.
func distance(a, b string) int {
	a, b = strings.ToLower(a[:min(len(a), 64)]), strings.ToLower(b[:min(len(b), 64)])
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
