package mail

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// decodeUTF7 reads RFC 2152, which old programs mail. What is not in it stands
// for itself.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		if b[i] != '+' {
			out.WriteByte(b[i])
			continue
		}
		end := i + 1
		for end < len(b) && isBase64(b[end]) {
			end++
		}
		switch units, ok := utf16Of(string(b[i+1:end]), base64.RawStdEncoding); {
		case end == i+1 && end < len(b) && b[end] == '-':
			out.WriteByte('+')
		case end == i+1 || !ok:
			out.Write(b[i:end])
		default:
			out.WriteString(string(utf16.Decode(units)))
		}
		i = end - 1
		if end < len(b) && b[end] == '-' {
			i = end
		}
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// utf16Of reads UTF-16 in base64 without padding.
func utf16Of(s string, enc *base64.Encoding) ([]uint16, bool) {
	raw, err := enc.DecodeString(s)
	if err != nil || len(raw) < 2 {
		return nil, false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return units, true
}
