package phone

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// timeless replaces what no two runs have in common.
func timeless(s string) string {
	s = regexp.MustCompile(`after (0s|[0-9.]+(µs|ms))`).ReplaceAllString(s, "after a while")
	return regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d`).ReplaceAllString(s, "hh:mm:ss")
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name  string
		bend  func(*fake)
		fails bool
		want  string
	}{
		{"all is well", func(f *fake) { f.items = 120 }, false, `
OPTIONS        logged in after a while; the server speaks 2.5, 12.1, 14.1 and knows 4 commands; using 14.1
Autodiscover   no answer here (easclient: the server answered 404 Not Found); the person has to type the server's address
Provision      accepted; the policy demands nothing
FolderSync     2 folders after a while: Contacts (contacts), Inbox (email)
Sync           Contacts: 120 items after a while
Ping           the server holds it; hung up after 3s
`},
		{"another heartbeat is wanted", func(f *fake) {
			f.items = 1
			least := 60
			f.ping = func(r *http.Request, m eas.PingRequest) eas.PingResponse {
				if *m.HeartbeatInterval != 60 {
					return eas.PingResponse{Status: eas.PingBadHeartbeat, HeartbeatInterval: &least}
				}
				return eas.PingResponse{Status: eas.PingChanges, Folders: []string{"7"}}
			}
		}, false, `
OPTIONS        logged in after a while; the server speaks 2.5, 12.1, 14.1 and knows 4 commands; using 14.1
Autodiscover   no answer here (easclient: the server answered 404 Not Found); the person has to type the server's address
Provision      accepted; the policy demands nothing
FolderSync     2 folders after a while: Contacts (contacts), Inbox (email)
Sync           Contacts: 1 item after a while
Ping           the server wants a heartbeat of 1m0s
Ping           came back after a while: something changed
`},
		{"a folder cannot be synced", func(f *fake) {
			f.sync = func(*eas.SyncRequest) *eas.SyncResponse { return &eas.SyncResponse{Status: eas.SyncProtocol} }
		}, true, `
OPTIONS        logged in after a while; the server speaks 2.5, 12.1, 14.1 and knows 4 commands; using 14.1
Autodiscover   no answer here (easclient: the server answered 404 Not Found); the person has to type the server's address
Provision      accepted; the policy demands nothing
FolderSync     2 folders after a while: Contacts (contacts), Inbox (email)
Sync           FAILED: Contacts: phone: Sync: easclient: Sync was answered with status 4
Ping           not done: there is no folder to watch
`},
		{"a server that breaks rules", func(f *fake) {
			f.folders = func(eas.FolderSyncRequest) *eas.FolderSyncResponse {
				return &eas.FolderSyncResponse{Status: eas.FolderOK, SyncKey: "1", Changes: &eas.FolderChanges{Count: 5}}
			}
		}, false, `
OPTIONS        logged in after a while; the server speaks 2.5, 12.1, 14.1 and knows 4 commands; using 14.1
Autodiscover   no answer here (easclient: the server answered 404 Not Found); the person has to type the server's address
Provision      accepted; the policy demands nothing
FolderSync     0 folders after a while: 
Beware         there is nothing to show: create an address book or a calendar at the server first
Ping           not done: there is no folder to watch
Beware         FolderSync announces 5 changes and brings 0
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				c.bend(f)
				var b bytes.Buffer
				config := f.config()
				config.Version = 0
				if err := Probe(t.Context(), &b, config); (err != nil) != c.fails {
					t.Error(err)
				}
				if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), timeless(b.String())); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestProbeSaysWhatCanBeDone(t *testing.T) {
	f := newFake(t)
	c := f.config()
	c.HTTP = &http.Client{Transport: status(401)}
	var b bytes.Buffer
	err := Probe(t.Context(), &b, c)
	if err == nil || !strings.Contains(b.String(), "FAILED") || !strings.Contains(b.String(), "the name or the password is wrong") {
		t.Errorf("got %v, %s", err, b.String())
	}
}

