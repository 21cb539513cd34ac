package easserver_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/translate/mail/mailtest"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// An inbox full of messages that break the rules is on the phone all the same: each
// of them but those that nobody could read, and new mail comes, too. What they have
// as files can be fetched.
func TestOddMailStopsNoInbox(t *testing.T) {
	odd := mailtest.Odd()
	unreadable := 0
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := mailHouse(t)
		for i, m := range odd {
			h.Backend.StoreMessage(bridgetest.User, "inbox", backend.ItemID(fmt.Sprintf("m%d", i)), m.Body, time.Now().Add(-time.Hour))
		}
		p := mailPhone(h, v, phone.Settings{Bodies: []eas.BodyPreference{{Type: 2, TruncationSize: new(500)}, {Type: 1, TruncationSize: new(500)}}})
		bridgetest.Sync(t, p)
		inbox := folderOfType(t, p, eas.FolderInbox)
		missing := len(odd) - len(inbox.Items)
		if missing < 3 || missing > len(odd)/20 || unreadable != 0 && missing != unreadable {
			t.Errorf("the phone has %d of %d messages, and %d were missing in the version before", len(inbox.Items), len(odd), unreadable)
		}
		unreadable = missing
		for _, m := range odd {
			if m.Shows != "" && !slices.ContainsFunc(slices.Collect(maps.Values(inbox.Items)), func(item eas.Properties) bool { return strings.Contains(fmt.Sprint(item), m.Shows) }) {
				t.Errorf("%s: nothing on the phone has %q in it", m.Name, m.Shows)
			}
		}
		h.Backend.StoreMessage(bridgetest.User, "inbox", "new", []byte(mailOf("New", "Words")), time.Now())
		bridgetest.Sync(t, p)
		inbox = folderOfType(t, p, eas.FolderInbox)
		mailNamed(t, inbox, "New")
		fetchFiles(t, h.Client(v, "phone1"), v, inbox)
	})
}

// fetchFiles fetches the first file of every message.
func fetchFiles(t *testing.T, c *easclient.Client, v eas.Version, inbox phone.Folder) {
	t.Helper()
	n := 0
	for _, item := range inbox.Items {
		if v < eas.V120 {
			list, _ := item.Find(tag.EmailAttachments)
			for _, a := range list.Children[:min(len(list.Children), 1)] {
				name, _ := eas.Properties(a.Children).Text(tag.EmailAttName)
				if _, err := c.GetAttachment(t.Context(), name); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				n++
			}
			continue
		}
		for _, name := range references(item)[:min(len(references(item)), 1)] {
			if r := file(t, c, name, ""); r.Status != eas.ItemOperationsOK {
				t.Errorf("%s: status %d", name, r.Status)
			}
			n++
		}
	}
	if n < 50 {
		t.Errorf("only %d messages have files", n)
	}
}
