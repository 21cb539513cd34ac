// Package tz finds out which time zone a calendar object or a phone means, whatever it calls it.
//
// Objects name zones by TZID: IANA names, names with a path in front, Windows
// names, or names of their own explained by a VTIMEZONE. Phones send the 172
// bytes of a TIME_ZONE_INFORMATION, in which only the rule can be trusted: its
// names are localised, empty or cut. Everything ends as a [time.Location].
//
// The zone data is compiled in and serves where the system has none.
package tz

import (
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // so that a container without zone data works
)

//go:generate go run gen.go

// MaxName bounds the length of a TZID that is looked at, in bytes. The longest
// real ones are Windows's display texts of some 80 bytes.
const MaxName = 255

// Location finds a zone by its TZID: an IANA name in any case, an IANA name
// behind a path ("/mozilla.org/20050126_1/Europe/Berlin"), a Windows name
// ("W. Europe Standard Time"), or the English text that Windows shows people.
// Where it finds nothing the object's own VTIMEZONE decides: see [FromObservances].
func Location(tzid string) (*time.Location, bool) {
	tzid = strings.Trim(tzid, "\" \t")
	if tzid == "" || len(tzid) > MaxName {
		return nil, false
	}
	if loc, ok := load(tzid); ok {
		return loc, true
	}
	if zone, ok := fold(tzid); ok {
		return load(zone)
	}
	if zone, ok := suffix(tzid); ok {
		return load(zone)
	}
	if zone, ok := byWindows(tzid); ok {
		return load(zone)
	}
	return nil, false
}

// suffix finds an IANA name of at most three parts at the end of a path.
func suffix(tzid string) (string, bool) {
	parts := strings.Split(tzid, "/")
	for n := min(3, len(parts)-1); n > 0; n-- {
		if zone, ok := fold(strings.Join(parts[len(parts)-n:], "/")); ok {
			return zone, true
		}
	}
	return "", false
}

// byWindows finds the IANA zone of a Windows zone, by its key or display text.
func byWindows(name string) (string, bool) {
	if zone, ok := windowsToIANA[name]; ok {
		return zone, true
	}
	simple := simplify(name)
	if key, ok := displayToWindows[simple]; ok && simple != "" {
		return windowsToIANA[key], true
	}
	if key, ok := foldedWindows()[strings.ToLower(name)]; ok {
		return windowsToIANA[key], true
	}
	return "", false
}

// WindowsName is what Windows calls an IANA zone, or "".
func WindowsName(zone string) string { return ianaToWindows[zone] }

// locations keeps loaded zones; its keys are known names only, so that it
// cannot grow beyond their number.
var locations sync.Map // string -> *time.Location

// load reads a zone by its exact IANA name.
func load(zone string) (*time.Location, bool) {
	if l, ok := locations.Load(zone); ok {
		return l.(*time.Location), true
	}
	if !known(zone) {
		return nil, false
	}
	if isUTC(zone) {
		locations.Store(zone, time.UTC)
		return time.UTC, true
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, false
	}
	locations.Store(zone, loc)
	return loc, true
}

// Named tells whether a zone is one that Location finds: not one that an object
// or a phone made up.
func Named(loc *time.Location) bool {
	own, ok := locations.Load(loc.String())
	return ok && own == loc
}

// isUTC tells the names of the zone that iCalendar writes with a Z.
func isUTC(zone string) bool {
	switch strings.TrimPrefix(zone, "Etc/") {
	case "UTC", "UCT", "Zulu", "Universal":
		return true
	}
	return false
}

// known tells whether a name is an IANA zone. It keeps "Local", "" and paths
// away from [time.LoadLocation].
func known(zone string) bool {
	_, ok := slices.BinarySearch(zoneNames, zone)
	return ok
}

// Names lists all IANA zones and links, sorted.
func Names() []string { return slices.Clone(zoneNames) }

var foldedNames = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, len(zoneNames))
	for _, n := range zoneNames {
		m[strings.ToLower(n)] = n
	}
	return m
})

// fold finds an IANA name without regard to case, and with spaces for
// underscores.
func fold(name string) (string, bool) {
	zone, ok := foldedNames()[strings.ReplaceAll(strings.ToLower(name), " ", "_")]
	return zone, ok
}

var foldedWindows = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, len(windowsToIANA)+2)
	for key := range windowsToIANA {
		m[strings.ToLower(key)] = key
	}
	m["tzone://microsoft/utc"] = "UTC"
	m["greenwich mean time"] = "GMT Standard Time"
	return m
})

// simplify leaves the lower-case letters of what follows "(UTC+01:00)". The
// generator has the same function.
func simplify(s string) string {
	if _, rest, ok := strings.Cut(s, ")"); ok && strings.HasPrefix(s, "(") {
		s = rest
	}
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
}
