package translate

import (
	"fmt"
	"strings"
	"time"
)

// The two ways in which ActiveSync writes points in time, both in UTC. See
// [MS-ASDTYPE] "DateTime" and "Compact DateTime".
const (
	dateTimeLayout = "2006-01-02T15:04:05.000Z"
	compactLayout  = "20060102T150405Z"
)

// DateTime writes a point in time as 2006-01-02T15:04:05.000Z: contacts,
// tasks, mail.
func DateTime(t time.Time) string { return t.UTC().Format(dateTimeLayout) }

// CompactDateTime writes a point in time as 20060102T150405Z: events, notes.
func CompactDateTime(t time.Time) string { return t.UTC().Format(compactLayout) }

// ParseDateTime reads either way, with or without fractions, Z and time, for
// phones are not strict. The error is ErrInvalid.
func ParseDateTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		"2006-01-02T15:04:05.999999999Z07:00", "20060102T150405Z07:00",
		"2006-01-02T15:04:05.999999999", "20060102T150405", "2006-01-02", "20060102",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %q is no date", ErrInvalid, Truncate(s, 40))
}
