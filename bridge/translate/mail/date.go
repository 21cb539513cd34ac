package mail

import (
	"net/mail"
	"strings"
	"time"
)

// layouts are forms in which programs write dates beside those that net/mail
// reads.
var layouts = []string{
	"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -0700 2006",
	"Mon, 2 Jan 06 15:04:05 -0700", "Mon, 2-Jan-2006 15:04:05 -0700", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05",
	"Mon, 2 Jan 2006 15.04.05 -0700", "Monday, 2 January 2006 15:04:05 -0700", "Mon, 2 Jan 2006", "2 Jan 2006", "02.01.2006 15:04:05",
}

// parseDate reads a date in any form that was seen; false if it is none, or
// nobody lived then.
func parseDate(s string) (time.Time, bool) {
	s = strings.Join(strings.Fields(string(withoutComments([]byte(s)))), " ")
	if s == "" || len(s) > 100 {
		return time.Time{}, false
	}
	at, err := mail.ParseDate(s)
	for i := 0; err != nil && i < len(layouts); i++ {
		at, err = time.Parse(layouts[i], s)
	}
	if err != nil || at.Year() < 1970 || at.Year() > 2200 {
		return time.Time{}, false
	}
	return at.UTC(), true
}
