package easserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// ask sends a message and answers the HTTP status and the answer as XML.
func (r *raw) ask(command eas.Command, message any) (int, string) {
	r.t.Helper()
	answer, _, err := r.Do(r.t.Context(), easclient.Call{Query: eas.Query{Command: command}, Body: mustMarshal(r.t, message, r.Version)})
	status, _ := httpStatus(r.t, err)
	return status, xml(r.t, answer)
}

// one sends one folder and answers its result.
func (r *raw) one(c eas.SyncCollection) eas.SyncResult {
	r.t.Helper()
	res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}})
	if res == nil || len(res.Collections) != 1 {
		r.t.Fatalf("answered %+v, want one folder", res)
	}
	return res.Collections[0]
}

func lastName(s string) eas.Properties {
	return eas.Properties{eas.T(tag.ContactsLastName, s), eas.T(tag.ContactsFileAs, s)}
}

// A request that breaks the form is status 4, and nothing of it is carried
// out.
func TestMalformedCollections(t *testing.T) {
	long := strings.Repeat("x", 65)
	add := func(id string) eas.SyncCommand {
		return eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: id, Data: lastName("Never")}
	}
	for _, tt := range []struct {
		name   string
		edit   func(c *eas.SyncCollection)
		status eas.SyncStatus
	}{
		{"no CollectionId", func(c *eas.SyncCollection) { c.CollectionID = "" }, eas.SyncProtocol},
		{"a CollectionId that is too long", func(c *eas.SyncCollection) { c.CollectionID = long }, eas.SyncProtocol},
		{"no SyncKey", func(c *eas.SyncCollection) { c.SyncKey = "" }, eas.SyncProtocol},
		{"a SyncKey that is too long", func(c *eas.SyncCollection) { c.SyncKey = long }, eas.SyncBadKey},
		{"an Add without a ClientId", func(c *eas.SyncCollection) { c.Commands = []eas.SyncCommand{add("")} }, eas.SyncProtocol},
		{"an Add with a ClientId that is too long", func(c *eas.SyncCollection) { c.Commands = []eas.SyncCommand{add("1"), add(long)} }, eas.SyncProtocol},
		{"a Change without a ServerId", func(c *eas.SyncCollection) {
			c.Commands = []eas.SyncCommand{add("1"), {Do: tag.AirSyncChange, Data: lastName("X")}}
		}, eas.SyncProtocol},
		{"a Delete with a ServerId that is too long", func(c *eas.SyncCollection) {
			c.Commands = []eas.SyncCommand{add("1"), {Do: tag.AirSyncDelete, ServerID: long}}
		}, eas.SyncProtocol},
		{"commands in the first round", func(c *eas.SyncCollection) {
			c.SyncKey, c.Commands = "0", []eas.SyncCommand{add("1")}
		}, eas.SyncProtocol},
		{"changes are asked for in the first round", func(c *eas.SyncCollection) { c.SyncKey, c.GetChanges = "0", ptr(true) }, eas.SyncProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range []eas.Version{eas.V121, eas.V161} {
				h := bridgetest.Start(t, bridgetest.Options{})
				r := newRaw(t, h, v)
				c := r.collection("Contacts")
				tt.edit(&c)
				res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}})
				status := res.Status
				if len(res.Collections) == 1 {
					status = res.Collections[0].Status
				}
				if status != tt.status {
					t.Errorf("%s: answered %+v, want status %d", v, res, tt.status)
				}
				if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 0 {
					t.Errorf("%s: the server holds %d contacts of a request that was refused", v, n)
				}
			}
		})
	}
}

// What a command gets that cannot be carried out, and that its neighbours are.
func TestStatusesOfCommands(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		r := newRaw(t, h, v)
		c := r.collection("Contacts")
		c.Commands = []eas.SyncCommand{
			{Do: tag.AirSyncDelete, ServerID: c.CollectionID + ":4711"},
			{Do: tag.AirSyncChange, ServerID: "no id of ours", Data: lastName("X")},
			{Do: tag.AirSyncFetch, ServerID: c.CollectionID + ":4711"},
			{Do: tag.AirSyncAdd, ClientID: "1", Data: lastName("Neighbour")},
			{Do: tag.AirSyncAdd, ClientID: "1", Data: lastName("With the same ClientId")},
		}
		got := r.one(c)
		var statuses []eas.SyncStatus
		for _, o := range got.Responses {
			statuses = append(statuses, o.Status)
			if o.Do == tag.AirSyncAdd && (o.Status == eas.SyncOK) != (o.ServerID != "") {
				t.Errorf("an Add with status %d has ServerId %q", o.Status, o.ServerID)
			}
		}
		if want := "[8 8 8 1 6]"; fmt.Sprint(statuses) != want {
			t.Errorf("statuses %v, want %s", statuses, want)
		}
		if got.SyncKey == c.SyncKey {
			t.Error("the answer has the key of the request: the phone would send its commands again")
		}
		if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 4 {
			t.Errorf("the server holds %d contacts, want 4", n)
		}
		for id, body := range h.Backend.Items(bridgetest.User, "contacts") {
			if strings.Contains(string(body), "same ClientId") {
				t.Errorf("%s is %q: the second Add overwrote the first", id, body)
			}
		}
	})
}

