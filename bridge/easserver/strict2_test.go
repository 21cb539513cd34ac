package easserver_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

func when(s, e string) eas.Properties {
	return eas.Properties{eas.T(tag.CalendarStartTime, s), eas.T(tag.CalendarEndTime, e)}
}

// What contradicts itself is status 6 and is not stored. See [MS-ASCAL]
// "Recurrence" and [MS-ASCNTC] "Picture".
func TestItemsThatContradictThemselves(t *testing.T) {
	rule := func(children ...eas.Element) eas.Properties {
		return append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"), eas.C(tag.CalendarRecurrence, children...))
	}
	e := eas.T
	for _, tt := range []struct {
		name, class string
		item        eas.Properties
	}{
		{"DayOfMonth in a daily rule", "Calendar", rule(e(tag.CalendarType, "0"), e(tag.CalendarDayOfMonth, "3"))},
		{"a type that there is not", "Calendar", rule(e(tag.CalendarType, "4"))},
		{"no type", "Calendar", rule(e(tag.CalendarInterval, "1"))},
		{"weekly on no day", "Calendar", rule(e(tag.CalendarType, "1"), e(tag.CalendarDayOfWeek, "0"))},
		{"monthly on day 32", "Calendar", rule(e(tag.CalendarType, "2"), e(tag.CalendarDayOfMonth, "32"))},
		{"yearly in month 13", "Calendar", rule(e(tag.CalendarType, "5"), e(tag.CalendarDayOfMonth, "1"), e(tag.CalendarMonthOfYear, "13"))},
		{"the sixth Monday", "Calendar", rule(e(tag.CalendarType, "3"), e(tag.CalendarDayOfWeek, "2"), e(tag.CalendarWeekOfMonth, "6"))},
		{"an interval that is no number", "Calendar", rule(e(tag.CalendarType, "0"), e(tag.CalendarInterval, "often"))},
		{"the end before the start", "Calendar", append(when("20261201T110000Z", "20261201T100000Z"), e(tag.CalendarSubject, "S"))},
		{"a start that is no time", "Calendar", append(when("tomorrow", "20261201T100000Z"), e(tag.CalendarSubject, "S"))},
		{"a task's rule without a start", "Tasks", eas.Properties{e(tag.TasksSubject, "S"), eas.C(tag.TasksRecurrence, e(tag.TasksType, "0"), e(tag.TasksDayOfMonth, "3"))}},
		{"a picture that is too large", "Contacts", append(lastName("X"), e(tag.ContactsPicture, base64.StdEncoding.EncodeToString(make([]byte, 60_000))))},
		{"a birthday that is none", "Contacts", append(lastName("X"), e(tag.ContactsBirthday, "long ago"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, v := range bridgetest.Versions {
				h := bridgetest.Start(t, bridgetest.Options{})
				r := newRaw(t, h, v)
				c := r.collection(tt.class)
				c.Commands = []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "1", Data: tt.item}}
				got := r.one(c)
				if got.Status != eas.SyncOK || len(got.Responses) != 1 || got.Responses[0].Status != eas.SyncBadItem || got.Responses[0].ServerID != "" {
					t.Errorf("%s: answered %+v, want status 6", v, got)
				}
				for _, c := range []backend.CollectionID{"calendar", "tasks", "contacts"} {
					if n := len(h.Backend.Items(bridgetest.User, c)); n != 0 {
						t.Errorf("%s: %d items were stored", v, n)
					}
				}
			}
		})
	}
}

