package easserver_test

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/conformance"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/easserver"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// options asks what there is.
func options(t *testing.T, h *bridgetest.House, user string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, h.URL+easclient.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(user, bridgetest.Password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// What is announced is answered, in every version that knows it; and nothing is
// answered that is not announced.
func TestAnnouncedCommandsAreAnswered(t *testing.T) {
	conformance.Shows(t, "OPTIONS", "HTTP 501")
	h := bridgetest.Start(t, bridgetest.Options{})
	res := options(t, h, bridgetest.User)
	said := make(map[string]bool)
	for _, name := range strings.Split(res.Header.Get("MS-ASProtocolCommands"), ",") {
		said[name] = true
	}
	if versions := res.Header.Get("MS-ASProtocolVersions"); len(strings.Split(versions, ",")) != len(eas.Versions) {
		t.Errorf("versions %q", versions)
	}
	for _, command := range []eas.Command{eas.CmdSync, eas.CmdSendMail, eas.CmdSmartForward, eas.CmdSmartReply, eas.CmdGetAttachment, eas.CmdGetHierarchy,
		eas.CmdFolderSync, eas.CmdFolderCreate, eas.CmdFolderDelete, eas.CmdFolderUpdate, eas.CmdMoveItems, eas.CmdGetItemEstimate, eas.CmdMeetingResponse,
		eas.CmdSearch, eas.CmdSettings, eas.CmdPing, eas.CmdItemOperations, eas.CmdProvision, eas.CmdResolveRecipients, eas.CmdValidateCert, eas.CmdFind} {
		for _, v := range eas.Versions {
			_, _, err := h.Client(v, "phone1").Do(t.Context(), easclient.Call{Query: eas.Query{Command: command}, Body: []byte{3, 1, 0x6a, 0, 0x45, 1}})
			status := http.StatusOK
			if err != nil {
				status, _ = httpStatus(t, err)
			}
			switch {
			case status >= 500 && status != http.StatusNotImplemented:
				t.Errorf("%s in %s: HTTP status %d", command, v, status)
			case said[string(command)] && command.KnownIn(v) && status == http.StatusNotImplemented:
				t.Errorf("%s is announced, and not answered in %s", command, v)
			case !command.KnownIn(v) && status != http.StatusNotImplemented:
				t.Errorf("%s is answered in %s, which does not know it: HTTP status %d", command, v, status)
			case !said[string(command)] && status != http.StatusNotImplemented:
				t.Errorf("%s is answered in %s, and not announced", command, v)
			}
		}
	}
}

// A server that can do something else than before says so to a phone that begins
// with its folders anew, once, and to nobody else.
func TestChangedVersionsAreAnnounced(t *testing.T) {
	conformance.Shows(t, "X-MS-RP")
	state := t.TempDir()
	house := func(last eas.Version) *bridgetest.House {
		o := withRules(t, `max_version = "`+last.String()+`"`)
		profiles := o.Edit
		o.Edit = func(o *bridge.Options) {
			profiles(o)
			o.Config.State = state
		}
		return bridgetest.Start(t, o)
	}
	ask := func(h *bridgetest.House, key, want string) string {
		t.Helper()
		body := mustMarshal(t, &eas.FolderSyncRequest{SyncKey: key}, eas.V121)
		c := h.Client(eas.V121, "phone1")
		c.DeviceType = "odd"
		answer, header, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdFolderSync}, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		if got := header.Get("X-MS-RP"); got != want || (header.Get("MS-ASProtocolCommands") != "") != (want != "") || header.Get("MS-ASProtocolVersions") != want {
			t.Errorf("key %s: X-MS-RP %q with %v, want %q", key, got, header, want)
		}
		var res eas.FolderSyncResponse
		if err := eas.Unmarshal(answer, &res); err != nil {
			t.Fatal(err)
		}
		return res.SyncKey
	}
	const all, old = "2.5,12.0,12.1,14.0,14.1,16.0,16.1", "2.5,12.0,12.1"
	before := house(eas.V121)
	ask(before, "0", "")
	key := ask(before, "0", "")
	after := house(eas.V161)
	key = ask(after, key, "")
	ask(after, "0", all)
	ask(after, "0", "")
	ask(after, key, "")
	ask(house(eas.V121), "0", old)
}

// A phone that goes over to another version keeps what it has.
func TestChangeOfTheVersionIsNoReload(t *testing.T) {
	conformance.Shows(t, "change of version")
	h := bridgetest.Start(t, bridgetest.Options{})
	fill(h)
	c := h.Client(eas.V121, "phone1")
	c.Trace = nil
	p := bridgetest.Checked(t, phone.New(c, phone.Settings{}))
	bridgetest.Sync(t, p)
	for _, v := range []eas.Version{eas.V141, eas.V161, eas.V121, eas.V25} {
		c.Version = v
		for _, e := range bridgetest.Sync(t, p) {
			if e.ServerID != "" && e.Folder != "Notes" { // which 12.1 does not know
				t.Errorf("going over to %s brought %+v", v, e)
			}
		}
	}
	c.Version = eas.V161
	h.Store("contacts", "new", bridgetest.Card("new", "New"))
	bridgetest.Sync(t, p)
	if n := len(bridgetest.FolderOf(t, p, "Contacts").Items); n != 4 {
		t.Errorf("the phone holds %d contacts, want 4", n)
	}
}

// People whose server is elsewhere are sent there, whatever their password is.
func TestElsewhere(t *testing.T) {
	conformance.Shows(t, "HTTP 451")
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Config.Redirects = account.Redirects{{Pattern: "bob", To: "https://b.example.org"}, {Pattern: "*@old.example.org", To: "https://old.example.org/x"}, {Pattern: "*@gone.example.org", To: "{user}@example.net"}}
	}})
	for user, want := range map[string]string{
		"bob": "451 https://b.example.org/Microsoft-Server-ActiveSync", "BOB": "451 https://b.example.org/Microsoft-Server-ActiveSync",
		"ann@old.example.org": "451 https://old.example.org/x", "old.example.org\\ann": "451 https://old.example.org/x",
		"ann@gone.example.org": "451 ", "ann": "200 ", "bobby": "401 ", "ann@example.old.example.org": "401 ",
	} {
		res := options(t, h, user)
		if got := strings.TrimSuffix(res.Status[:3], " ") + " " + res.Header.Get("X-MS-Location"); got != want {
			t.Errorf("%s: %s, want %s", user, got, want)
		}
		c := h.Client(eas.V141, "phone1")
		c.User = user
		_, _, err := c.Do(t.Context(), easclient.Call{Query: eas.Query{Command: eas.CmdFolderSync}, Body: mustMarshal(t, &eas.FolderSyncRequest{SyncKey: "0"}, eas.V141)})
		if want[:3] == "200" {
			if err != nil {
				t.Errorf("%s: %v", user, err)
			}
			continue
		}
		if status, e := httpStatus(t, err); status != res.StatusCode || e.Location != res.Header.Get("X-MS-Location") {
			t.Errorf("%s: FolderSync is answered %d %s", user, status, e.Location)
		}
	}
	if res := options(t, h, ""); res.StatusCode != 401 {
		t.Errorf("without a login: %s", res.Status)
	}
	// The same by Autodiscover.
	ask := func(user string) (int, string) {
		t.Helper()
		body := `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"><Request><EMailAddress>ann@old.example.org</EMailAddress>` +
			`<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema></Request></Autodiscover>`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/autodiscover/autodiscover.xml", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, bridgetest.Password)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var text bytes.Buffer
		text.ReadFrom(res.Body)
		return res.StatusCode, text.String()
	}
	for user, want := range map[string]string{
		"ann@old.example.org": "<Url>https://old.example.org/x</Url>", "ann@gone.example.org": "<Redirect>ann@example.net</Redirect>",
		"bob": "<Url>https://b.example.org/Microsoft-Server-ActiveSync</Url>",
	} {
		if status, text := ask(user); status != 200 || !strings.Contains(text, want) {
			t.Errorf("Autodiscover for %s: %d %s, want %s in it", user, status, text, want)
		}
	}
	if status, text := ask(""); status != 401 || strings.Contains(text, "example") {
		t.Errorf("Autodiscover without a login: %d %s", status, text)
	}
}

