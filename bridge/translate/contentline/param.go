package contentline

import (
	"slices"
	"strings"
)

// A Param is a parameter of a line. A bare parameter of vCard 2.1, such as
// TEL;CELL:, is given the name that it stands for: TYPE, ENCODING or VALUE.
type Param struct {
	Name   string   // in upper case
	Values []string // without quotes, RFC 6868 decoded
	raw    string   // as it was read; "" if new
}

// P builds a parameter.
func P(name string, values ...string) Param { return Param{Name: name, Values: values} }

// Params answers all parameters in order. They must not be changed.
func (l *Line) Params() []Param {
	if l == nil {
		return nil
	}
	if !l.split {
		l.params, l.split = splitParams(l.head, l.legacy()), true
	}
	return l.params
}

// Param answers the first value of the first parameter of that name (upper
// case), or "".
func (l *Line) Param(name string) string {
	for _, p := range l.Params() {
		if p.Name == name && len(p.Values) > 0 {
			return p.Values[0]
		}
	}
	return ""
}

// HasParam tells whether there is a parameter of that name (upper case).
func (l *Line) HasParam(name string) bool {
	return slices.ContainsFunc(l.Params(), func(p Param) bool { return p.Name == name })
}

// HasType tells whether TYPE has that value, in any case: TYPE=CELL,
// TYPE="cell,voice", and the bare CELL of vCard 2.1.
func (l *Line) HasType(t string) bool {
	for _, p := range l.Params() {
		if p.Name != "TYPE" {
			continue
		}
		for _, v := range p.Values {
			if hasElement(v, t) {
				return true
			}
		}
	}
	return false
}

// hasElement finds t in a list with commas, in any case. vCard 4.0 allows
// TYPE="cell,voice".
func hasElement(list, t string) bool {
	for more := true; more; {
		var v string
		v, list, more = strings.Cut(list, ",")
		if strings.EqualFold(strings.TrimSpace(v), t) {
			return true
		}
	}
	return false
}

// SetParam replaces the parameter of that name (upper case) where it stands,
// or adds it; without values it removes it. Setting what is there changes
// nothing.
func (l *Line) SetParam(name string, values ...string) {
	ps := slices.Clone(l.Params())
	at := slices.IndexFunc(ps, func(p Param) bool { return p.Name == name })
	switch {
	case at >= 0 && slices.Equal(ps[at].Values, values):
		return
	case len(values) == 0:
		if at < 0 {
			return
		}
		ps = slices.DeleteFunc(ps, func(p Param) bool { return p.Name == name })
	case at >= 0:
		ps[at] = P(name, values...)
	default:
		ps = append(ps, P(name, values...))
	}
	l.setParams(ps)
}

func (l *Line) setParams(ps []Param) {
	name, _, _ := strings.Cut(l.head, ";")
	var b strings.Builder
	b.WriteString(name)
	for _, p := range ps {
		b.WriteByte(';')
		b.WriteString(p.write(l.legacy()))
	}
	l.head, l.params, l.split, l.changed = b.String(), ps, true, true
}

func (p Param) write(legacy bool) string {
	if p.raw != "" {
		return p.raw
	}
	vs := make([]string, len(p.Values))
	for i, v := range p.Values {
		vs[i] = quoteParam(v, legacy)
	}
	if legacy && p.Name == "TYPE" {
		return strings.Join(vs, ";") // vCard 2.1 knows no lists
	}
	return p.Name + "=" + strings.Join(vs, ",")
}

var toCaret = strings.NewReplacer("^", "^^", "\r\n", "^n", "\n", "^n", `"`, "^'")

// quoteParam writes a value so that it can stand behind the equals sign. See
// RFC 6868, section 3. vCard 2.1 knows neither quotes nor escapes, so what it
// cannot say is left out there.
func quoteParam(v string, legacy bool) string {
	v = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7F || legacy && strings.ContainsRune("\n:;", r) {
			return -1
		}
		return r
	}, v)
	if legacy {
		return v
	}
	if strings.ContainsAny(v, "^\"\n") {
		v = toCaret.Replace(v)
	}
	if strings.ContainsAny(v, ":;,") {
		return `"` + v + `"`
	}
	return v
}

func splitParams(head string, legacy bool) []Param {
	n := strings.Count(head, ";")
	if n == 0 {
		return nil
	}
	ps := make([]Param, 0, n)
	_, rest, _ := strings.Cut(head, ";")
	for {
		one, more := cutOutsideQuotes(rest, ';')
		if p, ok := readParam(one, legacy); ok {
			ps = append(ps, p)
		}
		if more < 0 {
			return ps
		}
		rest = rest[more:]
	}
}

// cutOutsideQuotes answers what precedes the first sep, and where what follows
// it begins, or -1.
func cutOutsideQuotes(s string, sep byte) (string, int) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case sep:
			if !quoted {
				return s[:i], i + 1
			}
		}
	}
	return s, -1
}

func readParam(s string, legacy bool) (Param, bool) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		bare := strings.TrimSpace(s)
		return Param{Name: bareName(bare), Values: []string{bare}, raw: s}, bare != ""
	}
	p := Param{Name: strings.ToUpper(strings.TrimSpace(name)), raw: s}
	if legacy {
		p.Values = []string{strings.TrimSpace(value)}
		return p, true
	}
	p.Values = make([]string, 0, 1)
	for {
		one, more := cutOutsideQuotes(value, ',')
		p.Values = append(p.Values, readParamValue(one))
		if more < 0 {
			return p, true
		}
		value = value[more:]
	}
}

func readParamValue(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if !strings.Contains(s, "^") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '^' && i+1 < len(s) {
			if at := strings.IndexByte("n^'", s[i+1]); at >= 0 {
				b.WriteByte("\n^\""[at])
				i++
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// bareName is the parameter that a bare value of vCard 2.1 belongs to. See
// vCard 2.1, section 3: the knowntype, ptypeval and encoding productions.
func bareName(v string) string {
	switch strings.ToUpper(v) {
	case "7BIT", "8BIT", "QUOTED-PRINTABLE", "BASE64", "B":
		return "ENCODING"
	case "INLINE", "CONTENT-ID", "CID", "URL":
		return "VALUE"
	}
	return "TYPE"
}