// What a phone leaves out of a new item is there when another phone gets it.
func TestWhatIsMadeUp(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		one, two := h.Phone(v, "phone1", phone.Settings{}), h.Phone(v, "phone2", phone.Settings{})
		bridgetest.Sync(t, one)
		rule := eas.C(tag.CalendarRecurrence, eas.T(tag.CalendarType, "1"), eas.T(tag.CalendarInterval, "1"), eas.T(tag.CalendarDayOfWeek, "4"), eas.T(tag.CalendarOccurrences, "5"))
		if _, err := one.Add(bridgetest.FolderOf(t, one, "Calendar").ServerID, append(when("20261201T100000Z", "20261201T110000Z"), eas.T(tag.CalendarSubject, "S"), rule)); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, one)
		bridgetest.Sync(t, two)
		for _, item := range bridgetest.FolderOf(t, two, "Calendar").Items {
			want := []wbxml.Tag{tag.CalendarDtStamp, tag.CalendarStartTime, tag.CalendarEndTime, tag.CalendarUID, tag.CalendarSensitivity, tag.CalendarBusyStatus, tag.CalendarAllDayEvent, tag.CalendarMeetingStatus}
			if v < eas.V160 {
				want = append(want, tag.CalendarTimezone)
			}
			for _, w := range want {
				if _, ok := item.Find(w); !ok {
					t.Errorf("the event has no %s", tag.Name(w))
				}
			}
			r, _ := item.Find(tag.CalendarRecurrence)
			inner := eas.Properties(r.Children)
			_, until := inner.Find(tag.CalendarUntil)
			_, occurrences := inner.Find(tag.CalendarOccurrences)
			_, first := inner.Find(tag.CalendarFirstDayOfWeek)
			if until == occurrences || v >= eas.V141 && !first {
				t.Errorf("the rule is %v", inner)
			}
		}
	})
}

// [MS-ASAIRS] "TruncationSize (BodyPreference)", as small as it gets.
func TestTruncation(t *testing.T) {
	for _, v := range []eas.Version{eas.V121, eas.V141, eas.V161} {
		for _, tt := range []struct {
			prefs []eas.BodyPreference
			data  string
			cut   bool
			none  bool
		}{
			{[]eas.BodyPreference{{Type: 1, TruncationSize: ptr(8)}}, "What is ", true, false},
			{[]eas.BodyPreference{{Type: 1, TruncationSize: ptr(0)}}, "", true, true},
			{[]eas.BodyPreference{{Type: 1}}, "What is to be noted", false, false},
			{[]eas.BodyPreference{{Type: 1, TruncationSize: ptr(8), AllOrNone: true}}, "", true, true},
			{nil, "What is to be noted", false, false},
		} {
			h := bridgetest.Start(t, bridgetest.Options{})
			h.Store("calendar", "e", strings.Replace(bridgetest.Event("e", "E", time.Now().Add(time.Hour)), "X-KEEP", "DESCRIPTION:What is to be noted\r\nX-KEEP", 1))
			r := newRaw(t, h, v)
			c := r.collection("Calendar")
			c.SyncKey, c.Options = "0", []eas.SyncOptions{{BodyPreferences: tt.prefs}}
			c.SyncKey = r.one(c).SyncKey
			c.Options = nil // it sticks
			got := r.one(c)
			body, _ := got.Commands[0].Data.Find(tag.AirSyncBaseBody)
			inner := eas.Properties(body.Children)
			data, has := inner.Text(tag.AirSyncBaseData)
			truncated, _ := inner.Text(tag.AirSyncBaseTruncated)
			size, _ := inner.Text(tag.AirSyncBaseEstimatedDataSize)
			if data != tt.data || (truncated == "1") != tt.cut || size != "19" || tt.none == has && data != "" {
				t.Errorf("%s: body %v for %+v, want %q, truncated %v, of 19 bytes", v, inner, tt.prefs, tt.data, tt.cut)
			}
		}
	}
}

// [MS-ASCMD] "WindowSize": of a folder and of the whole, 0 and too much mean 512.
func TestWindows(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	for i := range 600 {
		h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "N"))
	}
	h.Store("tasks", "t", bridgetest.Task("t", "T"))
	for i, tt := range []struct {
		name          string
		folder, whole *int
		contacts      int
		tasks         int
	}{
		{"nothing said", nil, nil, 100, 1},
		{"a folder's", ptr(3), nil, 3, 1},
		{"the whole's", ptr(30), ptr(7), 7, 0},
		{"the whole's, not used up", ptr(3), ptr(4), 3, 1},
		{"0", ptr(0), nil, 512, 0},
		{"too much", ptr(9999), ptr(0), 512, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := h.Client(eas.V141, fmt.Sprint("phone", i))
			r := &raw{t, c, phone.New(c, phone.Settings{})}
			if _, err := r.phone.FolderSync(t.Context()); err != nil {
				t.Fatal(err)
			}
			contacts, tasks := r.collection("Contacts"), r.collection("Tasks")
			contacts.SyncKey, tasks.SyncKey = "0", "0"
			primed := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, tasks}})
			contacts.SyncKey, tasks.SyncKey = primed.Collections[0].SyncKey, primed.Collections[1].SyncKey
			contacts.WindowSize = tt.folder
			res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{contacts, tasks}, WindowSize: tt.whole})
			n := map[string]int{}
			for _, c := range res.Collections {
				n[c.CollectionID] = len(c.Commands)
				if c.CollectionID == contacts.CollectionID && (!c.MoreAvailable || c.SyncKey == contacts.SyncKey) {
					t.Errorf("the contacts' answer has MoreAvailable %v and key %s after %s", c.MoreAvailable, c.SyncKey, contacts.SyncKey)
				}
				if c.CollectionID == tasks.CollectionID && c.MoreAvailable != (tt.tasks == 0) {
					t.Errorf("the tasks' answer has MoreAvailable %v", c.MoreAvailable)
				}
			}
			if n[contacts.CollectionID] != tt.contacts || n[tasks.CollectionID] != tt.tasks {
				t.Errorf("%d contacts and %d tasks, want %d and %d", n[contacts.CollectionID], n[tasks.CollectionID], tt.contacts, tt.tasks)
			}
		})
	}
}