// More folders than a phone may name.
func TestTooManyFolders(t *testing.T) {
	conformance.Shows(t, "PingTooManyFolders", "SyncTooManyCollections")
	h := bridgetest.Start(t, bridgetest.Options{})
	ping := eas.PingRequest{HeartbeatInterval: ptr(60)}
	var sync eas.SyncRequest
	for i := range easserver.MaxCollections + 1 {
		id := strconv.Itoa(i + 1)
		ping.Folders = append(ping.Folders, eas.PingFolder{ID: id, Class: "Contacts"})
		sync.Collections = append(sync.Collections, eas.SyncCollection{SyncKey: "0", CollectionID: id})
	}
	for _, v := range bridgetest.Versions {
		r := newRaw(t, h, v)
		if res, err := r.Ping(t.Context(), &ping); err != nil || res.Status != eas.PingTooManyFolders || res.MaxFolders == nil || *res.MaxFolders != easserver.MaxCollections {
			t.Errorf("%s: Ping is answered %+v, %v, want status 6 and the limit", v, res, err)
		}
		if res, err := r.Sync(t.Context(), &sync); err != nil || res.Status != eas.SyncTooManyCollections || v >= eas.V121 && (res.Limit == nil || *res.Limit != easserver.MaxCollections) {
			t.Errorf("%s: Sync is answered %+v, %v, want status 15 and the limit", v, res, err)
		}
	}
}
