package webhook

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pushbridge/pushbridge/bridge/notify"
)

// calendarObject is what the classes of events about things in calendars begin
// with: CalendarObjectCreatedEvent, -UpdatedEvent, -DeletedEvent,
// -MovedToTrashEvent, -RestoredEvent and -MovedEvent. See the Nextcloud
// Administration Manual, "Webhook Listeners", "Calendar Object Events".
const calendarObject = `OCP\Calendar\Events\CalendarObject`

// maxShares bounds how many people's collections one call speaks of.
const maxShares = 1000

// A nextcloudCall is a call of the app webhook_listeners, as far as it
// concerns us. What is in an event is not read.
type nextcloudCall struct {
	Event struct {
		Class    string            `json:"class"`
		Calendar nextcloudCalendar `json:"calendarData"`
		Shares   []nextcloudShare  `json:"shares"`

		// Of CalendarObjectMovedEvent.
		Source       nextcloudCalendar `json:"sourceCalendarData"`
		SourceShares []nextcloudShare  `json:"sourceShares"`
		Target       nextcloudCalendar `json:"targetCalendarData"`
		TargetShares []nextcloudShare  `json:"targetShares"`
	} `json:"event"`

	// User is who did it; null if nobody was logged in.
	User *struct {
		UID string `json:"uid"`
	} `json:"user"`
}

// A nextcloudCalendar is the owner's. Its principals are those of the owner,
// where Nextcloud sends them along.
type nextcloudCalendar struct {
	URI       string `json:"uri"`
	Principal string `json:"principaluri"`
	Owner     string `json:"{http://owncloud.org/ns}owner-principal"`
}

type nextcloudShare struct {
	Principal string `json:"{http://owncloud.org/ns}principal"`
}

// readNextcloud reads a call about an object in a calendar.
func readNextcloud(body []byte) ([]notify.Notice, error) {
	var c nextcloudCall
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("webhook: nextcloud: %w", err)
	}
	e := &c.Event
	if e.Class == "" {
		return nil, fmt.Errorf("webhook: nextcloud: there is no event.class")
	}
	if !strings.HasPrefix(e.Class, calendarObject) {
		return nil, nil
	}
	actor := ""
	if c.User != nil {
		actor = c.User.UID
	}
	var notices []notify.Notice
	add := func(cal nextcloudCalendar, shares []nextcloudShare) error {
		if cal.URI == "" {
			return nil
		}
		for _, n := range cal.notices(actor, shares) {
			if err := n.Check(); err != nil {
				return err
			}
			if !slices.Contains(notices, n) {
				notices = append(notices, n)
			}
		}
		return nil
	}
	for _, cal := range []struct {
		nextcloudCalendar
		shares []nextcloudShare
	}{{e.Calendar, e.Shares}, {e.Source, e.SourceShares}, {e.Target, e.TargetShares}} {
		if err := add(cal.nextcloudCalendar, cal.shares); err != nil {
			return nil, err
		}
	}
	if len(notices) == 0 {
		return nil, fmt.Errorf("webhook: nextcloud: it does not say which calendar")
	}
	return notices, nil
}

// notices are about the calendar at its owner, and as those see it with whom it
// is shared: under the name URI_shared_by_OWNER. Without a word of the owner it
// is the one who acted, unless it is shared; then everything that the people
// named may see is meant.
func (c nextcloudCalendar) notices(actor string, shares []nextcloudShare) []notify.Notice {
	uri := strings.ReplaceAll(c.URI, "/", "")
	owner, ok := person(c.Principal)
	if !ok {
		owner, ok = person(c.Owner)
	}
	if ok {
		list := []notify.Notice{{Path: "/calendars/" + owner + "/" + uri + "/"}}
		if len(shares) > 0 || actor != owner {
			list = append(list, notify.Notice{Path: "/" + uri + "_shared_by_" + owner + "/"})
		}
		return list
	}
	if actor == "" {
		return nil
	}
	if len(shares) == 0 {
		return []notify.Notice{{Path: "/calendars/" + actor + "/" + uri + "/"}}
	}
	list := []notify.Notice{{User: actor}, {Path: "/" + uri + "_shared_by_" + actor + "/"}}
	for _, s := range shares[:min(len(shares), maxShares)] {
		if name, ok := person(s.Principal); ok && name != actor {
			list = append(list, notify.Notice{User: name})
		}
	}
	return list
}

// person takes the name out of a principal: "principals/users/ann",
// "principal:principals/users/ann" or "principal:users/ann".
func person(principal string) (string, bool) {
	p := strings.TrimPrefix(principal, "principal:")
	p = strings.TrimPrefix(strings.TrimPrefix(p, "/"), "principals/")
	name, ok := strings.CutPrefix(p, "users/")
	return name, ok && name != "" && !strings.Contains(name, "/")
}
