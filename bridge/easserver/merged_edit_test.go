package easserver_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// everything lists all collections of ann's, and what is in them.
func everything(t *testing.T, h *bridgetest.House) string {
	t.Helper()
	s, err := h.Backend.Open(t.Context(), backend.Credentials{User: bridgetest.User, Password: bridgetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, c := range list {
		all += fmt.Sprintf("%+v\n%q\n", c, h.Backend.Items(bridgetest.User, c.ID))
	}
	return all
}

// A phone that has one folder of a kind sends folder commands and moves: each
// has its status, and nothing changes of what the phone does not see.
func TestMergedFoldersStayAsTheyAre(t *testing.T) {
	const p = "present"
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := twoBooks(t, bridgetest.Options{})
		h.Store("calendar", "e", bridgetest.Event("e", "Event", time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)))
		plain := single(t, h, v, "test") // told of each folder
		bridgetest.Sync(t, plain.phone)
		parts := map[string]string{}
		items := map[string]string{}
		for _, f := range contactFolders(plain.phone) {
			parts[f.DisplayName] = f.ServerID
			for id, item := range f.Items {
				items[phone.Title(item)] = id
			}
		}
		r := &raw{t, h.Client(v, "phone2"), nil}
		r.DeviceType = merging
		r.phone = bridgetest.Checked(t, phone.New(r.Client, phone.Settings{}))
		bridgetest.Sync(t, r.phone)
		book := r.holds("at first", "Club a", "Club b", "Main a", "Main b")
		calendar := bridgetest.FolderOf(t, r.phone, eas.ClassCalendar)
		before := everything(t, h)

		update := func(folder, parent string) any {
			return eas.FolderUpdateRequest{SyncKey: p, ServerID: folder, ParentID: parent, DisplayName: "Mine"}
		}
		remove := func(folder string) any { return eas.FolderDeleteRequest{SyncKey: p, ServerID: folder} }
		for _, tt := range []struct {
			what    string
			message any
			want    eas.FolderStatus
		}{
			{"FolderUpdate of the one folder, which is the main one", update(book.ServerID, "0"), eas.FolderExists},
			{"FolderUpdate of a part that is the main one", update(parts["Contacts"], "0"), eas.FolderMissing},
			{"FolderUpdate of another part", update(parts["Club"], "0"), eas.FolderMissing},
			{"FolderUpdate of a kind that has nothing", update("m9", "0"), eas.FolderMissing},
			{"FolderDelete of the one folder", remove(book.ServerID), eas.FolderSystem},
			{"FolderDelete of a part that is the main one", remove(parts["Contacts"]), eas.FolderMissing},
			{"FolderDelete of another part", remove(parts["Club"]), eas.FolderMissing},
			{"FolderCreate in a part", eas.FolderCreateRequest{SyncKey: p, ParentID: parts["Club"], DisplayName: "Inner", Type: eas.FolderUserContacts}, eas.FolderNoParent},
			{"FolderCreate of the name that the one folder has", eas.FolderCreateRequest{SyncKey: p, ParentID: "0", DisplayName: book.DisplayName, Type: eas.FolderUserContacts}, eas.FolderExists},
		} {
			if got := r.status(tt.message); got != tt.want {
				t.Errorf("%s: status %d, want %d", tt.what, got, tt.want)
			}
		}
		for _, tt := range []struct {
			what              string
			item, source, dst string
			want              eas.MoveStatus
		}{
			{"to where it is", items["Club a"], book.ServerID, book.ServerID, eas.MoveSameFolder},
			{"to the part where it is", items["Club a"], book.ServerID, parts["Club"], eas.MoveBadDestination},
			{"to another part", items["Club a"], book.ServerID, parts["Contacts"], eas.MoveBadDestination},
			{"from a part into the one folder", items["Club a"], parts["Club"], book.ServerID, eas.MoveBadSource},
			{"from part to part", items["Club a"], parts["Club"], parts["Contacts"], eas.MoveBadSource},
			{"to a folder of another class", items["Club a"], book.ServerID, calendar.ServerID, eas.MoveFailed},
			{"from another class", theOneOf(t, calendar), calendar.ServerID, book.ServerID, eas.MoveFailed},
			{"what the one folder does not name", items["Club a"], "", book.ServerID, eas.MoveBadSource},
		} {
			res, err := r.MoveItems(t.Context(), eas.MoveItemsRequest{Moves: []eas.ItemMove{{SrcMsgID: tt.item, SrcFldID: tt.source, DstFldID: tt.dst}}})
			if err != nil || len(res.Responses) != 1 || res.Responses[0].Status != tt.want || res.Responses[0].DstMsgID != "" {
				t.Errorf("MoveItems %s: %+v, %v, want status %d", tt.what, res, err, tt.want)
			}
		}
		if v >= eas.V120 {
			for _, id := range []string{book.ServerID, parts["Club"]} {
				res, err := r.ItemOperations(t.Context(), eas.ItemOperationsRequest{Empties: []eas.EmptyFolder{{CollectionID: id}}})
				if err != nil || res.Response == nil || len(res.Response.Empties) != 1 || res.Response.Empties[0].Status == 1 {
					t.Errorf("EmptyFolderContents of %s: %+v, %v, want that it is refused", id, res.Response, err)
				}
			}
		}
		if after := everything(t, h); after != before {
			t.Errorf("the store has\n%s\nand had\n%s", after, before)
		}
		quietFolders(t, r.phone)
		bridgetest.Sync(t, r.phone)
		r.holds("in the end", "Club a", "Club b", "Main a", "Main b")
	})
}

func theOneOf(t *testing.T, f phone.Folder) string {
	t.Helper()
	if len(f.Items) != 1 {
		t.Fatalf("folder %q has %d items, want one", f.DisplayName, len(f.Items))
	}
	for id := range f.Items {
		return id
	}
	return ""
}

// What a phone with one folder of a kind makes is one more behind that: the
// phone is told of no folder, and has what others put into it.
func TestMergedFolderCreate(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := twoBooks(t, bridgetest.Options{})
		r := single(t, h, v, merging)
		bridgetest.Sync(t, r.phone)
		if _, err := r.phone.CreateFolder(t.Context(), "0", "Choir", eas.FolderUserContacts); err != nil {
			t.Fatal(err)
		}
		c, ok := made(t, h)["Choir"]
		if !ok || c.Kind != backend.Contacts {
			t.Fatalf("the store has %v", made(t, h))
		}
		h.Store(c.ID, "s", bridgetest.Card("s", "Soprano"))
		look(t, r.phone)
		bridgetest.Sync(t, r.phone)
		r.holds("in the end", "Club a", "Club b", "Main a", "Main b", "Soprano")
		quietFolders(t, r.phone)
	})
}
