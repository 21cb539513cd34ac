package mail

import (
	"bytes"
	"strings"
)

// A field is one field of a header, folded or not.
type field struct {
	name string
	raw  []byte // all of it, with its last line break
}

// value is what follows the name, still folded.
func (f field) value() []byte {
	return bytes.TrimRight(f.raw[bytes.IndexByte(f.raw, ':')+1:], "\r\n")
}

func (f field) is(name string) bool { return strings.EqualFold(f.name, name) }

// A header is the fields of a message or a part, in their order.
type header []field

// get is the value of the first field of a name, unfolded; nil if there is none.
func (h header) get(name string) []byte {
	for _, f := range h {
		if f.is(name) {
			return unfold(f.value())
		}
	}
	return nil
}

// all is the values of all fields of a name, unfolded.
func (h header) all(name string) [][]byte {
	var list [][]byte
	for _, f := range h {
		if f.is(name) {
			list = append(list, unfold(f.value()))
		}
	}
	return list
}

// unfold takes the line breaks out of a value. See RFC 5322, section 2.2.3.
func unfold(v []byte) []byte {
	v = bytes.TrimSpace(v)
	if bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return v
	}
	out := make([]byte, 0, len(v))
	for _, c := range v {
		if c != '\r' && c != '\n' {
			out = append(out, c)
		}
	}
	return out
}

// readHeader reads fields from a place on, and answers where the body begins.
// Lines that are no fields are left out if a field follows; if none does, the
// empty line is missing and they are the body. A boundary ends a header, too.
func (p *parser) readHeader() (h header) {
	begin, open := p.at, -1 // where the last field begins, if a line may go on with it
	for p.at < len(p.all) && p.at-begin < maxHeader {
		next := lineEnd(p.all, p.at)
		line := p.all[p.at:next]
		switch n := fieldName(line); {
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			p.at = next
			return h
		case p.atBoundary(line):
			return h
		case line[0] == ' ' || line[0] == '\t':
			if open >= 0 {
				h[len(h)-1].raw = p.all[open:next]
			} else if len(h) == 0 && !p.fieldFollows(next) {
				return h
			}
		case n > 0 && len(h) < maxFields:
			open = p.at
			h = append(h, field{name: string(line[:n]), raw: line})
		case n > 0:
			open = -1
		case p.fieldFollows(next), len(h) == 0 && isFromLine(line):
			open = -1
		default:
			return h
		}
		p.at = next
	}
	return h
}

// isFromLine knows the line between the messages of a mailbox file. See RFC
// 4155, appendix A.
func isFromLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

// atBoundary tells whether a line in a header is a boundary of an open
// multipart.
func (p *parser) atBoundary(line []byte) bool {
	if len(p.boundaries) == 0 || !bytes.HasPrefix(line, dashes) {
		return false
	}
	_, ok := p.match(line)
	return ok
}

// fieldFollows tells whether the line at a place is a field.
func (p *parser) fieldFollows(at int) bool {
	return at < len(p.all) && fieldName(p.all[at:lineEnd(p.all, at)]) > 0
}

func lineEnd(all []byte, at int) int {
	if i := bytes.IndexByte(all[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(all)
}

// maxFieldName is longer than the name of any field.
const maxFieldName = 100

// fieldName is the length of the name that a line begins with, 0 if it is no
// field. Names are of printable ASCII; some programs put a blank behind them.
// See RFC 5322, section 2.2.
func fieldName(line []byte) int {
	colon := bytes.IndexByte(line[:min(len(line), maxFieldName)], ':')
	if colon <= 0 {
		return 0
	}
	n := len(bytes.TrimRight(line[:colon], " \t"))
	for _, c := range line[:n] {
		if c <= ' ' || c > '~' {
			return 0
		}
	}
	return n
}