// A change that changes nothing is answered with a new key, and a deletion
// twice in one request is no error of the whole.
func TestChangeThatChangesNothing(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		fill(h)
		r := newRaw(t, h, v)
		f := bridgetest.FolderOf(t, r.phone, "Contacts")
		for id, item := range f.Items {
			c := r.collection("Contacts")
			c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: item}}
			got := r.one(c)
			if got.Status != eas.SyncOK || got.SyncKey == c.SyncKey || len(got.Responses)+len(got.Commands) > 0 {
				t.Errorf("answered %+v, want a new key and nothing else", got)
			}
			return
		}
	})
}

// [MS-ASCMD] "Delete (Sync)": an InstanceId names one occurrence. Where there are no
// occurrences the item must not go as a whole.
func TestDeleteWithInstanceId(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	start := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	h.Store("calendar", "series", strings.Replace(bridgetest.Event("series", "Series", start), "SUMMARY", "RRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY", 1))
	h.Store("calendar", "single", bridgetest.Event("single", "Single", start))
	h.Store("tasks", "task", bridgetest.Task("task", "Task"))
	r := newRaw(t, h, eas.V161)
	del := func(class, title, instance string) eas.SyncResult {
		t.Helper()
		bridgetest.Sync(t, r.phone)
		for id, item := range bridgetest.FolderOf(t, r.phone, class).Items {
			if phone.Title(item) == title {
				c := r.collection(class)
				c.Commands = []eas.SyncCommand{{Do: tag.AirSyncDelete, ServerID: id, InstanceID: instance}}
				return r.one(c)
			}
		}
		t.Fatalf("the phone has no %q", title)
		return eas.SyncResult{}
	}
	if got := del("Calendar", "Series", "20261203T090000Z"); got.Status != eas.SyncOK || len(got.Responses) != 0 {
		t.Errorf("deleting an occurrence was answered %+v", got)
	}
	if body := string(h.Backend.Items(bridgetest.User, "calendar")["series"]); !strings.Contains(body, "EXDATE") {
		t.Errorf("the series is %q, want an exception", body)
	}
	for _, tt := range []struct{ class, collection, title, instance string }{
		{"Calendar", "calendar", "Single", "20261203T090000Z"},
		{"Calendar", "calendar", "Series", "20261203T093000Z"},
		{"Calendar", "calendar", "Series", "some time"},
		{"Tasks", "tasks", "Task", "20261203T090000Z"},
	} {
		before := fmt.Sprintf("%s", h.Backend.Items(bridgetest.User, backend.CollectionID(tt.collection)))
		got := del(tt.class, tt.title, tt.instance)
		if len(got.Responses) != 1 || got.Responses[0].Status == eas.SyncOK || got.Responses[0].InstanceID != tt.instance {
			t.Errorf("deleting occurrence %q of %q was answered %+v, want a failure that names it", tt.instance, tt.title, got)
		}
		if after := fmt.Sprintf("%s", h.Backend.Items(bridgetest.User, backend.CollectionID(tt.collection))); after != before {
			t.Errorf("deleting occurrence %q of %q left %s\nwant what was there before, %s", tt.instance, tt.title, after, before)
		}
	}
}

// Old clients name a folder by its class alone: that is the main one.
func TestFolderNamedByItsClass(t *testing.T) {
	for _, v := range []eas.Version{eas.V25, eas.V120} {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		h.Store("calendar", "e", bridgetest.Event("e", "E", time.Now().Add(time.Hour)))
		contacts, calendar := r.collection("Contacts"), r.collection("Calendar")
		contacts.CollectionID, contacts.Class = "", "Contacts"
		calendar.CollectionID, calendar.Class = "", "Calendar"
		estimate, err := r.GetItemEstimate(t.Context(), eas.GetItemEstimateRequest{Collections: []eas.EstimateCollection{{Class: "Contacts", SyncKey: contacts.SyncKey}}})
		if err != nil || len(estimate.Responses) != 1 || estimate.Responses[0].Status != eas.EstimateOK {
			t.Errorf("%s: estimated %+v, %v", v, estimate, err)
		}
		res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, calendar}})
		if len(res.Collections) != 2 {
			t.Fatalf("%s: answered %+v", v, res)
		}
		for i, class := range []string{"Contacts", "Calendar"} {
			if got := res.Collections[i]; got.Status != eas.SyncOK || got.Class != class || len(got.Commands) != 1 {
				t.Errorf("%s: answered %+v, want one item of class %s", v, got, class)
			}
		}
		contacts.Class = "Journal"
		if res = r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts}}); res.Collections[0].Status == eas.SyncOK {
			t.Errorf("%s: a class that nobody has was answered %+v", v, res)
		}
	}
}

