package contentline

import (
	"fmt"
	"strings"
)

const bom = "\uFEFF"

// Parse reads an object. The error is ErrLimit or ErrNoComponent; nothing else
// makes an object unreadable.
func Parse(object []byte) (*Document, error) {
	if len(object) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrLimit, len(object), MaxSize)
	}
	p := parser{rest: string(object)}
	p.doc = &Document{eol: "\r\n"}
	p.doc.bom, p.rest = cutBOM(p.rest)
	if first, _, ok := strings.Cut(p.rest, "\n"); ok && !strings.HasSuffix(first, "\r") {
		p.doc.eol = "\n"
	}
	p.at = &p.doc.root
	for p.rest != "" {
		if err := p.step(p.logical()); err != nil {
			return nil, err
		}
	}
	if !p.found {
		return nil, ErrNoComponent
	}
	return p.doc, nil
}

func cutBOM(s string) (mark, rest string) {
	if strings.HasPrefix(s, bom) {
		return bom, s[len(bom):]
	}
	return "", s
}

type parser struct {
	doc   *Document
	at    *Component // where the next line belongs
	depth int
	rest  string
	lines int    // physical ones, so far
	slab  []Line // lines are allocated by the dozen
	found bool   // there was a BEGIN
}

const slabSize = 24

func (p *parser) newLine() *Line {
	if len(p.slab) == 0 {
		p.slab = make([]Line, slabSize)
	}
	l := &p.slab[0]
	p.slab = p.slab[1:]
	l.in = p.at
	return l
}

// step puts a line where it belongs.
func (p *parser) step(l *Line) error {
	if p.lines > MaxLines {
		return fmt.Errorf("%w: more than %d lines", ErrLimit, MaxLines)
	}
	switch l.name {
	case "BEGIN":
		if p.depth++; p.depth > MaxDepth {
			return fmt.Errorf("%w: components nest deeper than %d", ErrLimit, MaxDepth)
		}
		c := &Component{name: componentName(l), begin: l, parent: p.at, legacy: p.at.legacy}
		l.in = c
		p.at.nodes = append(p.at.nodes, node{comp: c})
		p.at, p.found = c, true
		return nil
	case "END":
		if p.closes(componentName(l)) {
			return p.end(l)
		}
	case "VERSION":
		v := strings.TrimSpace(l.value)
		if p.at.name == "VCARD" {
			p.at.legacy = v == "2.1"
		} else if p.at.name == "VCALENDAR" {
			p.at.legacy = v == "1.0"
		}
	}
	p.at.nodes = append(p.at.nodes, node{line: l})
	return nil
}

func componentName(l *Line) string { return strings.ToUpper(strings.TrimSpace(l.value)) }

// closes tells whether a component of that name is open.
func (p *parser) closes(name string) bool {
	for c := p.at; c.parent != nil; c = c.parent {
		if c.name == name {
			return true
		}
	}
	return false
}

// end closes the innermost open component of the line's name, and with it
// those inside that lack their END.
func (p *parser) end(l *Line) error {
	name := componentName(l)
	for p.at.name != name {
		p.at = p.at.parent
		p.depth--
	}
	p.at.end, l.in = l, p.at
	p.at = p.at.parent
	p.depth--
	return nil
}

// physical cuts the next physical line off and answers it with and without its
// ending.
func (p *parser) physical() (raw, text string) {
	p.lines++
	raw, rest := p.rest, ""
	if i := strings.IndexByte(p.rest, '\n'); i >= 0 {
		raw, rest = p.rest[:i+1], p.rest[i+1:]
	}
	p.rest = rest
	return raw, strings.TrimRight(raw, "\r\n")
}

// peek answers the next physical line without its ending.
func (p *parser) peek() string {
	next, _, _ := strings.Cut(p.rest, "\n")
	return strings.TrimRight(next, "\r")
}

// logical reads a content line with all of its continuations.
func (p *parser) logical() *Line {
	whole := p.rest
	raw, text := p.physical()
	l := p.newLine()
	enc := headEncoding(text)
	if how := p.continuation(enc, text != "", strings.HasSuffix(text, "=")); how != joinNone {
		text = p.unfold(text, enc, how)
		raw = whole[:len(whole)-len(p.rest)]
	}
	l.raw = raw
	l.scan(text)
	return l
}

// A join is how the next physical line continues a line.
type join int

const (
	joinNone join = iota
	joinFold      // it begins with a blank
	joinSoft      // what precedes it ends with a quoted-printable soft line break
	joinData      // it is base64 without a blank in front, as old phones wrote it
)

// continuation tells how the next physical line continues a line of that
// encoding, which so far has text at all, and has a "=" at its end.
func (p *parser) continuation(enc encoding, text, soft bool) join {
	if p.rest == "" || p.lines > MaxLines {
		return joinNone
	}
	if soft && enc == quotedPrintable {
		if next := p.peek(); len(next) < 4 || !strings.EqualFold(next[:4], "END:") {
			return joinSoft
		}
	}
	if c := p.rest[0]; text && (c == ' ' || c == '\t') {
		return joinFold
	}
	if enc == base64Encoding && isBase64(p.peek()) {
		return joinData
	}
	return joinNone
}

func (p *parser) unfold(first string, enc encoding, how join) string {
	buf := append(make([]byte, 0, 4*len(first)), first...)
	for how != joinNone {
		_, next := p.physical()
		switch {
		case how == joinSoft:
			buf = append(buf[:len(buf)-1], next...)
		case how == joinFold && !(p.at.legacy && enc != base64Encoding):
			buf = append(buf, next[1:]...)
		default:
			// In vCard 2.1 a line is folded at a blank that stays; later
			// versions add one. See vCard 2.1, section 2.1.3, and RFC 2425,
			// section 5.8.1.
			buf = append(buf, next...)
		}
		if enc == unknownEncoding {
			enc = headEncoding(string(buf[:min(len(buf), maxHead)]))
		}
		how = p.continuation(enc, true, len(buf) > 0 && buf[len(buf)-1] == '=')
	}
	return string(buf)
}

// maxHead is how far into a line we look for the parameter that says how its
// continuations are to be read.
const maxHead = 512

// headEncoding looks for the encoding in the parameters of a line; it is
// unknownEncoding as long as the colon is not there.
func headEncoding(text string) encoding {
	text = text[:min(len(text), maxHead)]
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return unknownEncoding
	}
	head := text[:colon]
	switch {
	case !strings.Contains(head, ";"):
		return noEncoding
	case hasWord(head, "QUOTED-PRINTABLE"):
		return quotedPrintable
	case hasWord(head, "BASE64"), hasWord(head, "ENCODING=B"):
		return base64Encoding
	}
	return noEncoding
}

// hasWord finds an upper-case word in any case.
func hasWord(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]&^0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

func isBase64(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=') {
			return false
		}
	}
	return s != ""
}

// scan takes an unfolded line apart. A line that is no content line keeps an
// empty name.
func (l *Line) scan(text string) {
	colon := colonOutsideQuotes(text)
	if colon < 0 {
		return
	}
	head := text[:colon]
	name, _, _ := strings.Cut(head, ";")
	group, bare, dotted := strings.Cut(name, ".")
	if !dotted {
		group, bare = "", name
	}
	bare = strings.TrimSpace(bare)
	if !isName(bare) {
		return
	}
	l.head, l.value = head, text[colon+1:]
	l.group, l.name = strings.TrimSpace(group), strings.ToUpper(bare)
}

func colonOutsideQuotes(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				return i
			}
		}
	}
	return strings.IndexByte(s, ':') // a quote is open: better this than no line
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}
