package easserver_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

var updateConversations = flag.Bool("update", false, "re-record the conversations")

// sorts are the phones of the built-in table, as they introduce themselves, with
// the version that they choose and the form in which they want texts. What they
// ask is what our own phone asks in their name; what is recorded is how they are
// treated.
var sorts = []struct {
	name, deviceType, userAgent, deviceID string
	version                               eas.Version
	settings                              phone.Settings
}{
	{"ios", "iPhone", "Apple-iPhone14C2/2107.93", "ApplC0FFEE", eas.V161, phone.Settings{Bodies: html(1 << 15)}},
	{"gmail", "Android", "Android-Mail/2025.11.02.release", "androidc1", eas.V161, phone.Settings{Classes: []string{eas.ClassContacts, eas.ClassCalendar}}},
	{"samsung", "SAMSUNGSMG930F", "Android/8.0-EAS-2.0", "SEC1", eas.V141, phone.Settings{Bodies: html(1 << 14)}},
	{"outlook-desktop", "WindowsOutlook15", "Outlook/15.0 (15.0.4535.1507; MSI; x86)", "0123456789ABCDEF", eas.V141, phone.Settings{WindowSize: 512}},
	{"outlook-mobile", "Outlook", "Outlook-iOS-Android/1.0", "0123456789ABCDEF", eas.V141, phone.Settings{Together: true}},
	{"nine", "Android", "Android/8.1-EAS-2.0", "6E696E65303132", eas.V161, phone.Settings{Together: true}},
	{"windows-mail", "WindowsMail", "MSFT-WIN-4/10.0.19041", "0123456789ABCDEF", eas.V140, phone.Settings{Bodies: html(1 << 15)}},
	{"blackberry", "BlackBerry", "RIM-Q10-SQN100-3/10.2.1.537", "BB1", eas.V141, phone.Settings{
		Supported: map[string][]wbxml.Tag{eas.ClassContacts: {tag.ContactsFirstName, tag.ContactsLastName, tag.ContactsJobTitle, tag.ContactsFileAs, tag.ContactsPicture}}}},
	{"lg", "LGD855", "LG-D855/1.0", "LG1", eas.V121, phone.Settings{Supported: map[string][]wbxml.Tag{eas.ClassContacts: {}}}},
	{"android-4", "Android", "Android/4.1.2-EAS-1.3", "androidc1", eas.V121, phone.Settings{}},
	{"android-10", "Android", "Android/10-EAS-2.0", "androidc1", eas.V141, phone.Settings{Classes: []string{eas.ClassContacts, eas.ClassCalendar}}},
	{"windows-phone", "WP8", "", "0123456789ABCDEF", eas.V141, phone.Settings{WindowSize: 25}},
}

func html(size int) []eas.BodyPreference {
	return []eas.BodyPreference{{Type: 2, TruncationSize: &size}, {Type: 1, TruncationSize: &size}}
}

// furnish gives Ann a little of everything, twice.
func furnish(h *bridgetest.House) {
	for _, c := range []backend.Collection{
		{ID: "club", Kind: backend.Contacts, Name: "Club"},
		{ID: "away", Kind: backend.Events, Name: "Away"},
	} {
		h.Backend.SetCollection(bridgetest.User, c)
	}
	h.Store("contacts", "jane", cardWith("TITLE:Doctor\r\nBDAY:19850412\r\nTEL;TYPE=cell:+49 170 1\r\n"+photo))
	h.Store("club", "jim", bridgetest.Card("jim", "Jim"))
	start := time.Date(2031, 3, 4, 9, 0, 0, 0, time.UTC)
	h.Store("calendar", "tea", strings.Replace(bridgetest.Event("tea", "Tea", start), "X-KEEP:", "DESCRIPTION:Bring the cake\r\nLOCATION:Room 4\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nX-KEEP:", 1))
	h.Store("away", "fair", bridgetest.Event("fair", "Fair", start.AddDate(0, 1, 0)))
	h.Store("tasks", "buy", bridgetest.Task("buy", "Buy bread"))
	h.Store("notes", "note", bridgetest.Note("note", "A note"))
}

