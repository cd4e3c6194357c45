package train

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/spikesampling/spikesampling/internal/npy"
)

// digest is what must be the same when training is taken up again.
func digest(settings, data []byte) []byte {
	h := sha256.New()
	h.Write(settings)
	h.Write(data)
	return h.Sum(nil)
}

// header begins a checkpoint: the digest of settings and data, the settings, to be read by people,
// and the number of updates made.
func header(settings, data []byte, update int64) npy.Archive {
	hash := digest(settings, data)
	return npy.Archive{
		{Name: "hash", Array: npy.New(hash, len(hash))},
		{Name: "options", Array: npy.New(settings, len(settings))},
		{Name: "update", Array: npy.New([]int64{update})},
	}
}

// readHeader returns the number of updates made, of so many. It refuses a checkpoint of other
// settings or data.
func readHeader(a npy.Archive, settings, data []byte, updates int64) (int64, error) {
	want := digest(settings, data)
	hash, errH := npy.Get[uint8](a, "hash", len(want))
	options, errO := npy.Get[uint8](a, "options", -1)
	update, errU := npy.Get[int64](a, "update")
	if err := errors.Join(errH, errO, errU); err != nil {
		return 0, err
	}
	if string(hash) != string(want) {
		if string(settings) == string(options) {
			return 0, errors.New("it is of other data")
		}
		return 0, fmt.Errorf("it is of other options or data: it was made with %s, now they are %s", options, settings)
	}
	if update[0] < 0 || update[0] > updates {
		return 0, fmt.Errorf("it counts %d updates: must be 0 to %d", update[0], updates)
	}
	return update[0], nil
}
