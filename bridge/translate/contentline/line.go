package contentline

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A Line is one content line: a property, a BEGIN, an END, or something that
// is none of these (Name is "" then).
type Line struct {
	raw     string // as it was read, folds and line ending included
	head    string // group, name and parameters, unfolded
	value   string // what follows the colon, unfolded
	group   string
	name    string
	params  []Param
	split   bool // params are taken from head
	changed bool // raw no longer says what the line says
	in      *Component
}

// Group is the line's group, "item1" in item1.TEL, or "".
func (l *Line) Group() string {
	if l == nil {
		return ""
	}
	return l.group
}

// Name is the property's name in upper case.
func (l *Line) Name() string {
	if l == nil {
		return ""
	}
	return l.name
}

// Head is what precedes the colon: group, name and parameters as they stand in
// the object, unfolded.
func (l *Line) Head() string {
	if l == nil {
		return ""
	}
	return l.head
}

// Value is the value as it stands in the object: unfolded, but with all of its
// escapes and encodings.
func (l *Line) Value() string {
	if l == nil {
		return ""
	}
	return l.value
}

// SetValue replaces the value; the caller has escaped it. Group, parameters
// and position stay. Setting the value that is there changes nothing.
func (l *Line) SetValue(value string) {
	value = oneLine(value)
	if l.value != value {
		l.value, l.changed = value, true
	}
}

// oneLine keeps a value from breaking out of its line.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	s = strings.ReplaceAll(s, "\r", "")
	return strings.ReplaceAll(s, "\n", `\n`)
}

// maxOctets is the length of a line without its ending. See RFC 5545, section
// 3.1, and RFC 6350, section 3.2.
const maxOctets = 75

func (l *Line) write(b *bytes.Buffer, eol string) {
	if n := b.Len(); n > 0 && b.Bytes()[n-1] != '\n' && !bytes.Equal(b.Bytes(), []byte(bom)) {
		b.WriteString(eol) // the object's last line had no ending
	}
	switch {
	case !l.changed:
		b.WriteString(l.raw)
	case l.legacy() && l.encoding() == quotedPrintable:
		l.writeSoft(b, eol)
	case l.legacy() && l.encoding() == base64Encoding:
		l.writeBase64(b, eol)
	case l.legacy():
		b.WriteString(l.head + ":" + l.value + eol)
	default:
		writeFolded(b, l.head+":"+l.value, eol)
	}
}

func writeFolded(b *bytes.Buffer, s, eol string) {
	room := maxOctets
	for len(s) > room {
		n := runeBoundary(s, room)
		b.WriteString(s[:n] + eol + " ")
		s, room = s[n:], maxOctets-1
	}
	b.WriteString(s + eol)
}

// runeBoundary is the largest cut of at most n bytes that tears no rune.
func runeBoundary(s string, n int) int {
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return i
		}
	}
	return n // not UTF-8
}

// writeSoft breaks a quoted-printable value by soft line breaks. See RFC 2045,
// section 6.7. A blank at an edge would be lost by some readers, so it is
// written as =20 there.
func (l *Line) writeSoft(b *bytes.Buffer, eol string) {
	b.WriteString(l.head + ":")
	room := max(maxOctets-len(l.head)-1, 3)
	s := l.value
	for len(s) > room {
		n := room
		if i := strings.LastIndexByte(s[:n], '='); i >= 0 && n-i < 3 {
			n = i
		}
		for n > 1 && (s[n] == ' ' || s[n-1] == ' ') {
			n--
		}
		if n == 0 {
			n = room
		}
		b.WriteString(s[:n] + "=" + eol)
		s, room = s[n:], maxOctets
	}
	b.WriteString(s + eol)
}

// writeBase64 breaks a value as vCard 2.1 wants it: lines that begin with a
// blank, and an empty line at the end.
func (l *Line) writeBase64(b *bytes.Buffer, eol string) {
	b.WriteString(l.head + ":" + eol)
	for s := l.value; s != ""; {
		n := min(len(s), maxOctets-1)
		b.WriteString(" " + s[:n] + eol)
		s = s[n:]
	}
	if l.raw == "" {
		b.WriteString(eol) // an old line has its empty line behind it
	}
}

func (l *Line) legacy() bool { return l.in != nil && l.in.legacy }
