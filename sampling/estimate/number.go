package estimate

import (
	"encoding/json"
	"fmt"
	"math"
)

// number is a float64 that JSON can always hold: NaN is null, the infinities are the
// strings "+Inf" and "-Inf".
type number float64

func (x number) MarshalJSON() ([]byte, error) {
	v := float64(x)
	switch {
	case math.IsNaN(v):
		return []byte("null"), nil
	case math.IsInf(v, 1):
		return []byte(`"+Inf"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Inf"`), nil
	}
	return json.Marshal(v)
}

func (x *number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "null":
		*x = number(math.NaN())
		return nil
	case `"+Inf"`:
		*x = number(math.Inf(1))
		return nil
	case `"-Inf"`:
		*x = number(math.Inf(-1))
		return nil
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf(`estimate: number %s: must be a number, null, "+Inf" or "-Inf"`, b)
	}
	*x = number(v)
	return nil
}