var richItems = []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "7:1", Data: eas.Properties{
	eas.T(tag.ContactsFirstName, "Ada"), eas.T(tag.ContactsLastName, "Lovelace"),
	eas.C(tag.ContactsCategories, eas.T(tag.ContactsCategory, "A"), eas.T(tag.ContactsCategory, "B"), eas.T(tag.ContactsCategory, "C")),
	eas.C(tag.AirSyncBaseBody, eas.T(tag.AirSyncBaseType, "1"), eas.Element{Tag: tag.AirSyncBaseData, Opaque: []byte("One\nTwo\x1b[1m")}),
	eas.Element{Tag: tag.ContactsPicture, Opaque: []byte{0xFF, 0xD8}},
	eas.T(tag.ContactsWebPage, strings.Repeat("x", 200)),
}}}

func TestPrintSync(t *testing.T) {
	f := newFake(t)
	f.news = richItems
	var b bytes.Buffer
	if err := PrintSync(t.Context(), &b, f.config(), false); err != nil {
		t.Fatal(err)
	}
	want := `Contacts (contacts, folder 7): 1 item
  7:1  Ada Lovelace
      FirstName                  Ada
      LastName                   Lovelace
      Categories
        Category                 A
        Category                 B
        Category                 C
      Body
        Type                     1
        Data                     One Two` + "\uFFFD" + `[1m
      Picture                    /9g=
      WebPage                    ` + strings.Repeat("x", 100) + `... (200 characters)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrintSyncAsJSON(t *testing.T) {
	f := newFake(t)
	f.news = richItems
	var b bytes.Buffer
	if err := PrintSync(t.Context(), &b, f.config(), true); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Folders []struct {
			ID, Name, Class string
			Items           map[string]map[string]any
		}
		Violations []string
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	item := got.Folders[0].Items["7:1"]
	want := map[string]any{
		"FirstName": "Ada", "LastName": "Lovelace", "Picture": "/9g=", "WebPage": strings.Repeat("x", 200),
		"Categories": map[string]any{"Category": []any{"A", "B", "C"}},
		"Body":       map[string]any{"Type": "1", "Data": "One\nTwo\x1b[1m"},
	}
	if diff := cmp.Diff(want, item); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Violations == nil || len(got.Violations) != 0 {
		t.Errorf("violations are %#v, want an empty list", got.Violations)
	}
}

func TestWatchPrintsChangesAsTheyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.items = 2
		woken := false
		f.ping = func(r *http.Request, m eas.PingRequest) eas.PingResponse {
			if woken {
				hold(r, time.Hour)
				return eas.PingResponse{}
			}
			woken = true
			hold(r, time.Second)
			f.news = []eas.SyncCommand{
				{Do: tag.AirSyncAdd, ServerID: "7:9", Data: card("New")},
				{Do: tag.AirSyncChange, ServerID: "7:1", Data: card("Changed")},
				{Do: tag.AirSyncDelete, ServerID: "7:2"},
			}
			return eas.PingResponse{Status: eas.PingChanges, Folders: []string{"7"}}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var b bytes.Buffer
		if err := Watch(ctx, &b, f.config()); err != nil {
			t.Fatal(err)
		}
		want := `hh:mm:ss  holding 2 items in 2 folders; waiting for changes (heartbeat 480 s)
hh:mm:ss  + Contacts: New
hh:mm:ss  * Contacts: Changed
hh:mm:ss  - Contacts: Card 2
`
		if diff := cmp.Diff(want, timeless(b.String())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A flaky server is not there for the second and third Ping.
type flaky struct {
	fake  *fake
	pings int
}

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.RawQuery, "Cmd=Ping") {
		if f.pings++; f.pings == 2 || f.pings == 3 {
			return nil, syscall.ECONNREFUSED
		}
	}
	return f.fake.RoundTrip(r)
}

func TestWatchSaysWhenTheServerIsThereAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.items = 2
		f.ping = func(r *http.Request, m eas.PingRequest) eas.PingResponse {
			hold(r, 8*time.Minute)
			return eas.PingResponse{Status: eas.PingExpired}
		}
		c := f.config()
		c.HTTP = &http.Client{Transport: &flaky{fake: f}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var b bytes.Buffer
		if err := Watch(ctx, &b, c); err != nil {
			t.Fatal(err)
		}
		want := `hh:mm:ss  holding 2 items in 2 folders; waiting for changes (heartbeat 480 s)
hh:mm:ss  the heartbeat is 13m0s now
hh:mm:ss  phone: Ping: easclient: connection refused: nothing listens there; is the port right, and does the web server run? (trying again)
hh:mm:ss  phone: Ping: easclient: connection refused: nothing listens there; is the port right, and does the web server run? (trying again)
hh:mm:ss  the server is there again; waiting for changes
`
		if diff := cmp.Diff(want, timeless(b.String())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"a wrong password", &easclient.HTTPError{Status: 401}, "the password is wrong"},
		{"plain HTTP where TLS is spoken", &easclient.HTTPError{Status: 400, Excerpt: "The plain HTTP request was sent to HTTPS port"}, "https://"},
		{"another kind of bad request", &easclient.HTTPError{Status: 400, Excerpt: "no"}, "malformed"},
		{"a certificate of its own making", &tls.CertificateVerificationError{Err: errors.New("x")}, "--insecure"},
		{"TLS where plain HTTP is spoken", http.ErrSchemeMismatch, "http://"},
		{"TLS where something else is spoken", tls.RecordHeaderError{}, "http://"},
		{"a name that is not known", &net.DNSError{}, "name right"},
		{"a closed port", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "nothing listens"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Explain(fmt.Errorf("easclient: %w", tt.err))
			if !strings.Contains(got.Error(), tt.want) || got.Error() == tt.want {
				t.Errorf("it says %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestExplainKeepsTheError(t *testing.T) {
	why := errors.New("x")
	if got := Explain(why); !errors.Is(got, why) || got.Error() != "x" {
		t.Errorf("got %v", got)
	}
}

func TestTitles(t *testing.T) {
	for want, item := range map[string]eas.Properties{
		"Ada Lovelace":     {eas.T(tag.ContactsFirstName, "Ada"), eas.T(tag.ContactsLastName, "Lovelace")},
		"L, A":             {eas.T(tag.ContactsFirstName, "Ada"), eas.T(tag.ContactsFileAs, "L, A")},
		"Lunch":            {eas.T(tag.CalendarSubject, "Lunch")},
		"Wash up":          {eas.T(tag.TasksSubject, "Wash up")},
		"Idea":             {eas.T(tag.NotesSubject, "Idea")},
		"(without a name)": nil,
	} {
		if got := Title(item); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Somebody who looks at what a phone holds, while another window watches, must
// not be taken for the phone that waits there.
func TestEachPurposeIsAPhoneOfItsOwn(t *testing.T) {
	c := Config{URL: "https://mail.example.org", User: "ada"}
	watch, again, sync := c.client("watch").DeviceID, c.client("watch").DeviceID, c.client("sync").DeviceID
	if watch != again || watch == sync {
		t.Errorf("the devices are %s, %s and %s, want the first two alike and the third another one", watch, again, sync)
	}
	if c.DeviceID = "MINE"; c.client("watch").DeviceID != "MINE" || c.client("sync").DeviceID != "MINE" {
		t.Error("the device that somebody asked for is not used")
	}
}

func TestWatchShowsMailAsItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.items = 1
		came := false
		f.ping = func(r *http.Request, m eas.PingRequest) eas.PingResponse {
			if came {
				hold(r, time.Hour)
				return eas.PingResponse{}
			}
			hold(r, time.Second)
			came = true
			return eas.PingResponse{Status: eas.PingChanges, Folders: []string{inbox}}
		}
		filter := -1
		f.sync = func(m *eas.SyncRequest) *eas.SyncResponse {
			c := m.Collections[0]
			if c.CollectionID != inbox || !came || c.SyncKey != "1" {
				return nil
			}
			if c.Options != nil && c.Options[0].FilterType != nil {
				filter = *c.Options[0].FilterType
			}
			return &eas.SyncResponse{Collections: []eas.SyncResult{{
				CollectionID: inbox, Status: eas.SyncOK, SyncKey: "2",
				Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ServerID: "2:1", Data: eas.Properties{eas.T(tag.EmailSubject, "First mail")}}},
			}}}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var b bytes.Buffer
		if err := Watch(ctx, &b, f.config()); err != nil {
			t.Fatal(err)
		}
		want := `hh:mm:ss  holding 1 item in 2 folders; waiting for changes (heartbeat 480 s)
hh:mm:ss  + Inbox: First mail
`
		if diff := cmp.Diff(want, timeless(b.String())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if filter != 3 {
			t.Errorf("the inbox is asked for with the FilterType %d, want 3, a week: a watch is no download of everything", filter)
		}
	})
}
