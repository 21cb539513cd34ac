package phone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func mustSync(t *testing.T, p *Phone) []Event {
	t.Helper()
	events, err := p.Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func contented(t *testing.T, p *Phone) {
	t.Helper()
	for _, v := range p.Violations() {
		t.Errorf("violation: %s", v)
	}
}

func TestFirstSyncGoesOnUntilThereIsNoMore(t *testing.T) {
	for _, v := range eas.Versions {
		t.Run(v.String(), func(t *testing.T) {
			f := newFake(t)
			f.version, f.items = v, 250
			p := f.phone(Settings{})
			mustSync(t, p)
			if got := len(titlesOf(t, p)); got != 250 {
				t.Errorf("holds %d cards, want 250", got)
			}
			if got := strings.Join(f.log, " "); got != "FolderSync Sync Sync Sync Sync" {
				t.Errorf("asked %s, want a window of 100 at a time", got)
			}
			contented(t, p)
		})
	}
}

func TestProvisioningWhereTheServerAsksForIt(t *testing.T) {
	for _, inBand := range []bool{false, true} {
		t.Run(fmt.Sprintf("in band %v", inBand), func(t *testing.T) {
			f := newFake(t)
			f.provisioned, f.inBand, f.items = false, inBand, 1
			p := f.phone(Settings{})
			mustSync(t, p)
			if got := strings.Join(f.log, " "); got != "FolderSync Provision Provision FolderSync Sync Sync" {
				t.Errorf("asked %s", got)
			}
		})
	}
}

func TestServersThatAreNeverContent(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(*fake)
	}{
		{"with the key", func(f *fake) {
			f.sync = func(m *eas.SyncRequest) *eas.SyncResponse {
				if m.Collections[0].SyncKey == "0" {
					return nil
				}
				return one(eas.SyncResult{SyncKey: "0", Status: eas.SyncBadKey})
			}
		}},
		{"with the folders", func(f *fake) {
			f.sync = func(*eas.SyncRequest) *eas.SyncResponse { return &eas.SyncResponse{Status: eas.SyncHierarchyChanged} }
		}},
		{"with the folders' key", func(f *fake) {
			f.folders = func(eas.FolderSyncRequest) *eas.FolderSyncResponse {
				return &eas.FolderSyncResponse{Status: eas.FolderBadKey}
			}
		}},
		{"with the request", func(f *fake) {
			f.sync = func(*eas.SyncRequest) *eas.SyncResponse { return &eas.SyncResponse{Status: eas.SyncProtocol} }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			c.bend(f)
			if _, err := f.phone(Settings{}).Sync(t.Context()); err == nil {
				t.Error("the phone thinks that all is well")
			}
			if len(f.log) > 20 {
				t.Errorf("asked %d times", len(f.log))
			}
		})
	}
}

func TestStatusesThatThePhoneMends(t *testing.T) {
	for _, c := range []struct {
		status eas.SyncStatus
		inside bool // the status stands in the collection
		want   []Kind
	}{
		{eas.SyncBadKey, true, []Kind{FolderAdded, FolderAdded, Restarted, Added}},
		{eas.SyncBadKey, false, []Kind{FolderAdded, FolderAdded, Restarted, Added}},
		{eas.SyncHierarchyChanged, false, []Kind{FolderAdded, FolderAdded, Added}},
		{eas.SyncRetry, true, []Kind{FolderAdded, FolderAdded, Added}},
		{eas.SyncServerError, false, []Kind{FolderAdded, FolderAdded, Added}},
	} {
		t.Run(fmt.Sprintf("%d inside %v", c.status, c.inside), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // because the phone pauses
				f := newFake(t)
				f.items = 1
				done := false
				f.sync = func(m *eas.SyncRequest) *eas.SyncResponse {
					if done || m.Collections[0].SyncKey == "0" {
						return nil
					}
					if done = true; c.inside {
						return one(eas.SyncResult{SyncKey: "0", Status: c.status})
					}
					return &eas.SyncResponse{Status: c.status}
				}
				p := f.phone(Settings{})
				var got []Kind
				for _, e := range mustSync(t, p) {
					got = append(got, e.Kind)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				contented(t, p)
			})
		})
	}
}