// [MS-ASCMD] "FilterType (Sync)": 9 and above are refused; what is for another class
// filters nothing.
func TestFilterTypesOfOtherClasses(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	for _, tt := range []struct {
		class  string
		filter int
		status eas.SyncStatus
	}{
		{"Tasks", 5, eas.SyncOK}, {"Calendar", 8, eas.SyncOK}, {"Contacts", 7, eas.SyncOK},
		{"Tasks", 9, eas.SyncStatus(eas.InvalidXML)}, {"Contacts", 9, eas.SyncStatus(eas.InvalidXML)}, {"Calendar", -1, eas.SyncStatus(eas.InvalidXML)},
	} {
		r := newRaw(t, h, eas.V141)
		c := r.collection(tt.class)
		c.SyncKey, c.Options = "0", []eas.SyncOptions{{FilterType: &tt.filter}}
		if got := r.one(c); got.Status != tt.status {
			t.Errorf("FilterType %d for %s was answered %+v, want status %d", tt.filter, tt.class, got, tt.status)
		}
	}
}

// What is too much to be remembered costs the phone its empty requests and
// nothing else.
func TestRequestTooLargeToBeRemembered(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	c := r.collection("Contacts")
	o := eas.SyncOptions{}
	for range 5000 {
		o.BodyPreferences = append(o.BodyPreferences, eas.BodyPreference{Type: 1, TruncationSize: ptr(1 << 20), Preview: ptr(100)})
	}
	c.Options = []eas.SyncOptions{o}
	if got := r.one(c); got.Status != eas.SyncOK {
		t.Errorf("answered %+v", got)
	}
	if res := r.sync(nil); res.Status != eas.SyncIncomplete {
		t.Errorf("an empty Sync after it was answered %+v, want status 13", res)
	}
}

// An Add of another class than the folder's is not stored as what it is not.
func TestAddOfAnotherClass(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	c := r.collection("Contacts")
	c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, Class: "Calendar", ClientID: "1", Data: append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"))}}
	if got := r.one(c); got.Responses[0].Status != eas.SyncBadItem || len(h.Backend.Items(bridgetest.User, "contacts")) != 0 {
		t.Errorf("answered %+v, want status 6", got)
	}
}

// What clients send that is odd and harmless.
func TestOddRequests(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("contacts", "c", bridgetest.Card("c", "C"))
	r := newRaw(t, h, eas.V141)
	f := bridgetest.FolderOf(t, r.phone, "Contacts")
	doc := func(build func(e *wbxml.Encoder)) []byte {
		e := wbxml.NewEncoder(nil)
		e.Start(tag.AirSyncSync)
		e.Start(tag.AirSyncCollections)
		e.Start(tag.AirSyncCollection)
		build(&e)
		e.End()
		e.End()
		e.End()
		return e.Bytes()
	}
	ids := func(e *wbxml.Encoder) {
		e.Element(tag.AirSyncCollectionId, f.ServerID)
		e.Element(tag.AirSyncSyncKey, f.SyncKey)
	}
	for _, tt := range []struct {
		name  string
		build func(e *wbxml.Encoder)
		want  string
	}{
		{"an empty GetChanges", func(e *wbxml.Encoder) { e.Empty(tag.AirSyncGetChanges); ids(e) }, ""},
		{"an empty GetChanges with key 0", func(e *wbxml.Encoder) {
			e.Element(tag.AirSyncSyncKey, "0")
			e.Element(tag.AirSyncCollectionId, f.ServerID)
			e.Empty(tag.AirSyncGetChanges)
		}, "<Status>4</Status>"},
		{"empty options", func(e *wbxml.Encoder) { ids(e); e.Empty(tag.AirSyncOptions) }, ""},
		{"empty commands", func(e *wbxml.Encoder) { ids(e); e.Empty(tag.AirSyncCommands) }, ""},
		{"a command that there is not", func(e *wbxml.Encoder) {
			ids(e)
			e.Start(tag.AirSyncCommands)
			e.Start(tag.AirSyncSoftDelete)
			e.Element(tag.AirSyncServerId, f.ServerID+":1")
			e.End()
			e.End()
		}, ""},
		{"a window that is no number", func(e *wbxml.Encoder) { ids(e); e.Element(tag.AirSyncWindowSize, "many") }, "<Status>4</Status>"},
		{"an element of another page", func(e *wbxml.Encoder) { ids(e); e.Element(tag.CalendarSubject, "?") }, ""},
	} {
		answer, _, err := r.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdSync}, Body: doc(tt.build)})
		if status, _ := httpStatus(t, err); status != 200 || tt.want == "" && strings.Contains(xml(t, answer), "<Status>4") || !strings.Contains(xml(t, answer), tt.want) {
			t.Errorf("%s: HTTP status %d and %s, want %s", tt.name, status, xml(t, answer), tt.want)
		}
	}
	if n := len(h.Backend.Items(bridgetest.User, "contacts")); n != 1 {
		t.Errorf("the server holds %d contacts, want 1", n)
	}
}
