package wbxml

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says where a document stopped being WBXML.
type SyntaxError struct {
	Offset int64  // of the offending byte
	Why    string // what was wrong with it
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("wbxml: at byte %d: %s", e.Offset, e.Why)
}

// A Kind says what a Token is.
type Kind uint8

// The kinds of tokens.
const (
	Start  Kind = iota + 1 // an element begins
	End                    // the element that began last ends
	Chars                  // characters: an inline string, a string of the table, or an entity
	Opaque                 // bytes
)

// A Token is one step through a document. An element with no content gives a
// Start, with Empty set, and an End.
type Token struct {
	Kind  Kind
	Tag   Tag    // of a Start and of its End
	Empty bool   // of a Start: the element has no content
	Name  string // of a Start with a literal tag: its name
	Data  []byte // of Chars (valid UTF-8 without NUL) or Opaque; shares the document's memory
}

// A Decoder walks through a document, one token at a time. It allocates
// nothing that grows with the document.
type Decoder struct {
	doc      []byte
	at       int
	table    []byte
	header   Header
	page     uint8
	open     []Tag
	elements int
	ended    bool // the root element has ended
	pending  bool // an End is due for an empty element
	err      error
}

// NewDecoder reads the header. It keeps doc and changes nothing in it. The
// error is a *SyntaxError.
func NewDecoder(doc []byte) (*Decoder, error) {
	d := &Decoder{doc: doc, open: make([]Tag, 0, 16)}
	if len(doc) > MaxDocument {
		return nil, d.fail(MaxDocument, "the document is longer than %d bytes", MaxDocument)
	}
	if err := d.readHeader(); err != nil {
		return nil, err
	}
	return d, nil
}

// Header is what the document says of its language.
func (d *Decoder) Header() Header { return d.header }

// Depth is the number of elements that have begun and not ended.
func (d *Decoder) Depth() int { return len(d.open) }

// Offset is the number of bytes read so far.
func (d *Decoder) Offset() int64 { return int64(d.at) }

// See WAP-192-WBXML, section 5.3.
func (d *Decoder) readHeader() error {
	version, err := d.byte("the version")
	if err != nil {
		return err
	}
	if version < 0x01 || version > 0x03 {
		return d.fail(0, "version 0x%02X is not 1.1, 1.2 or 1.3", version)
	}
	id, err := d.uint("the public identifier")
	if err != nil {
		return err
	}
	var nameAt uint32
	if id == 0 {
		if nameAt, err = d.uint("the public identifier's place in the string table"); err != nil {
			return err
		}
	}
	at := d.at
	charset, err := d.uint("the character set")
	if err != nil {
		return err
	}
	switch charset {
	case charsetUTF8, charsetASCII, charsetUnknown: // all of them read as UTF-8
	default:
		return d.fail(at, "character set %d is neither UTF-8 nor US-ASCII", charset)
	}
	at = d.at
	size, err := d.uint("the string table's length")
	if err != nil {
		return err
	}
	if size > MaxStringTable {
		return d.fail(at, "the string table is longer than %d bytes", MaxStringTable)
	}
	if d.table, err = d.bytes(size, "the string table"); err != nil {
		return err
	}
	d.header.PublicID = id
	if id == 0 {
		name, err := d.tableString(at, nameAt)
		if err != nil {
			return err
		}
		d.header.PublicName = string(name)
	}
	return nil
}

// Next answers the next token, io.EOF after the last, or a *SyntaxError, which
// it then answers for ever.
func (d *Decoder) Next() (Token, error) {
	if d.err != nil {
		return Token{}, d.err
	}
	t, err := d.next()
	if err != nil {
		d.err = err
	}
	return t, err
}

func (d *Decoder) next() (Token, error) {
	if d.pending {
		d.pending = false
		return d.close(), nil
	}
	for {
		if d.at == len(d.doc) {
			return Token{}, d.finish()
		}
		at := d.at
		b := d.doc[d.at]
		d.at++
		switch b {
		case switchPage:
			page, err := d.byte("a code page")
			if err != nil {
				return Token{}, err
			}
			d.page = page
		case end:
			if len(d.open) == 0 {
				return Token{}, d.fail(at, "an end without a beginning")
			}
			return d.close(), nil
		case pi:
			if err := d.skipAttributes(); err != nil {
				return Token{}, err
			}
		case entity, strI, strT, opaque:
			if len(d.open) == 0 {
				return Token{}, d.fail(at, "content outside the root element")
			}
			return d.content(at, b)
		case extI0, extI0 + 1, extI2, extT0, extT0 + 1, extT2, ext0, ext0 + 1, ext2:
			if err := d.skipExtension(b); err != nil {
				return Token{}, err
			}
		default:
			return d.element(at, b)
		}
	}
}

func (d *Decoder) finish() error {
	switch {
	case len(d.open) > 0:
		return d.fail(d.at, "the document ends inside %d open elements", len(d.open))
	case !d.ended:
		return d.fail(d.at, "the document has no element")
	}
	return io.EOF
}

func (d *Decoder) close() Token {
	last := len(d.open) - 1
	t := d.open[last]
	d.open = d.open[:last]
	d.ended = last == 0
	return Token{Kind: End, Tag: t}
}

