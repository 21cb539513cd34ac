package easserver_test

import (
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// Somebody edits a card, and just then the server cannot show it: the phone was
// not told. It hears of the edit once the card can be read, though nothing changed
// since; and what its owner edits meanwhile is compared with what it holds, and
// undoes nothing.
func TestAnEditThatCouldNotBeReadIsToldLater(t *testing.T) {
	for name, ill := range map[string]memory.Failure{
		"unreadable": {Op: memory.OpGet, Item: "c", Err: backend.Errorf(backend.Other, "memory", "illegible"), Times: -1},
		"too large":  {Op: memory.OpGet, Item: "c", Err: backend.Errorf(backend.TooLarge, "memory", "too large"), Times: -1},
		"not there":  {Op: memory.OpGet, Item: "c", Err: backend.Errorf(backend.NotFound, "memory", "not there"), Times: -1},
	} {
		for _, edits := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				inEachVersion(t, func(t *testing.T, v eas.Version) {
					for wish := range 2 {
						h := bridgetest.Start(t, bridgetest.Options{})
						h.Store("contacts", "c", rich)
						s := newHandset(t, h, v, "phone1", "Contacts", wish)
						h.Store("contacts", "c", strings.Replace(rich, "TITLE:Boss", "TITLE:Chief", 1))
						h.Backend.Fail(ill)
						for range 2 {
							if status, told := s.take(s.send()); status != eas.SyncOK || told {
								t.Errorf("while the card cannot be read: status %d, told %v", status, told)
							}
						}
						h.Backend.Mend()
						if edits {
							if status, told := s.edit(cell("2")); status != eas.SyncOK || !told {
								t.Errorf("Conflict %d: the edit got status %d, told of the other's: %v", wish, status, told)
							}
							stored(t, h, "contacts", "TITLE:Chief", "TEL;TYPE=CELL:2")
						} else if _, told := s.take(s.send()); !told {
							t.Error("the card can be read again, and the phone is not told")
						}
						s.holds(tag.ContactsJobTitle, "Chief")
						if _, told := s.take(s.send()); told {
							t.Error("the card is told once more")
						}
					}
				})
			})
		}
	}
}