// A conversation writes down what is said, with keys by numbers: they are random.
type conversation struct {
	text strings.Builder
	keys map[string]string
}

var (
	seriesOf = regexp.MustCompile(`\b[A-Z2-7]{26}-\d+\b`)
	stampOf  = regexp.MustCompile(`(DtStamp>)[^<]*(<)`)
)

func (c *conversation) said(command string, request, answer []byte) {
	fmt.Fprintf(&c.text, "=== %s\n%s--- the answer\n%s\n", command, c.masked(request), c.masked(answer))
}

func (c *conversation) masked(doc []byte) string {
	if len(doc) == 0 {
		return "(empty)\n"
	}
	text := seriesOf.ReplaceAllStringFunc(eastest.XML(doc), func(key string) string {
		series, round, _ := strings.Cut(key, "-")
		if c.keys[series] == "" {
			c.keys[series] = fmt.Sprintf("series%d", len(c.keys)+1)
		}
		return c.keys[series] + "-" + round
	})
	return stampOf.ReplaceAllString(text, "${1}now$2")
}

// TestConversations plays one day of each sort of phone, and compares all that
// it is told with what was recorded.
func TestConversations(t *testing.T) {
	for _, s := range sorts {
		t.Run(s.name, func(t *testing.T) {
			h := bridgetest.Start(t, bridgetest.Options{})
			furnish(h)
			talk := &conversation{keys: make(map[string]string)}
			c := h.Client(s.version, s.deviceID)
			c.DeviceType, c.UserAgent = s.deviceType, s.userAgent
			check := c.Trace
			c.Trace = func(command string, request, answer []byte) {
				check(command, request, answer)
				talk.said(command, request, answer)
			}
			spoken, err := c.Options(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&talk.text, "%s, %s, speaks %s of %v\n\n", s.deviceType, s.userAgent, s.version, spoken.Versions)
			p := bridgetest.Checked(t, phone.New(c, s.settings))
			playDay(t, h, p)
			file := filepath.Join("testdata", "phones", s.name, "day.txt")
			if *updateConversations {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(talk.text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(talk.text.String(), "\n")); d != "" {
				t.Errorf("the phone is told otherwise than before (-want +got):\n%s\nIf that is meant, record it with -update.", d)
			}
		})
	}
}

// playDay lets a phone load everything, lets its owner and others edit, and lets
// it be woken.
func playDay(t *testing.T, h *bridgetest.House, p *phone.Phone) {
	t.Helper()
	bridgetest.Sync(t, p)
	for _, f := range p.Folders() {
		for id, item := range f.Items {
			edit := eas.Properties{eas.T(tag.ContactsJobTitle, "Professor")}
			switch title := phone.Title(item); {
			case f.Class == eas.ClassCalendar && title == "Tea":
				edit = eas.Properties{eas.T(tag.CalendarSubject, "Coffee")}
			case f.Class != eas.ClassContacts || title != "Jane Doe":
				continue
			}
			if err := p.Change(f.ServerID, id, edit); err != nil {
				t.Fatal(err)
			}
		}
	}
	bridgetest.Sync(t, p)
	changed := backend.CollectionID("contacts") // of which each sort hears
	for _, f := range p.Folders() {
		for _, title := range titles(f) {
			if title == "Jim" {
				changed = "club"
			}
		}
	}
	h.Store(changed, "jim", bridgetest.Card("jim", "Jimmy"))
	if _, err := p.Ping(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
	// The phone waits for this, too: a Sync alone might share a look at the
	// folder that began before.
	h.Backend.Remove(bridgetest.User, "away", "fair")
	if _, err := p.Ping(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, p)
}
