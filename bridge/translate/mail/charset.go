package mail

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// aliases are names of charsets that programs write and no registry has.
var aliases = map[string]string{
	"utf8": "utf-8", "utf": "utf-8", "unicode-1-1-utf-8": "utf-8", "cp932": "shift_jis", "cp936": "gbk", "cp949": "euc-kr", "cp950": "big5",
	"win-1250": "windows-1250", "win-1251": "windows-1251", "win-1252": "windows-1252", "ansi_x3.110-1983": "iso-8859-1", "ansi": "windows-1252",
	"iso8859-1": "iso-8859-1", "iso-8859-1-windows-3.1-latin-1": "windows-1252", "iso_8859-1:1987": "iso-8859-1", "8859-1": "iso-8859-1",
	"ks_c_5601-1987": "euc-kr", "x-gbk": "gbk", "gb2312_charset": "gbk", "chinesebig5": "big5", "x-euc-jp": "euc-jp", "iso-2022-jp-ms": "iso-2022-jp",
}

// findCharset is the encoding of that name, nil if nobody knows it.
func findCharset(name string) encoding.Encoding {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`))
	if other := aliases[name]; other != "" {
		name = other
	}
	if e, err := htmlindex.Get(name); err == nil {
		if canonical, err := htmlindex.Name(e); err == nil && canonical != "replacement" {
			return e
		}
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil {
		return e
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e
	}
	return nil
}

// decodeCharset reads text in a charset. If there is none of that name, or it
// cannot be that one, it is guessed: UTF-8 if it is that, else the other one that is
// given, else Windows' Latin. The result is valid UTF-8.
func decodeCharset(b []byte, charset, other string) string {
	name := strings.ToLower(strings.TrimSpace(charset))
	switch {
	case isASCII(b):
		if !shifts(b) {
			return string(b)
		}
	case name == "utf-8" || name == "utf8" || name == "" || name == "us-ascii" || name == "ascii" || strings.HasPrefix(name, "unknown"):
		return guess(b, other)
	}
	if name == "utf-7" || name == "unicode-1-1-utf-7" {
		return decodeUTF7(b)
	}
	if name == "" && strings.Contains(string(b), "\x1b$") {
		name = "iso-2022-jp" // nothing else begins like this
	}
	e := findCharset(name)
	if e == nil {
		return guess(b, other)
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return guess(b, other)
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

// guess reads text that is in UTF-8, or should be.
func guess(b []byte, other string) string {
	if utf8.Valid(b) {
		return string(b)
	}
	if e := findCharset(other); e != nil && !strings.HasPrefix(strings.ToLower(other), "utf") {
		if out, err := e.NewDecoder().Bytes(b); err == nil {
			return strings.ToValidUTF8(string(out), "\uFFFD")
		}
	}
	if mostlyUTF8(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// mostlyUTF8 tells text that was cut or damaged from text in another charset.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return good > bad
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// shifts tells whether ASCII may mean something else: ISO 2022 shifts with
// escapes, HZ with tildes, UTF-7 with pluses.
func shifts(b []byte) bool {
	for i, c := range b {
		if c == 0x1B || c == '+' || c == '~' && i+1 < len(b) && b[i+1] == '{' || c == 0 {
			return true
		}
	}
	return false
}

// clean takes out of a text what neither XML nor a phone takes: control
// characters, and what is no character.
func clean(s string) string {
	if !strings.ContainsFunc(s, forbidden) && utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if forbidden(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func forbidden(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7F || r == 0xFFFE || r == 0xFFFF
}