// element reads what belongs to a tag. See WAP-192-WBXML, section 5.8.2.
func (d *Decoder) element(at int, b byte) (Token, error) {
	t := Token{Kind: Start, Tag: Tag(d.page)<<8 | Tag(b&tokenMask), Empty: b&hasContent == 0}
	if len(d.open) == 0 && d.ended {
		return Token{}, d.fail(at, "something follows the root element")
	}
	if len(d.open) == MaxDepth {
		return Token{}, d.fail(at, "elements are nested deeper than %d", MaxDepth)
	}
	if d.elements++; d.elements > MaxElements {
		return Token{}, d.fail(at, "there are more than %d elements", MaxElements)
	}
	if b&tokenMask == literal {
		i, err := d.uint("a literal tag's place in the string table")
		if err != nil {
			return Token{}, err
		}
		name, err := d.tableString(at, i)
		if err != nil {
			return Token{}, err
		}
		t.Name = string(name)
	}
	if b&hasAttributes != 0 {
		if err := d.skipAttributes(); err != nil {
			return Token{}, err
		}
	}
	d.open = append(d.open, t.Tag)
	d.pending = t.Empty
	return t, nil
}

// content reads characters or bytes. See WAP-192-WBXML, section 5.8.4.
func (d *Decoder) content(at int, b byte) (Token, error) {
	switch b {
	case opaque:
		data, err := d.opaque()
		return Token{Kind: Opaque, Data: data}, err
	case strI:
		data, err := d.inline()
		return Token{Kind: Chars, Data: valid(data)}, err
	case strT:
		i, err := d.uint("a string's place in the string table")
		if err != nil {
			return Token{}, err
		}
		data, err := d.tableString(at, i)
		return Token{Kind: Chars, Data: valid(data)}, err
	}
	n, err := d.uint("a character entity")
	if err != nil {
		return Token{}, err
	}
	r := rune(utf8.RuneError)
	if n != 0 && n <= utf8.MaxRune {
		r = rune(n)
	}
	return Token{Kind: Chars, Data: utf8.AppendRune(nil, r)}, nil
}

// skipAttributes reads on to the end of an attribute list or of a processing
// instruction. See WAP-192-WBXML, section 5.8.3.
func (d *Decoder) skipAttributes() error {
	for {
		b, err := d.byte("an attribute")
		if err != nil {
			return err
		}
		switch b {
		case end:
			return nil
		case switchPage:
			_, err = d.byte("an attribute's code page")
		case entity, literal, strT:
			_, err = d.uint("an attribute")
		case strI:
			_, err = d.inline()
		case opaque:
			_, err = d.opaque()
		case extI0, extI0 + 1, extI2, extT0, extT0 + 1, extT2, ext0, ext0 + 1, ext2:
			err = d.skipExtension(b)
		}
		if err != nil {
			return err
		}
	}
}

// skipExtension passes over what only an application could understand. See
// WAP-192-WBXML, section 5.8.4.2.
func (d *Decoder) skipExtension(b byte) (err error) {
	switch {
	case b >= extI0 && b <= extI2:
		_, err = d.inline()
	case b >= extT0 && b <= extT2:
		_, err = d.uint("an extension")
	}
	return err
}

func (d *Decoder) fail(at int, format string, args ...any) error {
	return &SyntaxError{Offset: int64(at), Why: fmt.Sprintf(format, args...)}
}

func (d *Decoder) byte(what string) (byte, error) {
	if d.at == len(d.doc) {
		return 0, d.fail(d.at, "the document ends where %s is due", what)
	}
	d.at++
	return d.doc[d.at-1], nil
}

// uint reads an mb_u_int32. See WAP-192-WBXML, section 5.1.
func (d *Decoder) uint(what string) (uint32, error) {
	at := d.at
	var n uint64
	for range 5 {
		b, err := d.byte(what)
		if err != nil {
			return 0, err
		}
		n = n<<7 | uint64(b&0x7F)
		if b&0x80 == 0 {
			if n > 1<<32-1 {
				break
			}
			return uint32(n), nil
		}
	}
	return 0, d.fail(at, "%s is a number of more than 32 bits", what)
}

func (d *Decoder) bytes(n uint32, what string) ([]byte, error) {
	if uint64(n) > uint64(len(d.doc)-d.at) {
		return nil, d.fail(d.at, "%s has %d bytes, the document only %d more", what, n, len(d.doc)-d.at)
	}
	b := d.doc[d.at : d.at+int(n) : d.at+int(n)]
	d.at += int(n)
	return b, nil
}

func (d *Decoder) opaque() ([]byte, error) {
	at := d.at
	n, err := d.uint("the length of opaque data")
	if err != nil {
		return nil, err
	}
	if n > MaxString {
		return nil, d.fail(at, "opaque data is longer than %d bytes", MaxString)
	}
	return d.bytes(n, "opaque data")
}

func (d *Decoder) inline() ([]byte, error) {
	n := bytes.IndexByte(d.doc[d.at:], 0)
	if n < 0 {
		return nil, d.fail(d.at, "a string does not end")
	}
	if n > MaxString {
		return nil, d.fail(d.at, "a string is longer than %d bytes", MaxString)
	}
	b := d.doc[d.at : d.at+n : d.at+n]
	d.at += n + 1
	return b, nil
}

func (d *Decoder) tableString(at int, i uint32) ([]byte, error) {
	if uint64(i) >= uint64(len(d.table)) {
		return nil, d.fail(at, "the string table has no string at %d", i)
	}
	s := d.table[i:]
	if n := bytes.IndexByte(s, 0); n >= 0 {
		s = s[:n:n]
	}
	return s, nil
}

// valid makes UTF-8 of what claims to be it.
func valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return []byte(strings.ToValidUTF8(string(b), string(utf8.RuneError)))
}
