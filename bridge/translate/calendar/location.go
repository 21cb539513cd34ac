package calendar

import (
	"strconv"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func showLocation(e *event) (eas.Element, bool) {
	return text(tag.CalendarLocation, e.c.Get("LOCATION").Text())
}

func mergeLocation(e *event, el eas.Element) error {
	e.setLocation(el.Content())
	return nil
}

// setLocation replaces the location. What describes the old one on a map goes
// with it.
func (e *event) setLocation(s string) {
	e.setText("LOCATION", s)
	for _, name := range []string{"GEO", appleLocation, ownLocation} {
		e.c.RemoveAll(name)
	}
	if l := e.c.Get("LOCATION"); l != nil && l.HasParam("ALTREP") {
		l.SetParam("ALTREP")
	}
}

// Where a place is described beside LOCATION and GEO: Apple's property, whose
// value is a geo URI, and ours, which holds a phone's words for as long as its
// value is that of LOCATION.
const (
	appleLocation = "X-APPLE-STRUCTURED-LOCATION"
	ownLocation   = "X-PUSHBRIDGE-LOCATION"
)

// placeParts are the parts of a place, and the parameters of ownLocation that
// hold them. See [MS-ASAIRS] "Location".
var placeParts = []struct {
	tag   wbxml.Tag
	param string
}{
	{tag.AirSyncBaseDisplayName, "NAME"}, {tag.AirSyncBaseAnnotation, "ANNOTATION"}, {tag.AirSyncBaseStreet, "STREET"},
	{tag.AirSyncBaseCity, "CITY"}, {tag.AirSyncBaseState, "STATE"}, {tag.AirSyncBaseCountry, "COUNTRY"}, {tag.AirSyncBasePostalCode, "POSTALCODE"},
	{tag.AirSyncBaseLatitude, "LATITUDE"}, {tag.AirSyncBaseLongitude, "LONGITUDE"}, {tag.AirSyncBaseAccuracy, "ACCURACY"},
	{tag.AirSyncBaseAltitude, "ALTITUDE"}, {tag.AirSyncBaseAltitudeAccuracy, "ALTITUDE-ACCURACY"}, {tag.AirSyncBaseLocationUri, "URI"},
}

// showPlace is the location as 16.0 and later have it. See [MS-ASAIRS]
// "Location".
func showPlace(e *event) (eas.Element, bool) {
	el := eas.C(tag.AirSyncBaseLocation)
	location := e.c.Get("LOCATION").Text()
	if own := e.c.Get(ownLocation); own != nil && own.Text() == location {
		for _, part := range placeParts {
			if s := own.Param(part.param); s != "" {
				el.Children = append(el.Children, eas.T(part.tag, valid(s)))
			}
		}
		return el, len(el.Children) > 0
	}
	if location == "" {
		location = e.c.Get(appleLocation).Param("X-TITLE")
	}
	if location != "" {
		el.Children = append(el.Children, eas.T(tag.AirSyncBaseDisplayName, valid(location)))
	}
	if lat, long, ok := e.geo(); ok {
		el.Children = append(el.Children, eas.T(tag.AirSyncBaseLatitude, lat), eas.T(tag.AirSyncBaseLongitude, long))
	}
	if uri := e.c.Get("LOCATION").Param("ALTREP"); uri != "" {
		el.Children = append(el.Children, eas.T(tag.AirSyncBaseLocationUri, valid(uri)))
	}
	return el, len(el.Children) > 0
}

// geo reads GEO, a latitude and a longitude, or Apple's geo URI. See RFC 5545,
// section 3.8.1.6, and RFC 5870, section 3.3.
func (e *event) geo() (lat, long string, ok bool) {
	lat, long, ok = strings.Cut(e.c.Get("GEO").Value(), ";")
	if uri := strings.ToLower(e.c.Get(appleLocation).Value()); !ok && strings.HasPrefix(uri, "geo:") {
		uri, _, _ = strings.Cut(uri[len("geo:"):], ";")
		lat, long, ok = strings.Cut(uri, ",")
		long, _, _ = strings.Cut(long, ",") // the altitude
	}
	lat, long = strings.TrimSpace(lat), strings.TrimSpace(long)
	return lat, long, ok && isDegrees(lat, 90) && isDegrees(long, 180)
}

func isDegrees(s string, most float64) bool {
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && f >= -most && f <= most
}

// mergePlace stores a place: its name and address for people in LOCATION, what
// map programs read in GEO, and the phone's own words where these two cannot
// hold them all.
func mergePlace(e *event, el eas.Element) error {
	place := eas.Properties(el.Children)
	part := func(t wbxml.Tag) string {
		s, _ := place.Text(t)
		return tidy(s)
	}
	var lines []string
	for _, tags := range [][]wbxml.Tag{{tag.AirSyncBaseDisplayName}, {tag.AirSyncBaseStreet}, {tag.AirSyncBasePostalCode, tag.AirSyncBaseCity}, {tag.AirSyncBaseState}, {tag.AirSyncBaseCountry}, {tag.AirSyncBaseAnnotation}} {
		var words []string
		for _, t := range tags {
			if s := part(t); s != "" {
				words = append(words, s)
			}
		}
		if len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	location := strings.Join(lines, ", ")
	e.setLocation(location)
	lat, long := part(tag.AirSyncBaseLatitude), part(tag.AirSyncBaseLongitude)
	if isDegrees(lat, 90) && isDegrees(long, 180) {
		e.c.Set("GEO", lat+";"+long)
	}
	if shown, _ := showPlace(e); !samePlace(shown, el) && location != "" {
		own := e.c.AddText(ownLocation, location)
		for _, p := range placeParts {
			if s := part(p.tag); s != "" {
				own.SetParam(p.param, s)
			}
		}
	}
	return nil
}

// samePlace compares the parts that have content, in any order.
func samePlace(a, b eas.Element) bool {
	for _, p := range placeParts {
		x, _ := eas.Properties(a.Children).Text(p.tag)
		y, _ := eas.Properties(b.Children).Text(p.tag)
		if tidy(x) != tidy(y) && !sameNumber(p.tag, x, y) {
			return false
		}
	}
	return true
}

// sameNumber tells whether two parts of a place are one number, however many digits
// a phone writes.
func sameNumber(t wbxml.Tag, a, b string) bool {
	switch t {
	case tag.AirSyncBaseLatitude, tag.AirSyncBaseLongitude, tag.AirSyncBaseAccuracy, tag.AirSyncBaseAltitude, tag.AirSyncBaseAltitudeAccuracy:
		x, errX := strconv.ParseFloat(strings.TrimSpace(a), 64)
		y, errY := strconv.ParseFloat(strings.TrimSpace(b), 64)
		return errX == nil && errY == nil && x == y
	}
	return false
}