func TestEditsAreSent(t *testing.T) {
	f := newFake(t)
	f.items = 2
	p := f.phone(Settings{})
	mustSync(t, p)
	clientID, err := p.Add("7", card("New"))
	if err := errors.Join(err, p.Change("7", "7:1", card("Changed")), p.Delete("7", "7:2")); err != nil {
		t.Fatal(err)
	}
	events := mustSync(t, p)
	if len(events) != 1 || events[0].Kind != Accepted || events[0].ServerID != "7:new1" || events[0].ClientID != clientID {
		t.Errorf("got events %+v", events)
	}
	var sent []string
	for _, c := range f.syncs[len(f.syncs)-1].Collections[0].Commands {
		sent = append(sent, tag.Local(c.Do)+" "+c.ClientID+c.ServerID+" "+Title(c.Data))
	}
	if diff := cmp.Diff([]string{"Add new1 New", "Change 7:1 Changed", "Delete 7:2 (without a name)"}, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Changed", "New"}, titlesOf(t, p)); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	before := len(f.syncs)
	mustSync(t, p)
	if last := f.syncs[len(f.syncs)-1]; len(f.syncs) != before+1 || last.Collections[0].Commands != nil {
		t.Errorf("sent again: %+v", last)
	}
	contented(t, p)
}

func TestWhatIsSentOfAChangedItem(t *testing.T) {
	body := func(truncated string) eas.Element {
		return eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseEstimatedDataSize, "4"),
			eas.T(tag.AirSyncBaseTruncated, truncated), eas.T(tag.AirSyncBaseData, "Note"))
	}
	sentBody := eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.T(tag.AirSyncBaseData, "Note"))
	phone, native := eas.T(tag.ContactsMobilePhoneNumber, "1"), eas.T(tag.AirSyncBaseNativeBodyType, "1")
	edit := eas.T(tag.ContactsFileAs, "New")
	for _, c := range []struct {
		name     string
		settings Settings
		held     eas.Properties
		want     eas.Properties
	}{
		{"everything, where absence removes", Settings{}, eas.Properties{card("Old")[0], phone, body("0"), native}, eas.Properties{phone, sentBody, edit}},
		{"no part of a body", Settings{}, eas.Properties{card("Old")[0], body("1")}, eas.Properties{edit}},
		{"the edit alone, where the rest is ghosted", Settings{Supported: map[string][]wbxml.Tag{eas.ClassContacts: {}}}, eas.Properties{card("Old")[0], phone}, eas.Properties{edit}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.news = []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "7:1", Data: c.held}}
			p := f.phone(c.settings)
			mustSync(t, p)
			if err := p.Change("7", "7:1", eas.Properties{edit}); err != nil {
				t.Fatal(err)
			}
			mustSync(t, p)
			sent := f.syncs[len(f.syncs)-1].Collections[0].Commands[0].Data
			if diff := cmp.Diff(c.want, sent); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditsOfWhatIsNotThere(t *testing.T) {
	f := newFake(t)
	p := f.phone(Settings{})
	mustSync(t, p)
	_, err := p.Add("9", nil)
	for _, err := range []error{err, p.Change("9", "1", nil), p.Change("7", "1", nil), p.Delete("7", "1"), p.ChangeInstance("7", "1", "x", nil)} {
		if err == nil {
			t.Error("an edit of what the phone has not was taken")
		}
	}
}

