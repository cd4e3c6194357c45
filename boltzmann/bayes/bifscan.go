package bayes

import (
	"fmt"
	"strings"
)

// Kinds of BIF tokens. A punctuation mark is its own kind.
const (
	tokenEnd    = 0
	tokenWord   = 'w' // bare word: a name, keyword or number
	tokenString = 's' // text in double quotes
)

const bifMarks = "{}()[];|"

type token struct {
	kind byte
	text string
	at   place
}

// String describes the token in an error.
func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the file"
	case tokenWord, tokenString:
		if len(t.text) > 40 {
			return fmt.Sprintf("%.40q...", t.text)
		}
		return fmt.Sprintf("%q", t.text)
	}
	return fmt.Sprintf("%q", string(t.kind))
}

// bifScanner cuts a BIF file into tokens with one token of look-ahead.
type bifScanner struct {
	src *source
	tok token // the next token
}

// advance replaces tok by the one after it.
func (s *bifScanner) advance() error {
	if err := s.skipBlank(); err != nil {
		return err
	}
	at := s.src.at
	b := s.src.peek(0)
	switch {
	case s.src.end():
		s.tok = token{kind: tokenEnd, at: at}
		if s.src.err != nil {
			return s.src.errorf(at, "")
		}
		return nil
	case strings.IndexByte(bifMarks, b) >= 0:
		s.src.take()
		s.tok = token{kind: b, at: at}
		return nil
	case b == '"':
		text, err := s.quoted()
		s.tok = token{tokenString, text, at}
		return err
	}
	var word []byte
	for !s.src.end() && !s.endsWord() {
		if len(word) == maxToken {
			return s.src.errorf(at, "word longer than %d bytes", maxToken)
		}
		word = append(word, s.src.take())
	}
	s.tok = token{tokenWord, string(word), at}
	return nil
}

func (s *bifScanner) endsWord() bool {
	b := s.src.peek(0)
	return isSpace(b) || b == ',' || b == '"' || strings.IndexByte(bifMarks, b) >= 0 || s.atComment()
}

func (s *bifScanner) atComment() bool {
	if s.src.peek(0) != '/' {
		return false
	}
	next := s.src.peek(1)
	return next == '/' || next == '*'
}

// skipBlank skips space, comments and commas, which only separate.
func (s *bifScanner) skipBlank() error {
	for !s.src.end() {
		switch b := s.src.peek(0); {
		case isSpace(b) || b == ',':
			s.src.take()
		case s.atComment():
			at := s.src.at
			s.src.take()
			if s.src.take() == '/' {
				for !s.src.end() && s.src.peek(0) != '\n' {
					s.src.take()
				}
				continue
			}
			for s.src.peek(0) != '*' || s.src.peek(1) != '/' {
				if s.src.end() {
					return s.src.errorf(at, "comment without end: expected */")
				}
				s.src.take()
			}
			s.src.take()
			s.src.take()
		default:
			return nil
		}
	}
	return nil
}

// quoted takes a string in double quotes. There are no escapes: it ends at the next
// quote and must not span lines.
func (s *bifScanner) quoted() (string, error) {
	at := s.src.at
	s.src.take()
	var text []byte
	for {
		b := s.src.peek(0)
		if s.src.end() || b == '\n' || b == '\r' {
			return "", s.src.errorf(at, "string without end: expected a closing quote on the same line")
		}
		s.src.take()
		if b == '"' {
			return string(text), nil
		}
		if len(text) == maxToken {
			return "", s.src.errorf(at, "string longer than %d bytes", maxToken)
		}
		text = append(text, b)
	}
}

// expected is the error of finding another token than expected.
func (s *bifScanner) expected(format string, args ...any) error {
	return s.src.errorf(s.tok.at, "found %v: expected %s", s.tok, fmt.Sprintf(format, args...))
}

// mark takes the punctuation mark m.
func (s *bifScanner) mark(m byte, where string) error {
	if s.tok.kind != m {
		return s.expected("%q %s", string(m), where)
	}
	return s.advance()
}

// name takes a word or string.
func (s *bifScanner) name(what string) (string, place, error) {
	t := s.tok
	if t.kind != tokenWord && t.kind != tokenString || t.text == "" {
		return "", t.at, s.expected("%s", what)
	}
	return t.text, t.at, s.advance()
}

// keyword reports whether the next token is that bare word; it does not take it.
func (s *bifScanner) keyword(word string) bool {
	return s.tok.kind == tokenWord && s.tok.text == word
}
