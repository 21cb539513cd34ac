package caldav_test

import (
	"fmt"
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

// TestProbeCounts counts what the tags of a person's calendars cost: one request
// for all where the server has them at hand, and one for each at Radicale, which
// would look at everything else in the home set, too.
func TestProbeCounts(t *testing.T) {
	t.Parallel()
	const calendars = 5
	for _, tc := range []struct {
		name           string
		start          func(testing.TB, ...davtest.Option) *davtest.Server
		single, listed int32
	}{
		{"radicale", davtest.Radicale, calendars, 0},
		{"xandikos", davtest.Xandikos, 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := tc.start(t)
			origin, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			var single, listed atomic.Int32
			proxy := httputil.NewSingleHostReverseProxy(origin)
			counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "PROPFIND" && r.Header.Get("Depth") == "1" {
					listed.Add(1)
				} else {
					single.Add(1)
				}
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(counting.Close)
			b, err := caldav.Open(t.Context(), backend.Settings{"url": counting.URL + "/"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			home := "/ann/"
			if tc.name == "xandikos" {
				home = "/ann/calendars/"
			}
			var ids []backend.CollectionID
			for i := range calendars {
				path := fmt.Sprintf("%sprobe%d/", home, i)
				server.MakeCalendar(path, "Probe", "VEVENT")
				server.Put(path+"a.ics", object("VEVENT", "a", "first"))
				ids = append(ids, backend.CollectionID(path+"#VEVENT"))
			}
			s := login(t, b)
			probe := func(cs ...backend.CollectionID) map[backend.CollectionID]string {
				t.Helper()
				tags, err := s.(backend.Prober).Probe(t.Context(), cs)
				if err != nil {
					t.Fatal(err)
				}
				return tags
			}
			before := probe(ids...) // finds out what the server is like
			single.Store(0)
			listed.Store(0)
			again := probe(ids...)
			if s, l := single.Load(), listed.Load(); s != tc.single || l != tc.listed {
				t.Errorf("%d single requests and %d listings, want %d and %d", s, l, tc.single, tc.listed)
			}
			server.Put(fmt.Sprintf("%sprobe3/b.ics", home), object("VEVENT", "b", "second"))
			gone := ids[0][:len("/")] + "none/#VEVENT"
			after := probe(append(ids, gone)...)
			for i, id := range ids {
				if before[id] == "" || again[id] != before[id] || (after[id] != before[id]) != (i == 3) {
					t.Errorf("the tags of %s are %q, %q and %q, want a new one in the end: %v", id, before[id], again[id], after[id], i == 3)
				}
				if one := probe(id); one[id] != after[id] {
					t.Errorf("the tag of %s alone is %q, and among others %q", id, one[id], after[id])
				}
			}
			if _, there := after[gone]; there {
				t.Errorf("a collection that is gone has a tag")
			}
		})
	}
}
