package easserver_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// withFile is an event with a text file.
func withFile(uid, text string) string {
	return strings.Replace(bridgetest.Event(uid, "With a file", time.Now().Add(time.Hour)), "X-KEEP",
		"ATTACH;FMTTYPE=text/plain;FILENAME=a.txt;ENCODING=BASE64;VALUE=BINARY:"+base64.StdEncoding.EncodeToString([]byte(text))+"\r\nX-KEEP", 1)
}

// references are the names of the files of an item, or of an answer, in order.
func references(ps eas.Properties) (names []string) {
	list, _ := ps.Find(tag.AirSyncBaseAttachments)
	for _, a := range list.Children {
		name, _ := eas.Properties(a.Children).Text(tag.AirSyncBaseFileReference)
		names = append(names, name)
	}
	return names
}

// file fetches one.
func file(t *testing.T, c *easclient.Client, reference, part string) eas.FetchResult {
	t.Helper()
	fetch := eas.FetchRequest{Store: eas.StoreMailbox, FileReference: reference}
	if part != "" {
		fetch.Options = &eas.FetchOptions{Range: part}
	}
	res, err := c.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{fetch}})
	if err != nil || res.Response == nil || len(res.Response.Fetches) != 1 || res.Response.Fetches[0].FileReference != reference {
		t.Fatalf("fetching %q: %+v, %v", reference, res, err)
	}
	return res.Response.Fetches[0]
}

// content is what a fetched file holds.
func content(t *testing.T, r eas.FetchResult) string {
	t.Helper()
	text, _ := r.Properties.Text(tag.ItemOperationsData)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || r.Status != eas.ItemOperationsOK {
		t.Errorf("a file was answered %+v, %v", r, err)
	}
	return string(data)
}

// Phones of 16.x see the files of events and open them; earlier ones see none.
// See [MS-ASAIRS] "Attachments" and [MS-ASCMD] "airsyncbase:FileReference".
func TestFilesOfEvents(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("calendar", "e", withFile("e", "Hello, world"))
		r := newRaw(t, h, v)
		var names []string
		for _, item := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
			names = references(item)
		}
		if v < eas.V160 {
			if names != nil {
				t.Errorf("the phone is shown the files %q", names)
			}
			return
		}
		if len(names) != 1 {
			t.Fatalf("the phone is shown the files %q, want one", names)
		}
		whole := file(t, r.Client, names[0], "")
		if kind, _ := whole.Properties.Text(tag.AirSyncBaseContentType); kind != "text/plain" || content(t, whole) != "Hello, world" {
			t.Errorf("the file is %+v", whole)
		}
		some := file(t, r.Client, names[0], "7-4711")
		which, _ := some.Properties.Text(tag.ItemOperationsRange)
		total, _ := some.Properties.Text(tag.ItemOperationsTotal)
		if content(t, some) != "world" || which != "7-11" || total != "12" {
			t.Errorf("a part of the file is %+v", some)
		}
		for _, bad := range []string{"12-13", "5-4", "-1-3", "a-b", "7"} {
			if got := file(t, r.Client, names[0], bad); got.Status != eas.ItemOperationsBadRange {
				t.Errorf("range %q: status %d", bad, got.Status)
			}
		}
		folder, _, _ := strings.Cut(names[0], ":")
		contacts := bridgetest.FolderOf(t, r.phone, "Contacts").ServerID
		_, part, _ := strings.Cut(names[0], "/")
		for _, none := range []string{"x", "/", names[0] + "0", folder + ":4711/" + part, contacts + ":1/" + part, "4711:1/" + part} {
			if got := file(t, r.Client, none, ""); got.Status != eas.ItemOperationsBadAttachment {
				t.Errorf("file %q: status %d", none, got.Status)
			}
		}
		fetched, err := r.ItemOperations(t.Context(), eas.ItemOperationsRequest{Fetches: []eas.FetchRequest{{Store: eas.StoreMailbox, CollectionID: folder, ServerID: strings.TrimSuffix(names[0], "/"+part)}}})
		if err != nil || len(fetched.Response.Fetches) != 1 || len(references(fetched.Response.Fetches[0].Properties)) != 1 {
			t.Errorf("the item was fetched as %+v, %v", fetched, err)
		}
		h.Store("calendar", "e", bridgetest.Event("e", "Without", time.Now().Add(time.Hour)))
		if got := file(t, r.Client, names[0], ""); got.Status != eas.ItemOperationsBadAttachment {
			t.Errorf("a file that is gone: status %d", got.Status)
		}
	})
}

// Nobody opens the files of others.
func TestFilesOfOthers(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("calendar", "e", withFile("e", "Hello, world"))
	r := newRaw(t, h, eas.V161)
	h.Backend.AddUser("mallory", "guess")
	other := h.Client(eas.V161, "phone2")
	other.User, other.Password = "mallory", "guess"
	bridgetest.Sync(t, bridgetest.Checked(t, phone.New(other, phone.Settings{})))
	for _, item := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
		if got := file(t, other, references(item)[0], ""); got.Status != eas.ItemOperationsBadAttachment || len(got.Properties) != 0 {
			t.Errorf("another person got %+v", got)
		}
	}
}

