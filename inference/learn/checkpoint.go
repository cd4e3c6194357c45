package learn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spikesampling/spikesampling/internal/npy"
)

// A checkpoint is an NPZ file with
//
//	learner    uint8: the learner's own saved state
//	history    uint8: the History as JSON
//	settings   uint8: what must be the same to go on, as JSON

type settings struct {
	In, Out, Pairs int
	Options
}

func (f *fit) settings() ([]byte, error) {
	s := settings{f.in, f.out, f.n, f.o}
	s.Epochs = 0 // more epochs may follow
	return json.Marshal(s)
}

func (f *fit) save(good []byte, h History) error {
	history, err := json.Marshal(h)
	if err != nil {
		return err
	}
	set, err := f.settings()
	if err != nil {
		return err
	}
	err = npy.WriteZipFile(f.o.Checkpoint, npy.Archive{
		{Name: "learner", Array: npy.New(good, len(good))},
		{Name: "history", Array: npy.New(history, len(history))},
		{Name: "settings", Array: npy.New(set, len(set))},
	})
	if err != nil {
		return fmt.Errorf("learn: checkpoint: %w", err)
	}
	return nil
}

// load takes up a checkpoint, if there is one. It changes nothing if it fails.
func (f *fit) load() error {
	a, err := npy.ReadZipFile(f.o.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	bad := func(err error) error { return fmt.Errorf("learn: checkpoint %s: %w", f.o.Checkpoint, err) }
	if err != nil {
		return bad(err)
	}
	var parts [3][]byte
	for i, name := range []string{"learner", "history", "settings"} {
		if parts[i], err = npy.Get[uint8](a, name, -1); err != nil {
			return bad(err)
		}
	}
	want, err := f.settings()
	if err != nil {
		return err
	}
	if string(parts[2]) != string(want) {
		return bad(fmt.Errorf("made with %s: must be %s", parts[2], want))
	}
	var h History
	if err := json.Unmarshal(parts[1], &h); err != nil {
		return bad(err)
	}
	if len(h) == 0 {
		return bad(errors.New("no epoch: must have one"))
	}
	for i, e := range h {
		if e.Epoch != i+1 {
			return bad(fmt.Errorf("row %d of the history is of epoch %d: must be %d", i, e.Epoch, i+1))
		}
	}
	if err := f.l.UnmarshalBinary(parts[0]); err != nil {
		return bad(err)
	}
	f.history = h
	return nil
}
