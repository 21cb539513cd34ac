package imapconn

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits of what a server may say. They are enforced before memory is spent.
const (
	// maxResponse bounds one response, its streamed literals apart, in bytes:
	// the UIDs of more than a million messages fit.
	maxResponse = 12 << 20

	// maxText bounds a literal that is kept and is no part of a message: a
	// mailbox's name, a header field in an envelope.
	maxText = 256 << 10

	// maxDepth bounds the nesting of lists. Structures of messages use about
	// two for each level of parts.
	maxDepth = 128

	// maxValues bounds how many values one response has; each costs some
	// 64 bytes.
	maxValues = 200_000

	// maxSkipped bounds what is read and not kept of what is over one of the
	// limits because somebody wrote such a message, in bytes.
	maxSkipped = 64 << 20
)

// A Kind says what a Value is.
type Kind uint8

// The kinds of values.
const (
	Nil    Kind = iota // NIL, or nothing
	Atom               // a word or a number
	String             // quoted, or a literal
	List               // in parentheses
)

// A Value is a piece of a response.
type Value struct {
	Kind Kind
	Text string
	List []Value
}

// At answers a member of a list; the zero Value if there is none.
func (v Value) At(n int) Value {
	if n < 0 || n >= len(v.List) {
		return Value{}
	}
	return v.List[n]
}

// Is tells whether a value is a word, in any case.
func (v Value) Is(word string) bool { return v.Kind == Atom && strings.EqualFold(v.Text, word) }

// Number answers the number that a value is, else 0.
func (v Value) Number() uint64 {
	n, _ := strconv.ParseUint(v.Text, 10, 64)
	return n
}

var (
	errLimit  = errors.New("the server's response is over a limit")
	errSyntax = errors.New("the server's response is no IMAP")
)

// A reader reads values from a connection.
type reader struct {
	br     *bufio.Reader
	left   int // of maxResponse
	values int // of maxValues

	lenient bool // what is over a limit is read all the same, and not kept
	over    bool // and there was such
}

// begin starts the count for the next response.
func (r *reader) begin() { r.left, r.values = maxResponse, maxValues }

// exceed goes on without keeping anything, if that is allowed.
func (r *reader) exceed() error {
	if !r.lenient {
		return errLimit
	}
	if !r.over {
		r.over, r.left = true, maxSkipped
	}
	return nil
}

func (r *reader) next() (byte, error) {
	if r.left--; r.left < 0 {
		if r.over || r.exceed() != nil {
			return 0, errLimit
		}
	}
	return r.br.ReadByte()
}