func TestALostAnswerIsAskedForAgain(t *testing.T) {
	f := newFake(t)
	f.loseAfter = 3
	p := f.phone(Settings{})
	mustSync(t, p)
	if _, err := p.Add("7", card("First")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
	if _, err := p.Add("7", card("Second")); err != nil {
		t.Fatal(err)
	}
	mustSync(t, p)
	if diff := cmp.Diff(f.syncs[2], f.syncs[3]); diff != "" {
		t.Errorf("the second request is not the first (-first +second):\n%s\n"+
			"A server can replay its answer only if the request is the same.", diff)
	}
	if diff := cmp.Diff([]string{"First", "Second"}, titlesOf(t, p)); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
}

func TestARebuiltRequest(t *testing.T) {
	f := newFake(t)
	f.items, f.loseAfter = 2, 3
	p := f.phone(Settings{Rebuilds: true})
	mustSync(t, p)
	phone := func(number string) eas.Properties {
		return eas.Properties{eas.T(tag.ContactsMobilePhoneNumber, number)}
	}
	if _, err := p.Add("7", card("First")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Change("7", "7:1", card("Mine")), p.Change("7", "7:2", card("Soon gone"))); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); err == nil {
		t.Fatal("the answer is not lost")
	}
	if err := errors.Join(p.Change("7", "7:1", phone("1")), p.Delete("7", "7:2")); err != nil {
		t.Fatal(err)
	}
	mustSync(t, p)
	var sent []string
	for _, c := range f.syncs[3].Collections[0].Commands {
		number, _ := c.Data.Text(tag.ContactsMobilePhoneNumber)
		sent = append(sent, strings.TrimSpace(fmt.Sprint(c.ClientID, c.ServerID, " ", Title(c.Data), " ", number)))
	}
	if diff := cmp.Diff([]string{"new1 First", "7:1 Mine 1", "7:2 (without a name)"}, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	contented(t, p)
}

// What the owner edits while an answer is asked for again is not undone by the
// news in it, which are older.
func TestEditsStayOnTopOfNews(t *testing.T) {
	f := newFake(t)
	f.items, f.loseAfter = 2, 3
	p := f.phone(Settings{})
	mustSync(t, p)
	if _, err := p.Add("7", card("First")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); err == nil {
		t.Fatal("the answer is not lost")
	}
	if err := errors.Join(p.Change("7", "7:1", card("Mine")), p.Delete("7", "7:2")); err != nil {
		t.Fatal(err)
	}
	f.news = []eas.SyncCommand{
		{Do: tag.AirSyncChange, ServerID: "7:1", Data: card("Theirs")},
		{Do: tag.AirSyncChange, ServerID: "7:2", Data: card("Theirs")},
	}
	mustSync(t, p)
	if diff := cmp.Diff([]string{"First", "Mine"}, titlesOf(t, p)); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	contented(t, p)
}

func TestRefusedEdits(t *testing.T) {
	f := newFake(t)
	f.items = 1
	p := f.phone(Settings{})
	mustSync(t, p)
	if _, err := p.Add("7", card("Bad")); err != nil {
		t.Fatal(err)
	}
	if err := p.Change("7", "7:1", card("Gone")); err != nil {
		t.Fatal(err)
	}
	f.sync = func(*eas.SyncRequest) *eas.SyncResponse {
		return one(eas.SyncResult{SyncKey: "9", Responses: []eas.SyncOutcome{
			{Do: tag.AirSyncAdd, ClientID: "new1", Status: eas.SyncBadItem},
			{Do: tag.AirSyncChange, ServerID: "7:1", Status: eas.SyncNotFound},
		}})
	}
	var got []string
	for _, e := range mustSync(t, p) {
		got = append(got, fmt.Sprint(e.Kind, " ", e.ClientID, e.ServerID, " ", e.Status))
	}
	if diff := cmp.Diff([]string{"refused new1 6", "refused 7:1 8"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := titlesOf(t, p); len(got) != 0 {
		t.Errorf("still holds %v", got)
	}
}

func TestNewsOfAllKinds(t *testing.T) {
	f := newFake(t)
	f.items = 3
	p := f.phone(Settings{Together: true})
	mustSync(t, p)
	f.news = []eas.SyncCommand{
		{Do: tag.AirSyncChange, ServerID: "7:1", Data: card("Changed")},
		{Do: tag.AirSyncDelete, ServerID: "7:2"},
		{Do: tag.AirSyncSoftDelete, ServerID: "7:3"},
		{Do: tag.AirSyncDelete, ServerID: "7:99"},
		{Do: tag.AirSyncAdd, ServerID: "7:4", Data: card("New")},
	}
	var got []string
	for _, e := range mustSync(t, p) {
		got = append(got, string(e.Kind)+" "+Title(e.Item))
	}
	if diff := cmp.Diff([]string{"changed Changed", "removed Card 2", "left Card 3", "added New"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	contented(t, p)
}

func TestViolations(t *testing.T) {
	add := func(id string) eas.SyncCommand {
		return eas.SyncCommand{Do: tag.AirSyncAdd, ServerID: id, Data: card("x")}
	}
	for _, c := range []struct {
		name   string
		answer *eas.SyncResponse // to a phone that holds 7:1, has key 2 and sends the new item new1
		want   string
	}{
		{"an Add for what the phone has", one(eas.SyncResult{SyncKey: "3", Commands: []eas.SyncCommand{add("7:1")}}), "adds the item"},
		{"a Change for what it has not", one(eas.SyncResult{SyncKey: "3", Commands: []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: "7:9"}}}), "changes the item"},
		{"an item twice", one(eas.SyncResult{SyncKey: "3", Commands: []eas.SyncCommand{add("7:8"), {Do: tag.AirSyncChange, ServerID: "7:8"}}}), "twice"},
		{"an item without id", one(eas.SyncResult{SyncKey: "3", Commands: []eas.SyncCommand{add("")}}), "without id"},
		{"success without the new id", one(eas.SyncResult{SyncKey: "3", Responses: []eas.SyncOutcome{{Do: tag.AirSyncAdd, ClientID: "new1", Status: eas.SyncOK}}}), "did not say its id"},
		{"nothing about the new item", one(eas.SyncResult{SyncKey: "3"}), "what became of"},
		{"an answer without the folder", &eas.SyncResponse{Collections: []eas.SyncResult{}}, "what became of"},
		{"something about another new item", one(eas.SyncResult{SyncKey: "3", Responses: []eas.SyncOutcome{{Do: tag.AirSyncAdd, ClientID: "x", Status: eas.SyncOK}}}), "has not sent"},
		{"success that goes without saying", one(eas.SyncResult{SyncKey: "3", Responses: []eas.SyncOutcome{{Do: tag.AirSyncChange, ServerID: "7:1", Status: eas.SyncOK}}}), "goes without saying"},
		{"the same key with news", one(eas.SyncResult{SyncKey: "2", Commands: []eas.SyncCommand{add("7:8")}}), "kept the key"},
		{"the key 0", one(eas.SyncResult{SyncKey: "0"}), `the key "0"`},
		{"a folder that was not asked for", &eas.SyncResponse{Collections: []eas.SyncResult{{SyncKey: "3", CollectionID: "8", Status: eas.SyncOK}}}, "not asked for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.items = 1
			p := f.phone(Settings{})
			mustSync(t, p)
			if _, err := p.Add("7", card("New")); err != nil {
				t.Fatal(err)
			}
			answered := false
			f.sync = func(*eas.SyncRequest) *eas.SyncResponse {
				if answered {
					return nil
				}
				answered = true
				return c.answer
			}
			mustSync(t, p)
			if !slices.ContainsFunc(p.Violations(), func(v string) bool { return strings.Contains(v, c.want) }) {
				t.Errorf("got %q, want one with %q", p.Violations(), c.want)
			}
		})
	}
}

func TestFoldersComeAndGo(t *testing.T) {
	f := newFake(t)
	p := f.phone(Settings{})
	mustSync(t, p)
	f.folders = func(m eas.FolderSyncRequest) *eas.FolderSyncResponse {
		if m.SyncKey == "1" {
			return &eas.FolderSyncResponse{Status: eas.FolderOK, SyncKey: "2", Changes: &eas.FolderChanges{
				Count:   3,
				Updates: []eas.Folder{{ServerID: "7", ParentID: "0", DisplayName: "People", Type: eas.FolderContacts}},
				Deletes: []eas.FolderRef{{ServerID: "2"}},
				Adds:    []eas.Folder{{ServerID: "8", ParentID: "0", DisplayName: "Calendar", Type: eas.FolderCalendar}},
			}}
		}
		return nil
	}
	events, err := p.FolderSync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, string(e.Kind)+" "+e.Folder)
	}
	if diff := cmp.Diff([]string{"folder added Calendar", "folder changed People", "folder removed Inbox"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	contented(t, p)
	p.Forget()
	if len(p.Folders()) != 0 {
		t.Error("a phone that has forgotten still has folders")
	}
}

// A server may tell of a folder when the phone has begun to ask for those that it
// knew. The Ping that follows names what has been synced, and nobody would wake
// the phone for the new one.
func TestAFolderThatAppearsDuringASyncIsSynced(t *testing.T) {
	for _, together := range []bool{false, true} {
		t.Run(fmt.Sprintf("together %v", together), func(t *testing.T) {
			f := newFake(t)
			p := f.phone(Settings{Together: together})
			mustSync(t, p)
			f.folders = func(m eas.FolderSyncRequest) *eas.FolderSyncResponse {
				return &eas.FolderSyncResponse{Status: eas.FolderOK, SyncKey: "2", Changes: &eas.FolderChanges{
					Count: 1, Adds: []eas.Folder{{ServerID: "8", ParentID: "0", DisplayName: "Friends", Type: eas.FolderUserContacts}},
				}}
			}
			told := false
			f.sync = func(*eas.SyncRequest) *eas.SyncResponse {
				if told {
					return nil
				}
				told = true
				return &eas.SyncResponse{Status: eas.SyncHierarchyChanged}
			}
			if _, err := p.SyncFolders(t.Context(), "7"); err != nil {
				t.Fatal(err)
			}
			var asked []string
			f.ping = func(_ *http.Request, m eas.PingRequest) eas.PingResponse {
				asked = folderIDs(m)
				return eas.PingResponse{Status: eas.PingExpired}
			}
			if _, err := p.Ping(t.Context(), time.Minute); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"7", "8"}, asked); diff != "" {
				t.Errorf("the phone waits for (-want +got):\n%s", diff)
			}
			contented(t, p)
		})
	}
}