// [MS-ASCMD] "Wait" and "HeartbeatInterval (Sync)": the bounds are said in the
// request's unit.
func TestBoundsOfWaiting(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Heartbeat.Min, o.Config.Heartbeat.Max = 90*time.Second, 1800*time.Second
	}})
	for _, tt := range []struct {
		v               eas.Version
		wait, heartbeat *int
		limit           int
	}{
		{eas.V121, ptr(1), nil, 2}, {eas.V121, ptr(31), nil, 30}, {eas.V141, nil, ptr(89), 90}, {eas.V161, nil, ptr(1801), 1800}, {eas.V141, ptr(0), nil, 2},
	} {
		r := newRaw(t, h, tt.v)
		res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{r.collection("Contacts")}, Wait: tt.wait, HeartbeatInterval: tt.heartbeat})
		if res == nil || res.Status != eas.SyncBadWait || res.Limit == nil || *res.Limit != tt.limit {
			t.Errorf("%s: answered %+v, want status 14 and the limit %d", tt.v, res, tt.limit)
		}
	}
}

// Options last until others come; these replace them as a whole.
func TestOptionsStick(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	old := func(i int) string {
		return bridgetest.Event(fmt.Sprint("old", i), "Old", time.Now().AddDate(0, 0, -60))
	}
	h.Store("calendar", "old1", old(1))
	r := newRaw(t, h, eas.V141)
	c := r.collection("Calendar")
	c.SyncKey, c.Options = "0", []eas.SyncOptions{{FilterType: ptr(4)}, {Class: "SMS", FilterType: ptr(0)}}
	c.SyncKey = r.one(c).SyncKey
	c.Options = nil
	if res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{c}}); res != nil && len(res.Collections) > 0 {
		t.Errorf("answered %+v, want nothing: the filter of the first request sticks, and that for SMS is not for events", res)
	}
	c.Options = []eas.SyncOptions{{}}
	if got := r.one(c); len(got.Commands) != 1 {
		t.Errorf("empty options were answered %+v, want the old event", got)
	}
}

// One of two backends is down: the other's folders are served.
func TestOneOfTwoBackendsIsDown(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		second := memory.New()
		second.AddUser(bridgetest.User, bridgetest.Password)
		second.SetCollection(bridgetest.User, backend.Collection{ID: "work", Kind: backend.Contacts, Name: "Work"})
		down := func() {
			for _, op := range []memory.Op{memory.OpChanges, memory.OpGet, memory.OpCollections, memory.OpPut, memory.OpProbe} {
				second.Fail(memory.Failure{Op: op, Err: backend.Errorf(backend.Transient, "memory", "down"), Times: -1})
			}
		}
		h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
			o.Backends = append(o.Backends, account.Named{Name: "second", Backend: second})
		}})
		down()
		p := h.Phone(v, "phone1", phone.Settings{})
		bridgetest.Sync(t, p)
		before := len(p.Folders())
		second.Mend()
		if _, err := p.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		var work string
		for _, f := range p.Folders() {
			if f.DisplayName == "Work" {
				work = f.ServerID
			}
		}
		if len(p.Folders()) <= before || work == "" {
			t.Fatalf("the second backend came up, and the phone has the folders %v", p.Folders())
		}
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		second.Store(bridgetest.User, "work", "w", []byte(bridgetest.Card("w", "W")))
		down()
		if _, err := p.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Folder(work); !ok {
			t.Error("a backend that is down lost its folder")
		}
		r := &raw{t, h.Client(v, "phone1"), p}
		f, _ := p.Folder(work)
		res := r.sync(&eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: work}, r.collection("Contacts")}})
		if len(res.Collections) != 1 || len(res.Collections[0].Commands) != 1 {
			t.Errorf("answered %+v, want the folder whose backend is up", res)
		}
	})
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

