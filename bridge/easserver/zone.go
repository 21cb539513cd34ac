package easserver

import (
	"context"
	"time"

	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/calendar"
	"github.com/pushbridge/pushbridge/bridge/translate/ical"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// DescribeIn reads what filters need to know of an item, and when phones are shown
// something else of it, for people who are in a zone; nil means UTC.
func DescribeIn(zone *time.Location) func(syncengine.Folder, backend.Item) (syncengine.Facts, error) {
	return func(folder syncengine.Folder, it backend.Item) (syncengine.Facts, error) {
		k := classes[folder.Kind]
		if k == nil || k.facts == nil {
			return syncengine.Facts{Ends: syncengine.Forever}, nil
		}
		f, err := k.facts(it.Body, translate.Options{Now: time.Now(), Zone: zone, Calendar: zoneOf(folder)})
		if err != nil {
			return syncengine.Facts{Ends: syncengine.Forever}, err
		}
		return syncengine.Facts{Ends: f.Ends, Done: f.Done, Due: f.Due}, nil
	}
}

// ZoneIn names the zone in which events of a calendar take place that have none of
// their own, for people who are in a zone; nil means UTC.
func ZoneIn(zone *time.Location) func(syncengine.Folder) string {
	return func(folder syncengine.Folder) string {
		if folder.Kind != backend.Events {
			return ""
		}
		return translate.Options{Zone: zone, Calendar: zoneOf(folder)}.Location().String()
	}
}

// Floats tells whether an event has no zone of its own.
func Floats(it backend.Item) bool {
	floats, err := floats(it.Body)
	return err == nil && floats
}

// floats is guarded as all translations are.
func floats(ics []byte) (yes bool, err error) {
	defer guard(&err)
	return calendar.Floats(ics)
}

// zoneOf is the zone of a calendar's own, nil if it has none.
func zoneOf(folder syncengine.Folder) *time.Location {
	if folder.Kind != backend.Events || folder.Zone == "" {
		return nil
	}
	zone, _ := tz.Location(folder.Zone) // nil where the zone was known to another program
	return zone
}

// recognizeZones gives the zones of calendars the names under which they are known.
// One that nobody knows, or that says nothing, is none: then the person's counts.
func (s *Server) recognizeZones(ctx context.Context, user string, list []backend.Collection) []backend.Collection {
	own := make([]backend.Collection, len(list))
	unknown := 0
	for i, c := range list {
		if c.Zone != "" {
			zone, ok := recognized(c.Zone, s.Zone)
			if !ok {
				unknown++
			}
			c.Zone = zone
		}
		own[i] = c
	}
	if unknown > 0 {
		s.Logger.InfoContext(ctx, "calendars have a time zone that is not known, and are in that of the person", "user", user, "calendars", unknown)
	}
	return own
}

// recognized is the name of the zone that a calendar's own is.
func recognized(text string, person *time.Location) (name string, ok bool) {
	var err error
	defer func() { ok = ok && err == nil }()
	defer guard(&err)
	if len(text) > backend.MaxZone {
		return "", false
	}
	zone, ok := ical.Recognize(text, time.Now().Year(), person)
	if !ok {
		return "", false
	}
	return zone.String(), true
}