// [MS-ASCMD] "Part": in an answer in parts files travel as they are.
func TestFilesInParts(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("calendar", "e", withFile("e", "Hello\x00world"))
	r := newRaw(t, h, eas.V161)
	var req eas.ItemOperationsRequest
	for _, item := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
		req.Fetches = []eas.FetchRequest{{Store: eas.StoreMailbox, FileReference: references(item)[0]}}
	}
	r.Trace = nil
	answer, _, err := r.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdItemOperations}, Header: http.Header{"Ms-Asacceptmultipart": {"T"}}, Body: mustMarshal(t, &req, eas.V161)})
	if err != nil {
		t.Fatal(err)
	}
	parts := cut(t, answer)
	eastest.Validate(t, parts[0])
	if text := xml(t, parts[0]); len(parts) != 2 || string(parts[1]) != "Hello\x00world" || !strings.Contains(text, ">1</Part>") || strings.Contains(text, "<Data") {
		t.Errorf("%d parts, %q, and\n%s", len(parts), parts[1:], text)
	}
}

// attaching is what a phone sends to add a file.
func attaching(id, name, text string) eas.Element {
	return eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseAdd, eas.T(tag.AirSyncBaseClientId, id), eas.T(tag.AirSyncBaseMethod, "1"),
		eas.T(tag.AirSyncBaseDisplayName, name), eas.Element{Tag: tag.AirSyncBaseContent, Opaque: []byte(text)}))
}

// A phone adds files to a new event and to one that is there, is told their
// names, and takes one away. See [MS-ASAIRS] "ClientId".
func TestPhoneAddsFiles(t *testing.T) {
	for _, v := range []eas.Version{eas.V160, eas.V161} {
		h := bridgetest.Start(t, bridgetest.Options{})
		r := newRaw(t, h, v)
		c := r.collection("Calendar")
		named := func(cmd eas.SyncCommand, id string) (serverID, reference string) {
			t.Helper()
			c.Commands = []eas.SyncCommand{cmd}
			got := r.one(c)
			if len(got.Responses) != 1 || got.Responses[0].Do != cmd.Do || got.Responses[0].Status != eas.SyncOK || len(got.Commands) != 0 {
				t.Fatalf("%s: answered %+v, want the file's name", v, got)
			}
			c.SyncKey = got.SyncKey
			list, _ := got.Responses[0].Data.Find(tag.AirSyncBaseAttachments)
			if len(list.Children) != 1 {
				t.Fatalf("%s: answered %+v, want the file's name", v, got.Responses[0])
			}
			if client, _ := eas.Properties(list.Children[0].Children).Text(tag.AirSyncBaseClientId); client != id {
				t.Errorf("%s: the file's ClientId is %q", v, client)
			}
			return got.Responses[0].ServerID, references(got.Responses[0].Data)[0]
		}
		stored := func() string {
			for _, b := range h.Backend.Items(bridgetest.User, "calendar") {
				return string(b)
			}
			return ""
		}
		event := append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"), attaching("f1", "a.txt", "First"))
		id, first := named(eas.SyncCommand{Do: tag.AirSyncAdd, ClientID: "1", Data: event}, "f1")
		if got := content(t, file(t, r.Client, first, "")); got != "First" {
			t.Errorf("%s: the first file is %q", v, got)
		}
		change := eas.SyncCommand{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{attaching("f2", "b.txt", "Second")}}
		r.Trace = nil // the schema knows no ApplicationData here, unlike [MS-ASCMD] "ApplicationData"
		before := c.SyncKey
		_, second := named(change, "f2")
		c.SyncKey = before // the answer was lost
		if _, again := named(change, "f2"); again != second || strings.Count(stored(), "ATTACH") != 2 {
			t.Errorf("%s: after a lost answer the file is called %q, was %q, in\n%s", v, again, second, stored())
		}
		if got := content(t, file(t, r.Client, second, "")); got != "Second" {
			t.Errorf("%s: the second file is %q", v, got)
		}
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{
			eas.C(tag.AirSyncBaseAttachments, eas.C(tag.AirSyncBaseDelete, eas.T(tag.AirSyncBaseFileReference, first)))}}}
		if got := r.one(c); len(got.Responses) != 0 || strings.Count(stored(), "ATTACH") != 1 || !strings.Contains(stored(), "b.txt") {
			t.Errorf("%s: a file was taken away: %+v and\n%s", v, got, stored())
		}
	}
}

// What somebody else did to an event with files beside a phone's edit stays.
func TestFilesAreNoConflict(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	h.Store("calendar", "e", withFile("e", "Hello, world"))
	r := newRaw(t, h, eas.V161)
	r.Trace = nil // as above
	c := r.collection("Calendar")
	for id := range bridgetest.FolderOf(t, r.phone, "Calendar").Items {
		c.Commands = []eas.SyncCommand{{Do: tag.AirSyncChange, ServerID: id, Data: eas.Properties{eas.T(tag.CalendarLocation, "Here"), attaching("f2", "b.txt", "Second")}}}
	}
	h.Store("calendar", "e", strings.Replace(withFile("e", "Hello, world"), "With a file", "Renamed", 1))
	got := r.one(c)
	if len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncOK || len(references(got.Responses[0].Data)) != 1 || len(got.Commands) != 1 || len(references(got.Commands[0].Data)) != 2 {
		t.Errorf("answered %+v", got)
	}
	if b := string(h.Backend.Items(bridgetest.User, "calendar")[backend.ItemID("e")]); !strings.Contains(b, "Renamed") || strings.Count(b, "ATTACH") != 2 {
		t.Errorf("the event is\n%s", b)
	}
}
