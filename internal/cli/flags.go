package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Parse reads the command line into fs. A mistake is a Usage error of one line; -h prints
// the flags and exits.
func Parse(fs *flag.FlagSet, args []string) error {
	fs.Init(fs.Name(), flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Printf("Usage of %s:\n", fs.Name())
		fs.SetOutput(os.Stdout)
		fs.PrintDefaults()
		os.Exit(OK)
	case err != nil:
		return Usage{fmt.Errorf("%w (-h lists the flags)", err)}
	case fs.NArg() > 0:
		return Usage{fmt.Errorf("unexpected argument %q: all input is given by flags", fs.Arg(0))}
	}
	return nil
}
