package ical

import (
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/translate/contentline"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
)

// Zones finds the time zones that an object names.
type Zones struct {
	Own   *time.Location // the person's, where an object leaves the choice open
	cal   *component
	found map[string]*time.Location
	made  int // how many VTIMEZONEs were evaluated
}

// maxMade bounds how many VTIMEZONEs of an object are evaluated. Real objects
// have two.
const maxMade = 16

// ZonesOf looks for zones in a VCALENDAR; own is the person's.
func ZonesOf(cal *component, own *time.Location) *Zones {
	return &Zones{Own: own, cal: cal, found: map[string]*time.Location{}}
}

// Explain adds the VTIMEZONE of a zone from a year on, unless there is one.
func (z *Zones) Explain(zone *time.Location, tzid string, year int) {
	z.found[tzid] = zone
	for _, vtz := range z.cal.Components("VTIMEZONE") {
		if vtz.Get("TZID").Text() == tzid {
			return
		}
	}
	if doc, err := contentline.Parse(tz.VTimezone(zone, tzid, year)); err == nil {
		z.cal.AddCopy(doc.Component("VTIMEZONE"))
	}
}

// Zone finds what a TZID stands for; nil if nothing explains it.
func (z *Zones) Zone(tzid string) *time.Location {
	if loc, ok := z.found[tzid]; ok {
		return loc
	}
	loc, ok := tz.Location(tzid)
	if !ok {
		loc = z.described(tzid)
	}
	z.found[tzid] = loc
	return loc
}

// described evaluates the object's own VTIMEZONE; nil if there is none.
func (z *Zones) described(tzid string) *time.Location {
	for _, vtz := range z.cal.Components("VTIMEZONE") {
		if vtz.Get("TZID").Text() != tzid {
			continue
		}
		if loc, ok := tz.Location(vtz.Get("X-LIC-LOCATION").Text()); ok {
			return loc
		}
		if z.made++; z.made > maxMade {
			return nil
		}
		if loc, err := tz.FromObservances(tzid, observances(vtz)); err == nil {
			return loc
		}
	}
	return nil
}

// observances reads the parts of a VTIMEZONE, up to the limit of what anybody
// will look at.
func observances(vtz *component) []tz.Observance {
	var list []tz.Observance
	for _, c := range vtz.Components("STANDARD", "DAYLIGHT") {
		start, ok := ParseWall(c.Get("DTSTART").Value())
		from, ok1 := parseOffset(c.Get("TZOFFSETFROM").Value())
		to, ok2 := parseOffset(c.Get("TZOFFSETTO").Value())
		if !ok || !ok1 || !ok2 || len(list) == tz.MaxObservances {
			continue
		}
		ob := tz.Observance{Daylight: c.Name() == "DAYLIGHT", Start: start, OffsetFrom: from, OffsetTo: to, Rule: c.Get("RRULE").Value()}
		for _, l := range c.All("RDATE") {
			for value := range strings.SplitSeq(l.Value(), ",") {
				if at, ok := ParseWall(value); ok {
					ob.Dates = append(ob.Dates, at)
				}
			}
		}
		list = append(list, ob)
	}
	return list
}

// parseOffset reads +0100 and the like as seconds. See RFC 5545, section 3.3.14.
func parseOffset(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if len(s) != 5 && len(s) != 7 {
		return 0, false
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil || s[0] != '+' && s[0] != '-' || n < 0 {
		return 0, false
	}
	if len(s) == 5 {
		n *= 100
	}
	seconds := n/10000*3600 + n/100%100*60 + n%100
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
