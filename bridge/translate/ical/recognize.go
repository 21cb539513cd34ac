package ical

import (
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

// Recognize finds the zone, one that has a name, which a TZID or a VTIMEZONE means:
// by its name, or else by its rules in a year. Of several with the same rules it is
// the preferred one, or the commonest.
func Recognize(text string, year int, prefer *time.Location) (*time.Location, bool) {
	if !strings.Contains(text, "\n") {
		return tz.Location(text)
	}
	doc, err := contentline.Parse([]byte(text))
	if err != nil {
		return nil, false
	}
	vtz := doc.Component("VTIMEZONE")
	if vtz == nil {
		return nil, false
	}
	for _, name := range []string{"TZID", "X-LIC-LOCATION"} {
		if zone, ok := tz.Location(vtz.Get(name).Text()); ok {
			return zone, true
		}
	}
	made, err := tz.FromObservances("", observances(vtz))
	if err != nil {
		return nil, false
	}
	b, exact := tz.BlobFor(made, year)
	if !exact {
		return nil, false
	}
	zone, ok := b.Match(year, prefer)
	return zone, ok && b.FitsExactly(zone, year)
}
