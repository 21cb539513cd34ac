package account

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// maxBasic bounds the header, in bytes: the longest login and password there may
// be, with the third that base64 adds, and room for a scheme and spaces.
const maxBasic = (MaxLogin+1+MaxPassword)*4/3 + 64

// Basic reads the Authorization header of a request. Phones send UTF-8;
// credentials that are not UTF-8 are ISO-8859-1, as Outlook sends them. See
// RFC 7617, section 2.
func Basic(header string) (login, password string, ok bool) {
	if len(header) > maxBasic {
		return "", "", false
	}
	scheme, encoded, found := strings.Cut(strings.TrimSpace(header), " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	encoded = strings.TrimRight(strings.TrimSpace(encoded), "=")
	raw, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	text := string(raw)
	if !utf8.Valid(raw) {
		runes := make([]rune, len(raw))
		for i, b := range raw {
			runes[i] = rune(b)
		}
		text = string(runes)
	}
	return strings.Cut(text, ":")
}
