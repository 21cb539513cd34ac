package caldav_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/caldav"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// A scheduler is a server of which nothing works but the principal and its
// outbox. See RFC 6638, appendix B.5.
type scheduler struct {
	addresses []string // hrefs
	outbox    string
	answer    string // to a POST
	status    int
	asked     string // the last POST
}

func (s *scheduler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Method == http.MethodPost && r.URL.Path == "/out/ann/" {
		s.asked = string(body)
		if s.status != 0 {
			w.WriteHeader(s.status)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		io.WriteString(w, s.answer)
		return
	}
	if r.Method != "PROPFIND" {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	props := `<D:current-user-principal><D:href>/p/ann/</D:href></D:current-user-principal><C:calendar-home-set><D:href>/c/ann/</D:href></C:calendar-home-set>`
	if strings.Contains(string(body), "calendar-user-address-set") {
		props = `<D:displayname>Ann Lee</D:displayname><C:calendar-user-address-set>`
		for _, a := range s.addresses {
			props += "<D:href>" + a + "</D:href>"
		}
		props += "</C:calendar-user-address-set>"
		if s.outbox != "" {
			props += "<C:schedule-outbox-URL><D:href>" + s.outbox + "</D:href></C:schedule-outbox-URL>"
		}
	}
	w.WriteHeader(http.StatusMultiStatus)
	fmt.Fprintf(w, `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>%s</D:href>`+
		`<D:propstat><D:prop>%s</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>`, r.URL.EscapedPath(), props)
}

func (s *scheduler) session(t *testing.T) backend.Session {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b, err := caldav.Open(t.Context(), backend.Settings{"url": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	session, err := b.Open(t.Context(), backend.Credentials{User: "ann", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// RFC 6638, section 2.4.1: calendar-user-address-set has addresses of any kind.
func TestIdentityOfThePrincipal(t *testing.T) {
	for _, tt := range []struct {
		name string
		give []string
		want []string
	}{
		{"none", nil, nil},
		{"mail addresses among others", []string{"/p/ann/", "mailto:ann@example.org", "urn:uuid:1", "MAILTO:lee%2Btag@example.org"}, []string{"ann@example.org", "lee+tag@example.org"}},
		{"what cannot be written into a line", []string{"mailto:a%0d%0aX:1@example.org", "mailto:nobody", "mailto:&lt;a@b&gt;"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := (&scheduler{addresses: tt.give}).session(t)
			i, ok := backend.As[backend.Identifier](s)
			if !ok {
				t.Fatal("the session is no Identifier")
			}
			got, err := i.Identity(t.Context())
			if want := (backend.Identity{Name: "Ann Lee", Addresses: tt.want}); !reflect.DeepEqual(got, want) || err != nil {
				t.Errorf("Identity = %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

// Radicale knows no addresses: that is no error.
func TestIdentityAtRadicale(t *testing.T) {
	t.Parallel()
	server := davtest.Radicale(t)
	b, err := caldav.Open(t.Context(), backend.Settings{"url": server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	i, _ := backend.As[backend.Identifier](login(t, b))
	id, err := i.Identity(t.Context())
	if err != nil {
		t.Errorf("Identity: %v", err)
	}
	for _, a := range id.Addresses {
		if !strings.Contains(a, "@") {
			t.Errorf("Identity answers the address %q", a)
		}
	}
	f, _ := backend.As[backend.FreeBusier](login(t, b))
	if _, err := f.FreeBusy(t.Context(), []string{"bob@example.org"}, time.Unix(0, 0), time.Unix(3600, 0)); backend.KindOf(err) != backend.Unsupported {
		t.Errorf("FreeBusy without an outbox: error = %v, want kind Unsupported", err)
	}
}

// RFC 6638, section 5: free and busy times of others by the outbox.
func TestFreeBusyByTheOutbox(t *testing.T) {
	const busy = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\nFREEBUSY:20261201T100000Z/PT1H\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
	part := func(who, status, data string) string {
		return "<C:response><C:recipient><D:href>mailto:" + who + "</D:href></C:recipient><C:request-status>" + status + "</C:request-status>" + data + "</C:response>"
	}
	answer := `<?xml version="1.0"?><C:schedule-response xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">` +
		part("BOB@example.org", "2.0;Success", "<C:calendar-data>"+busy+"</C:calendar-data>") +
		part("eve@example.org", "3.7;Invalid calendar user", "") +
		part("unasked@example.org", "2.0;Success", "<C:calendar-data>"+busy+"</C:calendar-data>") + `</C:schedule-response>`
	from := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		server scheduler
		kind   backend.Kind // of the error
		want   []string
	}{
		{name: "one is known", server: scheduler{outbox: "/out/ann/", answer: answer}, want: []string{"bob@example.org"}},
		{name: "no outbox", kind: backend.Unsupported},
		{name: "an outbox on another host", server: scheduler{outbox: "http://evil.example/out/"}, kind: backend.Other},
		{name: "busy", server: scheduler{outbox: "/out/ann/", status: http.StatusServiceUnavailable}, kind: backend.Transient},
		{name: "no XML", server: scheduler{outbox: "/out/ann/", answer: "<html>"}, kind: backend.Other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.server.addresses = []string{"mailto:ann@example.org"}
			f, ok := backend.As[backend.FreeBusier](tt.server.session(t))
			if !ok {
				t.Fatal("the session is no FreeBusier")
			}
			got, err := f.FreeBusy(t.Context(), []string{"bob@example.org", "eve@example.org", "not an address"}, from, from.Add(24*time.Hour))
			if tt.want == nil {
				if err == nil || backend.KindOf(err) != tt.kind {
					t.Errorf("FreeBusy = %v, error %v, want kind %v", got, err, tt.kind)
				}
				return
			}
			if err != nil || len(got) != len(tt.want) || !strings.Contains(string(got[tt.want[0]]), "20261201T100000Z") {
				t.Errorf("FreeBusy = %q, %v, want %q alone", got, err, tt.want)
			}
			for _, line := range []string{"METHOD:REQUEST", "ORGANIZER:mailto:ann@example.org", "ATTENDEE:mailto:bob@example.org", "DTSTART:20261201T080000Z", "DTEND:20261202T080000Z"} {
				if !strings.Contains(tt.server.asked, line+"\r\n") {
					t.Errorf("the outbox was asked %q, which lacks %s", tt.server.asked, line)
				}
			}
		})
	}
}
