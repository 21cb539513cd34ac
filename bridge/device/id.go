package device

import "strings"

// ValidID tells whether a DeviceId can name a phone. [MS-ASHTTP] "Device ID"
// asks for a value without special characters; a few clients use '-', '_' and
// the like, which do no harm.
func ValidID(s string) bool {
	if s == "" || len(s) > MaxDeviceID {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-_.:{}", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// clip cuts what a phone says of itself to MaxText bytes and takes out what
// has no place in a line of text.
func clip(s string) string {
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