// The wire below the commands. See [MS-ASHTTP].
func TestWire(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{Edit: requirePolicy})
	for i := range 50 {
		h.Store("contacts", backend.ItemID(fmt.Sprint(i)), bridgetest.Card(fmt.Sprint(i), "N"))
	}
	r := newRaw(t, h, eas.V141)
	key := r.PolicyKey
	do := func(method, query, user string, header http.Header, body []byte) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, h.URL+"/Microsoft-Server-ActiveSync"+query, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range header {
			req.Header[name] = values
		}
		if user != "" {
			req.SetBasicAuth(user, bridgetest.Password)
		}
		res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, text
	}
	typ := http.Header{"Content-Type": {"application/vnd.ms-sync.wbxml"}}
	folders := mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, eas.V141)

	res, _ := do("OPTIONS", "", "", nil, nil)
	if res.StatusCode != 401 || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), `Basic realm="`) {
		t.Errorf("OPTIONS without a login: %d %v", res.StatusCode, res.Header)
	}
	for _, user := range []string{"ann", "ANN\\ann", "EXAMPLE\\ann", "ann@example.org"} {
		if res, _ = do("OPTIONS", "", user, nil, nil); res.StatusCode != 200 && user == "ann" {
			t.Errorf("OPTIONS as %s: %d", user, res.StatusCode)
		}
	}
	res, text := do("OPTIONS", "?Cmd=OPTIONS&User=ann&DeviceId=x&DeviceType=y", "ann", nil, nil)
	if res.StatusCode != 200 || len(text) != 0 || res.Header.Get("Content-Length") != "0" || res.Header["Content-Type"] != nil ||
		res.Header.Get("MS-ASProtocolVersions") != "2.5,12.0,12.1,14.0,14.1,16.0,16.1" || res.Header.Get("MS-Server-ActiveSync") == "" || res.Header.Get("X-MS-RP") != "" {
		t.Errorf("OPTIONS: %d %v", res.StatusCode, res.Header)
	}
	for _, command := range strings.Split(res.Header.Get("MS-ASProtocolCommands"), ",") {
		if res, text = do("POST", "?Cmd="+command+"&User=ann&DeviceId=phone1&DeviceType=t", "ann", http.Header{"Ms-Asprotocolversion": {"14.1"}}, nil); res.StatusCode == 501 || res.StatusCode >= 500 {
			t.Errorf("%s is announced, and answered %d %s", command, res.StatusCode, text)
		}
	}
	for _, method := range []string{"GET", "HEAD", "PUT"} {
		if res, _ = do(method, "", "ann", nil, nil); res.StatusCode != 405 || res.Header.Get("Allow") == "" {
			t.Errorf("%s: %d %v", method, res.StatusCode, res.Header)
		}
	}
	// The policy key in a base64 query and in the header.
	query := eas.Query{Base64: true, Version: eas.V141, Command: eas.CmdFolderSync, DeviceID: "phone1", DeviceType: "t", PolicyKey: &key}
	encoded, err := query.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{encoded, strings.TrimRight(encoded, "="), strings.NewReplacer("+", "-", "/", "_").Replace(encoded), strings.ReplaceAll(encoded, "=", "%3D")} {
		if res, text = do("POST", "?"+q, "ann", typ, folders); res.StatusCode != 200 || !strings.Contains(xml(t, text), "<Count>") {
			t.Errorf("the query %s: %d %s", q, res.StatusCode, xml(t, text))
		}
	}
	plain := http.Header{"Content-Type": {"application/vnd.ms-sync"}, "Ms-Asprotocolversion": {"14.1"}, "X-Ms-Policykey": {fmt.Sprint(key)}, "Expect": {"100-continue"}}
	for _, q := range []string{"?Cmd=FolderSync&User=ann&DeviceId=phone1&DeviceType=t", "?DeviceID=phone1&devicetype=t&CMD=foldersync&User=somebody"} {
		if res, text = do("POST", q, "ann", plain, folders); res.StatusCode != 200 || !strings.Contains(xml(t, text), "<Count>") {
			t.Errorf("the query %s: %d %s", q, res.StatusCode, xml(t, text))
		}
	}
	// Compression is for those who ask.
	c := r.collection("Contacts")
	c.SyncKey = "0"
	c.SyncKey = r.one(c).SyncKey
	sync := mustMarshal(t, &eas.SyncRequest{Collections: []eas.SyncCollection{c}}, eas.V141)
	plain.Set("Accept-Encoding", "gzip, deflate")
	res, text = do("POST", "?Cmd=Sync&User=ann&DeviceId=phone1&DeviceType=t", "ann", plain, sync)
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("Sync with gzip: %d %v", res.StatusCode, res.Header)
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(z); err != nil || !strings.Contains(xml(t, text), "<Add>") {
		t.Errorf("what was compressed is %v %s", err, xml(t, text))
	}
	plain.Set("Accept-Encoding", "identity")
	if res, again := do("POST", "?Cmd=Sync&User=ann&DeviceId=phone1&DeviceType=t", "ann", plain, sync); res.Header.Get("Content-Encoding") != "" || !bytes.Equal(again, text) {
		t.Errorf("the same request without gzip: %v", res.Header)
	}
}

