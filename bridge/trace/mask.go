package trace

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

// open are the namespaces whose elements say how the protocol goes; those in
// private are excepted. All content of other namespaces is people's, save what
// plain lists. What no specification knows is masked.
var open = map[string]bool{
	"AirSync": true, "AirSyncBase": true, "FolderHierarchy": true, "GetItemEstimate": true, "ItemOperations": true,
	"MeetingResponse": true, "Move": true, "Ping": true, "Provision": true,
}

// private are the elements of open namespaces that people fill.
var private = map[string]bool{
	"AirSync:ConversationId": true, "AirSyncBase:Data": true, "AirSyncBase:Preview": true, "AirSyncBase:DisplayName": true,
	"AirSyncBase:Content": true, "AirSyncBase:ContentId": true, "AirSyncBase:ContentLocation": true, "AirSyncBase:FileReference": true,
	"AirSyncBase:Annotations": true, "AirSyncBase:City": true, "AirSyncBase:Country": true, "AirSyncBase:State": true,
	"AirSyncBase:Street": true, "AirSyncBase:PostalCode": true, "AirSyncBase:Latitude": true, "AirSyncBase:Longitude": true,
	"AirSyncBase:Altitude": true, "AirSyncBase:Accuracy": true, "AirSyncBase:LocationUri": true, "AirSyncBase:Location": true,
	"FolderHierarchy:DisplayName": true, "ItemOperations:Data": true, "ItemOperations:ConversationId": true,
	"ItemOperations:UserName": true, "MeetingResponse:Body": true,
}

// secrets are masked whoever asks.
var secrets = map[string]bool{
	"ItemOperations:Password": true, "Search:Password": true, "Settings:Password": true, "Settings:RecoveryPassword": true,
	"Provision:RecoveryPassword": true, "ValidateCert:Certificate": true, "ResolveRecipients:Certificate": true,
}

// plain are elements of people's namespaces that have a number from a list, or
// say how the protocol goes.
var plain = map[string]bool{
	"Status": true, "Type": true, "Range": true, "Total": true, "AllDayEvent": true, "BusyStatus": true, "MeetingStatus": true,
	"Sensitivity": true, "ResponseRequested": true, "DisallowNewTimeProposal": true, "AttendeeStatus": true, "AttendeeType": true,
	"Reminder": true, "Recurrence_Type": true, "Recurrence_Interval": true, "Interval": true, "DayOfWeek": true, "DayOfMonth": true,
	"WeekOfMonth": true, "MonthOfYear": true, "CalendarType": true, "IsLeapMonth": true, "FirstDayOfWeek": true, "Occurrences": true,
	"Deleted": true, "Importance": true, "Complete": true, "ReminderSet": true, "Regenerate": true, "DeadOccur": true,
	"MessageClass": true, "Read": true, "Timezone": true, "TimeZone": true, "ResponseType": true, "OofState": true, "BodyType": true,
}

// visible tells whether an element's content is shown.
func visible(name string, content bool) bool {
	space, local, _ := strings.Cut(name, ":")
	switch {
	case secrets[name]:
		return false
	case content:
		return true
	case open[space]:
		return !private[name]
	}
	return plain[local]
}

// Times keep their form, so that a masked request can be played again.
var (
	compact  = regexp.MustCompile(`^\d{8}T\d{6}Z$`)
	extended = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
	number   = regexp.MustCompile(`^[01]$`)
)

// hidden stands for content: it says how long it was, in characters.
func hidden(text []byte) string {
	switch {
	case compact.Match(text):
		return "20000101T000000Z"
	case extended.Match(text):
		return "2000-01-01T00:00:00.000Z"
	case number.Match(text):
		return "0"
	}
	return fmt.Sprintf("(%d)", utf8.RuneCount(text))
}

// mask writes a document without what is not to be shown.
func mask(doc []byte, content bool) ([]byte, error) {
	d, err := wbxml.NewDecoder(doc)
	if err != nil {
		return nil, err
	}
	e := wbxml.NewEncoder(nil)
	var names []string
	for {
		t, err := d.Next()
		if errors.Is(err, io.EOF) {
			return e.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		switch t.Kind {
		case wbxml.Start:
			if t.Name != "" {
				return nil, errors.New("trace: a literal tag") // which the protocol has none of
			}
			names = append(names, tag.Name(t.Tag))
			if t.Empty {
				e.Empty(t.Tag)
			} else {
				e.Start(t.Tag)
			}
			if t.Empty {
				names[len(names)-1] = ""
			}
		case wbxml.End:
			if names[len(names)-1] != "" {
				e.End()
			}
			names = names[:len(names)-1]
		case wbxml.Chars, wbxml.Opaque:
			show := visible(names[len(names)-1], content)
			switch {
			case !show && t.Kind == wbxml.Opaque:
				e.Opaque([]byte(hidden(t.Data)))
			case !show:
				e.Text(hidden(t.Data))
			case t.Kind == wbxml.Opaque:
				e.Opaque(t.Data)
			default:
				e.Text(string(t.Data))
			}
		}
	}
}
