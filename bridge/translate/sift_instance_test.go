package translate_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
)

// A phone edits two occurrences in one request. An earlier try wrote one of them,
// and noted what it would have made of the other. That the second one is not
// there is nobody else's doing; that it is there otherwise is. Seed 31081.
func TestSiftInstanceAfterHalfATry(t *testing.T) {
	const one, two = "20261202T090000Z", "20261203T090000Z"
	exception := func(at, title string) eas.Element {
		return eas.C(tag.CalendarException, eas.T(tag.CalendarDeleted, "0"), eas.T(tag.AirSyncBaseInstanceId, at), eas.T(tag.CalendarSubject, title))
	}
	series := func(title string, exceptions ...eas.Element) eas.Properties {
		p := eas.Properties{eas.T(tag.CalendarSubject, title), eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "0"))}
		if len(exceptions) > 0 {
			p = append(p, eas.Element{Tag: tag.CalendarExceptions, Children: exceptions})
		}
		return p
	}
	before := series("Series")
	held := translate.DigestOf(before)
	first, both := series("Series", exception(one, "Mine")), series("Series", exception(one, "Mine"), exception(two, "Mine, too"))
	tried := held.WroteInstance(one, before, first).WroteInstance(two, first, both)
	held = held.Or(tried).WroteInstance(one, first, first)
	for _, tt := range []struct {
		name   string
		now    eas.Properties
		theirs bool
	}{
		{"it is not there", series("Theirs", exception(one, "Mine")), false},
		{"it is there", series("Theirs", exception(one, "Mine"), exception(two, "Mine, too")), false},
		{"others edited it", series("Theirs", exception(one, "Mine"), exception(two, "Theirs")), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if theirs, foreign := translate.SiftInstance(held, translate.Digest{}, two, tt.now); theirs != tt.theirs || !foreign {
				t.Errorf("somebody else's: %v, something to tell: %v; want %v, true", theirs, foreign, tt.theirs)
			}
		})
	}
}
