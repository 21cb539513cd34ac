package wbxml

import (
	"strings"
)

// Header begins a document: what language it is in.
type Header struct {
	PublicID   uint32 // number of the public identifier; 0 means PublicUnknown
	PublicName string // the identifier as text, for languages without a number; wins over PublicID
}

// anyPage is the page of an encoder that cannot know on which page it stands.
const anyPage = -1

// An Encoder appends a document to a buffer. The zero value writes to a new
// buffer and has written no header yet. It never fails: what it is told to
// write is the program's own.
type Encoder struct {
	buf  []byte
	page int16
}

// NewEncoder appends a header for a language without a public identifier, and
// answers the encoder for what follows. Buf may be nil.
func NewEncoder(buf []byte) Encoder { return NewEncoderFor(Header{}, buf) }

// NewEncoderFor appends a header. See WAP-192-WBXML, section 5.3.
func NewEncoderFor(h Header, buf []byte) Encoder {
	buf = append(buf, 0x03) // version 1.3
	name := strings.ReplaceAll(h.PublicName, "\x00", "")
	switch {
	case name != "":
		buf = append(buf, 0, 0) // index 0 of the string table
	case h.PublicID == 0:
		buf = appendUint(buf, PublicUnknown)
	default:
		buf = appendUint(buf, h.PublicID)
	}
	buf = appendUint(buf, charsetUTF8)
	if name == "" {
		return Encoder{buf: append(buf, 0)}
	}
	buf = appendUint(buf, uint32(len(name)+1))
	buf = append(buf, name...)
	return Encoder{buf: append(buf, 0)}
}

// NewFragment answers an encoder for elements that are to be put into a
// document later, by Fragment. It writes no header.
func NewFragment(buf []byte) Encoder { return Encoder{buf: buf, page: anyPage} }

// Bytes are the buffer and what was appended to it.
func (e *Encoder) Bytes() []byte { return e.buf }

// Len is the length of Bytes.
func (e *Encoder) Len() int { return len(e.buf) }

// Start opens an element that has content. End closes it.
func (e *Encoder) Start(t Tag) { e.token(t, hasContent) }

// Empty writes an element without content. Nothing closes it.
func (e *Encoder) Empty(t Tag) { e.token(t, 0) }

// End closes the element that was opened last.
func (e *Encoder) End() { e.buf = append(e.buf, end) }

// Text writes an inline string. A string ends at its first NUL on the wire,
// therefore NULs are left out. See WAP-192-WBXML, section 5.8.4.1.
func (e *Encoder) Text(s string) {
	e.buf = append(e.buf, strI)
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 {
			break
		}
		e.buf = append(e.buf, s[:i]...)
		s = s[i+1:]
	}
	e.buf = append(append(e.buf, s...), 0)
}

// Opaque writes opaque data. See WAP-192-WBXML, section 5.8.4.6.
func (e *Encoder) Opaque(b []byte) {
	e.buf = append(e.buf, opaque)
	e.buf = appendUint(e.buf, uint32(len(b)))
	e.buf = append(e.buf, b...)
}

// Element writes an element with text, or an empty element for the empty text.
func (e *Encoder) Element(t Tag, text string) {
	if text == "" {
		e.token(t, 0)
		return
	}
	e.token(t, hasContent)
	e.Text(text)
	e.End()
}

// Fragment writes elements that another encoder, from NewFragment, has
// encoded.
func (e *Encoder) Fragment(b []byte) {
	if len(b) == 0 {
		return
	}
	e.buf = append(e.buf, b...)
	e.page = anyPage
}

func (e *Encoder) token(t Tag, bits byte) {
	if page := int16(t >> 8); page != e.page {
		e.page = page
		e.buf = append(e.buf, switchPage, byte(page))
	}
	e.buf = append(e.buf, byte(t)&tokenMask|bits)
}

// appendUint appends an mb_u_int32. See WAP-192-WBXML, section 5.1.
func appendUint(b []byte, n uint32) []byte {
	for shift := 28; shift > 0; shift -= 7 {
		if n>>shift != 0 {
			b = append(b, byte(n>>shift)|0x80)
		}
	}
	return append(b, byte(n&0x7F))
}
