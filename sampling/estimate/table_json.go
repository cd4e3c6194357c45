package estimate

import (
	"encoding/json"
	"fmt"
	"math"
)

type tableJSON struct {
	Size   int           `json:"size"`
	Width  float64       `json:"width"`
	Chains [][]blockJSON `json:"chains"`
}

// blockJSON lists the states of a block that were seen, in order, and their times.
type blockJSON struct {
	State []int     `json:"state"`
	Time  []float64 `json:"time"`
}

// MarshalJSON encodes size, width of the blocks, and the blocks of every chain, of which
// only the states that were seen.
func (b *Table) MarshalJSON() ([]byte, error) {
	enc := tableJSON{Size: b.size, Width: b.width, Chains: make([][]blockJSON, len(b.chains))}
	for c, blocks := range b.chains {
		enc.Chains[c] = make([]blockJSON, len(blocks))
		for i, block := range blocks {
			e := blockJSON{State: []int{}, Time: []float64{}}
			for k, t := range block {
				if t > 0 {
					e.State = append(e.State, k)
					e.Time = append(e.Time, t)
				}
			}
			enc.Chains[c][i] = e
		}
	}
	return json.Marshal(enc)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (b *Table) UnmarshalJSON(data []byte) error {
	var dec tableJSON
	if err := json.Unmarshal(data, &dec); err != nil {
		return fmt.Errorf("estimate: table: %w", err)
	}
	if dec.Size < 1 || dec.Size > maxStates {
		return fmt.Errorf("estimate: table of %d states: must have 1 to %d", dec.Size, maxStates)
	}
	// Widths are powers of two times the base, or tables would not merge.
	ratio, _ := math.Frexp(dec.Width / baseWidth(dec.Size))
	if ratio != .5 || dec.Width < baseWidth(dec.Size) || math.IsInf(dec.Width, 0) {
		return fmt.Errorf("estimate: table of %d states has blocks of width %v: must be %v times a power of two",
			dec.Size, dec.Width, baseWidth(dec.Size))
	}
	blocks := 0
	for c, chain := range dec.Chains {
		if len(chain) == 0 {
			return fmt.Errorf("estimate: table: chain %d has no blocks", c)
		}
		blocks += len(chain)
	}
	if blocks == 0 || blocks > maxCells/dec.Size {
		return fmt.Errorf("estimate: table of %d states has %d blocks: must have 1 to %d", dec.Size, blocks, maxCells/dec.Size)
	}
	t := &Table{size: dec.Size, width: dec.Width, chains: make([][][]float64, len(dec.Chains))}
	for c, chain := range dec.Chains {
		for i, e := range chain {
			block, err := e.block(dec.Size)
			if err != nil {
				return fmt.Errorf("estimate: table: chain %d, block %d: %w", c, i, err)
			}
			t.chains[c] = append(t.chains[c], block)
		}
	}
	t.cur = t.chains[0][len(t.chains[0])-1]
	t.fill = min(sum(t.cur), t.width)
	*b = *t
	return nil
}

// block is the full block of size states.
func (e *blockJSON) block(size int) ([]float64, error) {
	if len(e.State) != len(e.Time) {
		return nil, fmt.Errorf("%d states and %d times: must be equal", len(e.State), len(e.Time))
	}
	if err := checkTimes("time", e.Time...); err != nil {
		return nil, err
	}
	block := make([]float64, size)
	for i, k := range e.State {
		if k < 0 || k >= size || i > 0 && k <= e.State[i-1] {
			return nil, fmt.Errorf("state %d: must rise from 0 to at most %d", k, size-1)
		}
		block[k] = e.Time[i]
	}
	return block, nil
}
