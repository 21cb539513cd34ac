package eas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Version of the protocol: 25 for 2.5, 120 for 12.0, up to 161 for 16.1. The
// numbers from 121 on are those of the base64 query's first byte. See
// [MS-ASHTTP] "Base64-Encoded Query Value".
type Version uint8

// The versions there are. 12.0 and below know no status values above 100.
const (
	V25  Version = 25
	V120 Version = 120
	V121 Version = 121
	V140 Version = 140
	V141 Version = 141
	V160 Version = 160
	V161 Version = 161
)

// Versions lists the versions that we speak, ascending: some phones take the
// last one of the list.
var Versions = []Version{V25, V120, V121, V140, V141, V160, V161}

// ParseVersion reads "14.1" and the like.
func ParseVersion(s string) (Version, error) {
	whole, part, _ := strings.Cut(strings.TrimSpace(s), ".")
	w, err1 := strconv.ParseUint(whole, 10, 8)
	p, err2 := strconv.ParseUint(part, 10, 8)
	v := Version(w*10 + p)
	if err1 != nil || err2 != nil || p > 9 || w > 16 || !slices.Contains(Versions, v) {
		return 0, fmt.Errorf("eas: %q is not a protocol version that we speak (2.5, 12.0, 12.1, 14.0, 14.1, 16.0, 16.1)", s)
	}
	return v, nil
}

// String writes the version as "14.1".
func (v Version) String() string {
	if name, ok := versionNames[v]; ok {
		return name
	}
	return fmt.Sprintf("%d.%d", v/10, v%10)
}

// versionNames spare each phone that waits a name of its own.
var versionNames = map[Version]string{V25: "2.5", V120: "12.0", V121: "12.1", V140: "14.0", V141: "14.1", V160: "16.0", V161: "16.1"}
