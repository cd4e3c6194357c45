package bayes

import (
	"errors"
	"fmt"
	"io"
)

// maxToken bounds the length of one word or string of a file [bytes].
const maxToken = 1 << 16

// place is a position in a text file, both counted from 1. Columns count characters.
type place struct{ line, col int }

// source reads a file byte by byte and knows where it is.
type source struct {
	format string // for errors, "BIF" or "UAI"
	at     place  // of the next byte
	err    error  // of the reader, other than io.EOF

	r    io.Reader
	buf  []byte
	next []byte // part of buf not taken yet
	eof  bool   // nothing follows next
}

func newSource(format string, r io.Reader) *source {
	s := &source{format: format, at: place{1, 1}, r: r, buf: make([]byte, 1<<16)}
	const mark = "\ufeff" // byte order mark
	if s.fill(len(mark)); len(s.next) >= len(mark) && string(s.next[:len(mark)]) == mark {
		s.next = s.next[len(mark):]
	}
	return s
}

// fill makes k bytes follow, or as many as there are.
func (s *source) fill(k int) {
	for idle := 0; len(s.next) < k && !s.eof; {
		kept := copy(s.buf, s.next)
		n, err := s.r.Read(s.buf[kept:])
		s.next = s.buf[:kept+n]
		if n > 0 {
			idle = 0
		} else if idle++; idle == 100 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil {
			s.eof = true
			if !errors.Is(err, io.EOF) {
				s.err = err
			}
		}
	}
}

// peek returns byte i of what follows (0 or 1) without taking it, 0 at the end.
func (s *source) peek(i int) byte {
	if i >= len(s.next) {
		if s.fill(i + 1); i >= len(s.next) {
			return 0
		}
	}
	return s.next[i]
}

// end reports whether nothing follows.
func (s *source) end() bool {
	if len(s.next) == 0 {
		s.fill(1)
	}
	return len(s.next) == 0
}

// take returns the next byte, 0 at the end.
func (s *source) take() byte {
	if s.end() {
		return 0
	}
	b := s.next[0]
	s.next = s.next[1:]
	switch {
	case b == '\n':
		s.at.line++
		s.at.col = 1
	case b&0xc0 != 0x80: // not inside a UTF-8 character
		s.at.col++
	}
	return b
}

// errorf is an error at a place of the file; a failure to read comes first.
func (s *source) errorf(at place, format string, args ...any) error {
	if s.err != nil {
		return fmt.Errorf("bayes: reading %s: %w", s.format, s.err)
	}
	return fmt.Errorf("bayes: %s line %d, column %d: %s", s.format, at.line, at.col, fmt.Sprintf(format, args...))
}

func isSpace(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == '\f' || b == '\v'
}
