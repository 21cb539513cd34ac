package mail

import (
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/translate/fidelity"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// TestSheet: together the samples have everything that a phone can be shown,
// and in every version it is shown the elements whose rows say so and no
// others.
func TestSheet(t *testing.T) {
	meeting := func(changes ...string) []byte {
		return []byte(strings.NewReplacer(changes...).Replace(string(sample(t, "meeting"))))
	}
	bodies := [][]byte{
		meeting(), meeting("FREQ=WEEKLY;COUNT=5;BYDAY=MO", "FREQ=MONTHLY;BYDAY=1MO;UNTIL=20271207T090000Z"), meeting("FREQ=WEEKLY;COUNT=5;BYDAY=MO", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=7"),
		meeting("RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=MO", "RECURRENCE-ID;TZID=Europe/Berlin:20261207T100000"), sample(t, "voice"), sample(t, "counter"), sample(t, "delegated"),
		crlf("Bcc: b@example.org\n" + strings.ReplaceAll(string(sample(t, "plain")), "\r\n", "\n")),
		[]byte(strings.Replace(string(sample(t, "alternative")), "Content-ID:", "Content-Location: roof.png\r\nContent-ID:", 1)),
	}
	flags := []string{Seen, Flagged, Answered, DraftFlag, "Work", "followup-due-20261130", "followup-reminder-20261130T080000Z"}
	for _, v := range eas.Versions {
		t.Run(v.String(), func(t *testing.T) {
			shown := map[wbxml.Tag]bool{}
			for i, b := range bodies {
				for _, m := range []translate.Mail{
					{}, {MIMESupport: 2, Bodies: []translate.Body{{Type: translate.MIME}}},
					{Bodies: []translate.Body{{Type: translate.HTML, Truncate: 20, Preview: 9}}, Part: &translate.Body{Type: translate.HTML}},
				} {
					o := options(v)
					o.Mail = m
					if i == 1 {
						flags = []string{"followup-done-20261130T080000Z"}
					}
					ps, err := FromMessage(message(b, flags...), o)
					if err != nil {
						t.Fatal(err)
					}
					gather(ps, shown)
				}
				flags = []string{Seen, Flagged, Answered, DraftFlag, "Work", "followup-due-20261130", "followup-reminder-20261130T080000Z"}
			}
			checkRows(t, Sheet().Rows, shown, v)
		})
	}
}

func gather(list []eas.Element, shown map[wbxml.Tag]bool) {
	for _, e := range list {
		shown[e.Tag] = true
		if e.Tag != tag.AirSyncBaseLocation { // its parts are the Calendar class's
			gather(e.Children, shown)
		}
	}
}

func checkRows(t *testing.T, rows []fidelity.Row, shown map[wbxml.Tag]bool, v eas.Version) {
	t.Helper()
	should := func(r fidelity.Row) bool {
		return r.In(v) && (r.Way == fidelity.Both || r.Way == fidelity.Shown)
	}
	for _, r := range rows {
		if should(r) && !shown[r.Tag] {
			t.Errorf("a phone is not shown %s, of which the sheet says otherwise", tag.Name(r.Tag))
		}
	}
	for seen := range shown {
		if !slices.ContainsFunc(rows, func(r fidelity.Row) bool { return r.Tag == seen && should(r) }) {
			t.Errorf("a phone is shown %s, of which the sheet says otherwise", tag.Name(seen))
		}
	}
}