// A contact that turns into a group leaves the phones, and comes back as a
// contact.
func TestItemThatIsNoLongerShown(t *testing.T) {
	inEachVersion(t, func(t *testing.T, v eas.Version) {
		h := bridgetest.Start(t, bridgetest.Options{})
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		r := newRaw(t, h, v)
		var id string
		for id = range bridgetest.FolderOf(t, r.phone, "Contacts").Items {
		}
		h.Store("contacts", "c", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nKIND:group\r\nFN:C\r\nMEMBER:urn:uuid:1\r\nEND:VCARD\r\n")
		c := r.collection("Contacts")
		c.Commands, c.GetChanges = []eas.SyncCommand{{Do: tag.AirSyncFetch, ServerID: id}, {Do: tag.AirSyncChange, ServerID: id, Data: lastName("X")}}, ptr(false)
		for _, o := range r.one(c).Responses {
			if o.Status == eas.SyncOK {
				t.Errorf("the phone was answered %+v for a group", o)
			}
		}
		r.phone = bridgetest.Checked(t, phone.New(r.Client, phone.Settings{}))
		h.Store("contacts", "c", bridgetest.Card("c", "C"))
		bridgetest.Sync(t, r.phone)
		h.Store("contacts", "c", "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nKIND:group\r\nFN:C\r\nMEMBER:urn:uuid:1\r\nEND:VCARD\r\n")
		bridgetest.Sync(t, r.phone)
		if n := len(bridgetest.FolderOf(t, r.phone, "Contacts").Items); n != 0 {
			t.Errorf("the phone holds %d contacts, want none: it is a group now", n)
		}
		h.Store("contacts", "c", bridgetest.Card("c", "Again"))
		bridgetest.Sync(t, r.phone)
		if n := len(bridgetest.FolderOf(t, r.phone, "Contacts").Items); n != 1 {
			t.Errorf("the phone holds %d contacts, want the one that came back", n)
		}
	})
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

// A folder of which a phone wants no news does not end its wait.
func TestWaitingWithoutWantingNews(t *testing.T) {
	h := bridgetest.Start(t, bridgetest.Options{})
	r := newRaw(t, h, eas.V141)
	c, tasks := r.collection("Contacts"), r.collection("Tasks")
	c.GetChanges = ptr(false)
	answered := make(chan *eas.SyncResponse, 1)
	go func() {
		res, err := r.Sync(t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{c, tasks}, HeartbeatInterval: ptr(3000)})
		if err != nil {
			t.Errorf("Sync: %v", err)
		}
		answered <- res
	}()
	await(t, "the Sync waits", func() bool { return h.Bridge.Waiting() == 1 })
	one := h.Phone(eas.V141, "phone2", phone.Settings{})
	bridgetest.Sync(t, one)
	if _, err := one.Add(c.CollectionID, lastName("X")); err != nil {
		t.Fatal(err)
	}
	bridgetest.Sync(t, one)
	h.Store("tasks", "t", bridgetest.Task("t", "T"))
	if res := <-answered; res == nil || len(res.Collections) != 1 || res.Collections[0].CollectionID != tasks.CollectionID {
		t.Errorf("answered %+v, want the task", res)
	}
}
