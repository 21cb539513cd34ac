package caldav_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/caldav"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// TestWhoMails: Radicale mails nothing, and a server that says otherwise in its
// DAV header is believed, and not asked each time.
func TestWhoMails(t *testing.T) {
	t.Parallel()
	server := davtest.Radicale(t)
	root, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	calendar := backend.CollectionID(server.Calendar + "#VEVENT")
	for _, tt := range []struct {
		name   string
		header []string // in place of the server's own; nil leaves that
		status int      // in place of the server's own
		want   bool
		kind   backend.Kind // of the error, if there is one
	}{
		{name: "Radicale as it is"},
		{name: "a server that schedules", header: []string{"1, 2, calendar-access, calendar-auto-schedule"}, want: true},
		{name: "in a header of its own", header: []string{"1", "Calendar-Auto-Schedule"}, want: true},
		{name: "a server that only has inboxes", header: []string{"1, calendar-schedule, calendar-auto-schedule-not"}},
		{name: "a server that refuses the question", status: http.StatusMethodNotAllowed},
		{name: "a server that is busy", status: http.StatusServiceUnavailable, kind: backend.Transient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32
			proxy := &httputil.ReverseProxy{
				Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(root) },
				ModifyResponse: func(r *http.Response) error {
					if r.Request.Method != http.MethodOptions {
						return nil
					}
					asked.Add(1)
					if tt.header != nil {
						r.Header["Dav"] = tt.header
					}
					if tt.status != 0 {
						r.StatusCode = tt.status
					}
					return nil
				},
			}
			front := httptest.NewServer(proxy)
			t.Cleanup(front.Close)
			b, err := caldav.Open(t.Context(), backend.Settings{"url": front.URL})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			for range 2 {
				s, ok := backend.As[backend.Scheduler](login(t, b))
				if !ok {
					t.Fatal("the session is no Scheduler")
				}
				got, err := s.Schedules(t.Context(), calendar)
				if got != tt.want || (err != nil) != (tt.kind != backend.Other) || err != nil && backend.KindOf(err) != tt.kind {
					t.Errorf("answered %v, %v", got, err)
				}
			}
			if n := asked.Load(); tt.kind == backend.Other && n != 1 {
				t.Errorf("the server was asked %d times", n)
			}
		})
	}
}