func TestSupportedAndFiltersAreSaid(t *testing.T) {
	f := newFake(t)
	p := f.phone(Settings{
		Supported: map[string][]wbxml.Tag{eas.ClassContacts: {tag.ContactsFirstName}},
		Filters:   map[string]int{eas.ClassContacts: 4}, WindowSize: 7,
	})
	mustSync(t, p)
	first, second := f.syncs[0].Collections[0], f.syncs[1].Collections[0]
	if diff := cmp.Diff([]wbxml.Tag{tag.ContactsFirstName}, first.Supported); diff != "" || second.Supported != nil {
		t.Errorf("Supported %v, then %v", first.Supported, second.Supported)
	}
	if first.GetChanges != nil || first.Options != nil {
		t.Errorf("the key 0 asked for more than a key: %+v", first)
	}
	if *second.WindowSize != 7 || *second.Options[0].FilterType != 4 || second.Options[0].BodyPreferences[0].Type != 1 {
		t.Errorf("got %+v", second)
	}
}

func TestSyncEndsWithItsContext(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	f.sync = func(*eas.SyncRequest) *eas.SyncResponse {
		cancel(why)
		return &eas.SyncResponse{Status: eas.SyncRetry}
	}
	if _, err := f.phone(Settings{}).Sync(ctx); err == nil {
		t.Error("no error")
	}
}
