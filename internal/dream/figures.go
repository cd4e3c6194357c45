package dream

import (
	"fmt"
	"strings"

	"github.com/spikesampling/spikesampling/internal/plotx"
)

// Strips are n pictures of that size at equal distances over the first chain of every row.
func (s *Subject) Strips(rows []*Row, size, n int) plotx.ImageGrid {
	g := plotx.ImageGrid{Rows: size, Cols: size}
	for _, r := range rows {
		z := Evenly(r.Runs[0].States, n)
		g.PerRow = len(z)
		g.Title = fmt.Sprintf("every %dth sample", len(r.Runs[0].States)/len(z))
		for _, z := range z {
			g.Images = append(g.Images, s.Shown(z))
		}
		g.RowLabels = append(g.RowLabels, r.Name)
	}
	return g
}

// Grid are pictures of that size over the first chain of a row.
func (s *Subject) Grid(r *Row, size int) plotx.ImageGrid {
	const rows, cols = 8, 16
	g := plotx.ImageGrid{Rows: size, Cols: size, PerRow: cols, Title: r.Name}
	if r.Setting != "" {
		g.Title += ": " + strings.Replace(r.Setting, "τ_rec", "τ_{rec}", 1)
	}
	for _, z := range Evenly(r.Runs[0].States, rows*cols) {
		g.Images = append(g.Images, s.Shown(z))
	}
	return g
}
