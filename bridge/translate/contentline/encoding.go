package contentline

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// An encoding is how the octets of a value are written.
type encoding int

const (
	unknownEncoding encoding = iota
	noEncoding
	quotedPrintable
	base64Encoding
)

func (l *Line) encoding() encoding {
	if l == nil || !strings.Contains(l.head, ";") {
		return noEncoding
	}
	switch strings.ToUpper(l.Param("ENCODING")) {
	case "QUOTED-PRINTABLE":
		return quotedPrintable
	case "B", "BASE64":
		return base64Encoding
	}
	return noEncoding
}

// decode takes quoted-printable and the charset off a piece of the value. What
// is neither UTF-8 nor near to it, and does not say what it is, is read as
// Windows-1252: that is what the programs wrote that wrote such files.
func (l *Line) decode(s string) string {
	if l.encoding() == quotedPrintable {
		s = decodeQuotedPrintable(s)
	}
	if set := l.Param("CHARSET"); set != "" && !strings.EqualFold(set, "UTF-8") {
		if enc, err := htmlindex.Get(set); err == nil {
			if t, err := enc.NewDecoder().String(s); err == nil {
				return t
			}
		}
	}
	if utf8.ValidString(s) {
		return s
	}
	return mend(s)
}

// mend reads what is not UTF-8: surrogates one by one, as Java and Oracle write
// them, UTF-8 that is damaged in places, and Windows-1252.
func mend(s string) string {
	if strings.IndexByte(s, 0xED) >= 0 {
		if s = joinSurrogates(s); utf8.ValidString(s) {
			return s
		}
	}
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		if n > 1 { // so long a character of UTF-8 is no accident
			return strings.ToValidUTF8(s, "\uFFFD")
		}
		i += n
	}
	t, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return t
}

// joinSurrogates makes characters of surrogates that are written as if they
// were characters (CESU-8); a lone one becomes U+FFFD. See Unicode Technical
// Report 26.
func joinSurrogates(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		high := surrogateAt(s, i)
		if high == 0 {
			b.WriteByte(s[i])
			i++
			continue
		}
		i += 3
		r := utf16.DecodeRune(high, surrogateAt(s, i))
		if r != utf8.RuneError {
			i += 3
		}
		b.WriteRune(r)
	}
	return b.String()
}

// surrogateAt reads a surrogate of three bytes, 0 if there is none.
func surrogateAt(s string, i int) rune {
	if i+3 > len(s) || s[i] != 0xED || s[i+1] < 0xA0 || s[i+1] > 0xBF || s[i+2]&0xC0 != 0x80 {
		return 0
	}
	return 0xD000 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F)
}

// encoded tells whether decode may change the value.
func (l *Line) encoded() bool {
	return l.encoding() == quotedPrintable || l.Param("CHARSET") != "" || !utf8.ValidString(l.value)
}

// store puts an escaped text into the line in the way that its version allows.
// Line breaks that are left in it are only possible in vCard 2.1.
func (l *Line) store(s string) {
	enc := l.encoding()
	if l.legacy() && needsQuotedPrintable(s) {
		if enc != quotedPrintable {
			l.SetParam("ENCODING", "QUOTED-PRINTABLE")
		}
		l.SetParam("CHARSET", "UTF-8")
		l.SetValue(encodeQuotedPrintable(s))
		return
	}
	if enc != noEncoding {
		l.SetParam("ENCODING")
	}
	l.SetParam("CHARSET")
	l.SetValue(s)
}

func needsQuotedPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7F {
			return true
		}
	}
	return false
}

const hexDigits = "0123456789ABCDEF"

func encodeQuotedPrintable(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7F || c == '=' {
			b.WriteByte('=')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// decodeQuotedPrintable leaves what is not quoted-printable as it is. Soft
// line breaks are gone already.
func decodeQuotedPrintable(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// Data answers an inline binary value, such as a photo's, and its media type
// as far as the line tells it ("image/jpeg", "jpeg" or ""). It is ENCODING=b,
// BASE64, or a data: URI (RFC 2397); anything else, such as another URI,
// answers false, and so does broken base64.
func (l *Line) Data() (data []byte, mediaType string, ok bool) {
	if l == nil {
		return nil, "", false
	}
	value := strings.TrimSpace(l.value)
	mediaType = l.Param("MEDIATYPE")
	if mediaType == "" {
		mediaType = l.Param("TYPE")
	}
	switch {
	case l.encoding() == base64Encoding:
	case len(value) > 5 && strings.EqualFold(value[:5], "data:"):
		head, rest, found := strings.Cut(value[5:], ",")
		kind, isData := cutSuffixFold(strings.ReplaceAll(head, `\`, ""), ";base64")
		if !found || !isData {
			return nil, "", false
		}
		value, mediaType = rest, kind
	default:
		return nil, "", false
	}
	data, ok = decodeBase64(value)
	return data, mediaType, ok
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n >= 0 && strings.EqualFold(s[n:], suffix) {
		return s[:n], true
	}
	return s, false
}

// decodeBase64 is lenient about blanks, missing padding and the URL alphabet.
func decodeBase64(s string) ([]byte, bool) {
	clean := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\n', '=', '\\':
		case '-':
			clean = append(clean, '+')
		case '_':
			clean = append(clean, '/')
		default:
			clean = append(clean, c)
		}
	}
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, err := base64.RawStdEncoding.Decode(data, clean)
	return data[:n], err == nil && n > 0
}