func (r *reader) peek() (byte, error) {
	b, err := r.br.Peek(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// accept takes a byte if it is the next one.
func (r *reader) accept(b byte) (bool, error) {
	p, err := r.peek()
	if err != nil || p != b {
		return false, err
	}
	_, err = r.next()
	return true, err
}

// spaces skips blanks, of which some servers write one too many.
func (r *reader) spaces() error {
	for {
		ok, err := r.accept(' ')
		if !ok || err != nil {
			return err
		}
	}
}

// lineEnd takes the end of a response.
func (r *reader) lineEnd() error {
	if err := r.spaces(); err != nil {
		return err
	}
	b, err := r.next()
	if err == nil && b == '\r' {
		b, err = r.next()
	}
	if err == nil && b != '\n' {
		err = fmt.Errorf("%w: %q where the line should end", errSyntax, b)
	}
	return err
}

// rest takes the rest of a line.
func (r *reader) rest() (string, error) {
	var b strings.Builder
	for {
		c, err := r.next()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return strings.TrimRight(b.String(), "\r"), nil
		}
		if b.Len() < maxText {
			b.WriteByte(c)
		}
	}
}

// word takes what is up to the next blank, parenthesis or line end; brackets
// belong to it with all that is inside of them, as in BODY[HEADER.FIELDS (TO)].
func (r *reader) word() (string, error) {
	var b strings.Builder
	for brackets := 0; ; {
		c, err := r.peek()
		if err != nil {
			return "", err
		}
		switch {
		case c == '\r' || c == '\n':
			return b.String(), nil
		case c == '[':
			brackets++
		case c == ']' && brackets > 0:
			brackets--
		case brackets == 0 && (c == ' ' || c == '(' || c == ')'):
			return b.String(), nil
		}
		if b.Len() >= maxText {
			return "", errLimit
		}
		if _, err := r.next(); err != nil {
			return "", err
		}
		b.WriteByte(c)
	}
}

// value takes one value.
func (r *reader) value(depth int) (Value, error) {
	if r.values--; r.values < 0 || depth > maxDepth {
		if err := r.exceed(); err != nil {
			return Value{}, err
		}
	}
	if r.over {
		return Value{}, r.skip()
	}
	c, err := r.peek()
	if err != nil {
		return Value{}, err
	}
	switch c {
	case '(':
		return r.list(depth)
	case '"':
		text, err := r.quoted()
		return Value{Kind: String, Text: text}, err
	case '{':
		size, err := r.literalSize()
		if err != nil {
			return Value{}, err
		}
		text, err := r.literal(size)
		return Value{Kind: String, Text: text}, err
	}
	text, err := r.word()
	switch {
	case err != nil:
		return Value{}, err
	case text == "":
		return Value{}, fmt.Errorf("%w: %q where a value should be", errSyntax, c)
	case strings.EqualFold(text, "NIL"):
		return Value{}, nil
	}
	return Value{Kind: Atom, Text: text}, nil
}

// list takes a list with its parentheses.
func (r *reader) list(depth int) (Value, error) {
	if _, err := r.next(); err != nil {
		return Value{}, err
	}
	v := Value{Kind: List}
	for {
		if err := r.spaces(); err != nil {
			return Value{}, err
		}
		if end, err := r.accept(')'); end || err != nil {
			return v, err
		}
		member, err := r.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		if !r.over {
			v.List = append(v.List, member)
		}
	}
}

// skip takes one value of any depth and keeps nothing of it.
func (r *reader) skip() error {
	for depth := 0; ; {
		c, err := r.peek()
		if err != nil {
			return err
		}
		switch c {
		case '(', ')', ' ':
			_, err = r.next()
			switch c {
			case '(':
				depth++
			case ')':
				depth--
			}
		case '"':
			_, err = r.quoted()
		case '{':
			var size int64
			if size, err = r.literalSize(); err == nil {
				_, err = r.literal(size)
			}
		case '\r', '\n':
			return errLimit // and no IMAP either
		default:
			_, err = r.word()
		}
		switch {
		case err != nil:
			return err
		case depth < 0:
			return errLimit
		case depth == 0 && c != ' ':
			return nil
		}
	}
}

// quoted takes a quoted string.
func (r *reader) quoted() (string, error) {
	if _, err := r.next(); err != nil {
		return "", err
	}
	var b strings.Builder
	for {
		c, err := r.next()
		if err != nil {
			return "", err
		}
		switch c {
		case '"':
			return b.String(), nil
		case '\r', '\n':
			return "", fmt.Errorf("%w: a line ends within quotes", errSyntax)
		case '\\':
			if c, err = r.next(); err != nil {
				return "", err
			}
		}
		if b.Len() >= maxText {
			if err := r.exceed(); err != nil {
				return "", err
			}
		}
		if !r.over {
			b.WriteByte(c)
		}
	}
}

// literalSize takes the head of a literal: {123} or {123+} and the line end.
func (r *reader) literalSize() (int64, error) {
	var b strings.Builder
	for {
		c, err := r.next()
		if err != nil {
			return 0, err
		}
		if c == '}' {
			break
		}
		if b.WriteByte(c); b.Len() > 22 {
			return 0, errSyntax
		}
	}
	size, err := strconv.ParseInt(strings.TrimSuffix(b.String()[1:], "+"), 10, 64)
	if err != nil || size < 0 {
		return 0, fmt.Errorf("%w: a literal of %.20q bytes", errSyntax, b.String()[1:])
	}
	return size, r.lineEnd()
}

// literal takes a literal that is kept.
func (r *reader) literal(size int64) (string, error) {
	if size > maxText || size > int64(r.left) {
		if err := r.exceed(); err != nil {
			return "", err
		}
	}
	if r.over {
		return "", r.discard(size)
	}
	r.left -= int(size)
	data := make([]byte, size)
	_, err := io.ReadFull(r.br, data)
	return string(data), err
}

// discard takes a literal that is not kept.
func (r *reader) discard(size int64) error {
	if size > int64(r.left) {
		return errLimit
	}
	r.left -= int(size)
	_, err := io.CopyN(io.Discard, r.br, size)
	return err
}
