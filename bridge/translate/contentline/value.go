package contentline

import (
	"slices"
	"strings"
)

// Text is the value as a person reads it: encodings, charset and escapes are
// taken off, line breaks are "\n".
func (l *Line) Text() string {
	if l == nil {
		return ""
	}
	return Unescape(l.decode(l.value), l.legacy())
}

// SetText replaces the value by a text. Setting the text that is there changes
// nothing.
func (l *Line) SetText(text string) {
	if text = normalise(text); l.Text() != text {
		l.store(Escape(text, l.legacy()))
	}
}

// Fields answers the components of a structured value, such as N, ADR and ORG.
// Commas stay as they are.
func (l *Line) Fields() []string {
	if l == nil {
		return nil
	}
	fs := Split(l.value, ';')
	for i, f := range fs {
		fs[i] = Unescape(l.decode(f), l.legacy())
	}
	return fs
}

// FieldList answers the values of component i of a structured value that may
// be a list, such as the middle names in N. vCard 2.1 knows no lists.
func (l *Line) FieldList(i int) []string {
	if l == nil {
		return nil
	}
	fs := Split(l.value, ';')
	if i >= len(fs) {
		return nil
	}
	if l.legacy() {
		return []string{Unescape(l.decode(fs[i]), true)}
	}
	vs := Split(fs[i], ',')
	for j, v := range vs {
		vs[j] = Unescape(l.decode(v), false)
	}
	return vs
}

// SetField replaces component i of a structured value and keeps the others;
// missing ones in front of it become empty.
func (l *Line) SetField(i int, text string) {
	text = normalise(text)
	fs := Split(l.value, ';')
	if i < len(fs) && Unescape(l.decode(fs[i]), l.legacy()) == text || i >= len(fs) && text == "" {
		return
	}
	for len(fs) <= i {
		fs = append(fs, "")
	}
	if l.encoded() {
		for j, f := range fs { // another encoding may be written
			fs[j] = reescape(l.decode(f), l.legacy())
		}
	}
	fs[i] = Escape(text, l.legacy())
	l.store(strings.Join(fs, ";"))
}

// reescape makes sure that a decoded component has no bare semicolon. Commas
// are left alone: they may separate values.
func reescape(s string, legacy bool) string {
	s = normalise(s)
	parts := Split(s, ',')
	for i, p := range parts {
		parts[i] = Escape(Unescape(p, legacy), legacy)
	}
	return strings.Join(parts, ",")
}

// List answers the values of a list, such as CATEGORIES, without empty ones.
func (l *Line) List() []string {
	if l == nil {
		return nil
	}
	vs := Split(l.decode(l.value), ',')
	out := vs[:0]
	for _, v := range vs {
		if v = strings.TrimSpace(Unescape(v, l.legacy())); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// SetList replaces the values of a list. Setting what is there changes nothing.
func (l *Line) SetList(values []string) {
	if slices.Equal(l.List(), values) {
		return
	}
	l.store(EscapeList(values, l.legacy()))
}

// EscapeList writes a list of texts as a value.
func EscapeList(values []string, legacy bool) string {
	vs := make([]string, len(values))
	for i, v := range values {
		vs[i] = Escape(normalise(v), legacy)
		if legacy {
			vs[i] = strings.ReplaceAll(vs[i], ",", `\,`)
		}
	}
	return strings.Join(vs, ",")
}

// normalise makes every line break "\n" and drops the control characters that
// no version allows, and what no XML allows, for phones may read it as such. See
// RFC 5545, section 3.1, CONTROL.
func normalise(s string) string {
	if !hasControl(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.Map(func(r rune) rune {
		if isControl(r) && r != '\n' {
			return -1
		}
		return r
	}, s)
}

// Clean makes the text of a parameter or of a value that is not escaped fit for
// XML, as the texts of lines are.
func Clean(s string) string { return normalise(s) }

// hasControl looks at bytes, for nearly all texts have none.
func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= ' ' && c < 0x7F:
		case c < ' ' && c != '\t', c == 0x7F:
			return true
		case c == 0xEF && i+2 < len(s) && s[i+1] == 0xBF && s[i+2] >= 0xBE:
			return true
		}
	}
	return false
}

func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r == 0x7F || r == 0xFFFE || r == 0xFFFF
}

var escaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)
var legacyEscaper = strings.NewReplacer(`\`, `\\`, ";", `\;`)

// Escape writes a text as a value or as a component of one. In vCard 2.1 line
// breaks stay: the line becomes quoted-printable.
func Escape(text string, legacy bool) string {
	if legacy {
		return legacyEscaper.Replace(text)
	}
	return escaper.Replace(text)
}

// Unescape reads a text. It is lenient: \n and \N are line breaks, a backslash
// before a comma, semicolon, colon, quote or backslash goes, any other one
// stays. In vCard 2.1 \n is no line break, so that C:\new stays what it is.
func Unescape(s string, legacy bool) string {
	if !strings.Contains(s, `\`) {
		return normalise(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			switch n := s[i+1]; {
			case n == '\\' || n == ';' || n == ',' || n == ':' || n == '"' && !legacy:
				b = append(b, n)
				i++
				continue
			case (n == 'n' || n == 'N') && !legacy:
				b = append(b, '\n')
				i++
				continue
			}
		}
		b = append(b, c)
	}
	return normalise(string(b))
}

// Split cuts a value at every sep that no backslash precedes; the pieces keep
// their escapes.
func Split(s string, sep byte) []string {
	n := strings.Count(s, string(rune(sep)))
	if n == 0 {
		return []string{s}
	}
	parts := make([]string, 0, n+1)
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
