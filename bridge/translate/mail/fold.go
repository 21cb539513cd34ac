package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"unicode/utf8"
)

// addressFields are those whose names are encoded apart from their addresses.
var addressFields = []string{"From", "To", "Cc", "Bcc", "Reply-To", "Sender", "Disposition-Notification-To", "Return-Receipt-To"}

// sentField writes a field of a phone so that every server takes it: in ASCII,
// with lines of bounded length. One that is so already stays as it is.
func sentField(f field) []byte {
	if isASCII(f.raw) && !longLines(f.raw) && !bytes.ContainsFunc(f.value(), func(r rune) bool { return forbidden(r) }) {
		return wholeField(f.raw)
	}
	for _, name := range addressFields {
		if f.is(name) {
			return []byte(addressField(name, header{f}.addresses(name, "")))
		}
	}
	if f.is("Content-Type") || f.is("Content-Disposition") {
		return []byte(paramField(f))
	}
	if isASCII(f.raw) {
		return []byte(foldedField(f.name, strings.Fields(clean(string(unfold(f.value()))))))
	}
	return []byte(textField(f.name, text(f.value())))
}

// wholeField is a field with its line break.
func wholeField(raw []byte) []byte {
	if bytes.HasSuffix(raw, []byte("\r\n")) {
		return raw
	}
	return append(bytes.TrimRight(bytes.Clone(raw), "\r\n"), '\r', '\n')
}

// maxFolded is how long lines get that are folded here. See RFC 5322, section
// 2.1.1.
const maxFolded = 76

// foldedField writes words with as few lines as possible.
func foldedField(name string, words []string) string {
	var b strings.Builder
	b.WriteString(name + ":")
	n := len(name) + 1
	for _, w := range words {
		if n+1+len(w) > maxFolded && n > len(name)+1 {
			b.WriteString("\r\n")
			n = 0
		}
		for len(w) > maxSentLine-10 { // a word that has no place to fold
			b.WriteString(" " + w[:maxFolded] + "\r\n")
			w, n = w[maxFolded:], 0
		}
		b.WriteString(" " + w)
		n += 1 + len(w)
	}
	b.WriteString("\r\n")
	return b.String()
}

// textField writes a text, encoded if it has to be.
func textField(name, value string) string {
	value = line(clean(value))
	if isASCII([]byte(value)) && !strings.Contains(value, "=?") {
		return foldedField(name, strings.Fields(value))
	}
	return foldedField(name, encodedWords(mime.QEncoding, value))
}

// encodedWords encodes a text. One that only looks as if it were encoded has to
// be, too.
func encodedWords(e mime.WordEncoder, value string) []string {
	if !isASCII([]byte(value)) {
		return strings.Split(e.Encode("utf-8", value), " ")
	}
	var words []string
	for chunk := range slices.Chunk([]byte(value), 45) {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(chunk)+"?=")
	}
	return words
}

// addressField writes addresses; nothing if there are none. Somebody of whom
// there is only a name has none.
func addressField(name string, list []address) string {
	list = slices.DeleteFunc(slices.Clone(list), func(a address) bool { return a.addr == "" })
	if len(list) == 0 {
		return ""
	}
	var words []string
	for i, a := range list {
		s := a.sent()
		if i+1 < len(list) {
			s[len(s)-1] += ","
		}
		words = append(words, s...)
	}
	return foldedField(name, words)
}

// sent is the address as it is sent, in words between which lines may be
// folded.
func (a address) sent() []string {
	addr := "<" + a.addr + ">"
	switch {
	case a.name == "":
		return []string{a.addr}
	case strings.Contains(a.name, "=?"), !isASCII([]byte(a.name)) && strings.ContainsAny(a.name, `()<>[]:;@\,."`): // which Q does not encode: RFC 2047, section 5
		return append(encodedWords(mime.BEncoding, a.name), addr)
	case !isASCII([]byte(a.name)):
		return append(encodedWords(mime.QEncoding, a.name), addr)
	}
	return []string{`"` + strings.ReplaceAll(strings.ReplaceAll(a.name, `\`, `\\`), `"`, `\"`) + `"`, addr}
}

// paramField writes a value and its parameters.
func paramField(f field) string {
	value, params := parameters(unfold(f.value()))
	var b strings.Builder
	b.WriteString(f.name + ": " + line(clean(value)))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if fieldName([]byte(name+":")) > 0 {
			b.WriteString(param(name, params[name]))
		}
	}
	return b.String() + "\r\n"
}

// param writes the value of a parameter, in the way of RFC 2231 if it is
// not in ASCII.
func param(name, value string) string {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || forbidden(r) {
			return -1
		}
		return r
	}, value)
	if isASCII([]byte(value)) && !strings.Contains(value, "=?") {
		return "; " + name + `="` + strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), `"`, `\"`) + `"`
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.WriteString(";\r\n " + name + "*=utf-8''")
	for i := range len(value) {
		switch c := value[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// encodePart describes data anew in an encoding that every server takes.
func encodePart(fields header, data []byte, isText bool) replaced {
	var b bytes.Buffer
	for _, f := range fields {
		if !f.is("Content-Transfer-Encoding") {
			b.Write(sentField(f))
		}
	}
	encoding, body := encode(data, isText)
	b.WriteString("Content-Transfer-Encoding: " + encoding + "\r\n")
	return replaced{fields: b.Bytes(), body: body}
}

// encode chooses the encoding that suits some data: none for plain ASCII,
// quoted-printable for other texts, base64 for everything else.
func encode(data []byte, isText bool) (encoding string, body []byte) {
	if !isText || !utf8.Valid(data) && mostly8Bit(data) {
		return "base64", base64Lines(data)
	}
	data = networkLines(data)
	if isASCII(data) && !longLines(data) {
		return "7bit", data
	}
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, err := w.Write(data)
	if err == nil {
		err = w.Close()
	}
	if err != nil { // a buffer takes everything
		return "base64", base64Lines(data)
	}
	return "quoted-printable", b.Bytes()
}

func mostly8Bit(data []byte) bool {
	n := 0
	for _, c := range data {
		if c >= utf8.RuneSelf {
			n++
		}
	}
	return n > len(data)/3
}

// base64Lines writes lines of 76 characters. See RFC 2045, section 6.8.
func base64Lines(data []byte) []byte {
	var b bytes.Buffer
	b.Grow(base64.StdEncoding.EncodedLen(len(data)) * 78 / 76)
	w := base64.NewEncoder(base64.StdEncoding, &breaker{w: &b})
	_, err := w.Write(data)
	if err == nil {
		err = w.Close()
	}
	if err != nil { // a buffer takes everything
		panic(err)
	}
	return b.Bytes()
}

// A breaker breaks lines after 76 characters.
type breaker struct {
	w io.Writer
	n int
}

func (b *breaker) Write(p []byte) (int, error) {
	done := 0
	for len(p) > 0 {
		if b.n == 76 {
			if _, err := io.WriteString(b.w, "\r\n"); err != nil {
				return done, err
			}
			b.n = 0
		}
		n, err := b.w.Write(p[:min(len(p), 76-b.n)])
		b.n += n
		done += n
		p = p[n:]
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
