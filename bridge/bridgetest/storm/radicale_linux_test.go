package storm_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// library is a shelf of Radicale's.
type library struct {
	*davtest.Server
	*ford
	paths map[backend.CollectionKind]string
}

func (library) Rewrites()                {}
func (library) Backend() backend.Backend { return nil }
func (library) Recover() error           { return nil }

func (s library) Collection(k backend.CollectionKind) backend.CollectionID {
	return backend.CollectionID(s.paths[k])
}

func (s library) Forget(c backend.CollectionID) { s.Server.Forget(string(c)) }

func (s library) Stumble() string {
	s.Restart()
	return "Radicale is killed and started again"
}

func (s library) Store(c backend.CollectionID, id backend.ItemID, body []byte) error {
	s.Put(string(c)+string(id), string(body))
	return nil
}

func (s library) Remove(c backend.CollectionID, id backend.ItemID) error {
	r, err := s.Do("DELETE", string(c)+string(id), nil)
	if err == nil && r.Status/100 != 2 && r.Status != http.StatusNotFound {
		err = fmt.Errorf("status %d", r.Status)
	}
	return err
}

const (
	allCards = `<C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:prop><C:address-data/></D:prop></C:addressbook-query>`
	allTimes = `<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-data/></D:prop>` +
		`<C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`
)

// Items asks for all at once. See RFC 6352, section 8.6, and RFC 4791, section
// 7.8.
func (s library) Items(c backend.CollectionID) (map[backend.ItemID][]byte, error) {
	report := allTimes
	if string(c) == s.paths[backend.Contacts] {
		report = allCards
	}
	r, err := s.Do("REPORT", string(c), []byte(report), "Depth", "1", "Content-Type", "application/xml; charset=utf-8")
	if err != nil {
		return nil, err
	}
	var all struct {
		Response []struct {
			Href  string `xml:"href"`
			Card  string `xml:"propstat>prop>address-data"`
			Event string `xml:"propstat>prop>calendar-data"`
		} `xml:"response"`
	}
	if err := xml.Unmarshal(r.Body, &all); err != nil || r.Status != http.StatusMultiStatus {
		return nil, fmt.Errorf("status %d, %w", r.Status, err)
	}
	items := make(map[backend.ItemID][]byte)
	for _, one := range all.Response {
		body := strings.ReplaceAll(one.Card+one.Event, "\n", "\r\n") // XML has no other line ends
		items[backend.ItemID(strings.TrimPrefix(one.Href, string(c)))] = []byte(body)
	}
	return items, nil
}

// onRadicale is a worker behind FastCGI that serves what a Radicale has.
func onRadicale(t *testing.T) storm.Options {
	t.Helper()
	s := davtest.Radicale(t)
	s.Delete(s.Calendar)
	f := cross(t, s.URL)
	address := "unix:" + fcgitest.SocketPath(t)
	w := newWorker(t, fmt.Sprintf("listen = %q", address), fcgitest.Transport{Addr: address}, s.Password,
		fmt.Sprintf("[backend.contacts]\nplugin = \"carddav\"\nurl = %q\n[backend.calendar]\nplugin = \"caldav\"\nurl = %q\n", f.url, f.url))
	return storm.Options{Worker: w, Awake: true, Shelf: library{s, f, map[backend.CollectionKind]string{
		backend.Contacts: s.AddressBook, backend.Events: s.Events, backend.Tasks: s.Tasks, backend.Notes: s.Notes}}}
}

// A ford is where requests cross to a server, or do not.
type ford struct {
	url    string
	server *url.URL

	mu     sync.Mutex
	calm   bool
	chance *rand.Rand
	status int                             // of every answer; 0 lets them pass
	empty  map[backend.CollectionID]func() // what is to show empty, and who is told
	played map[string]int                  // how often what was played
}

// cross starts a ford in front of a server.
func cross(t *testing.T, server string) *ford {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	f := &ford{server: to, calm: true, chance: rand.New(rand.NewPCG(1, 1)),
		empty: make(map[backend.CollectionID]func()), played: make(map[string]int)}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL + "/"
	return f
}

// Still turns the faults off, or on.
func (f *ford) Still(calm bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calm = calm; calm {
		f.status = 0
		clear(f.empty)
	}
}

// Suffer answers everything with a status.
func (f *ford) Suffer(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

// Empty lets a collection show empty once.
func (f *ford) Empty(c backend.CollectionID, told func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.calm {
		f.empty[c] = told
	}
}

// suffers answers a request as the server would in an outage, if there is one.
func (f *ford) suffers(w http.ResponseWriter, r *http.Request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	writes := slices.Contains([]string{http.MethodPut, "MOVE", "MKCOL", "PROPPATCH"}, r.Method)
	if f.status == 0 || f.status == http.StatusInsufficientStorage && !writes {
		return false
	}
	f.played[http.StatusText(f.status)]++
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="the storm"`)
	}
	http.Error(w, "the storm", f.status)
	return true
}

// hides answers a listing of a collection that shows empty; one of what is new
// comes first, and finds that its sync-token is not known any more. What the
// listing ends with is no sync-token of the server's either.
func (f *ford) hides(w http.ResponseWriter, r *http.Request) bool {
	c := backend.CollectionID(r.URL.Path)
	f.mu.Lock()
	told := f.empty[c]
	f.mu.Unlock()
	if told == nil || r.Method != "REPORT" {
		return false
	}
	switch token, lists := syncs(r); {
	case !lists:
		return false
	case token != "":
		forget(w)
		return true
	}
	f.mu.Lock()
	delete(f.empty, c)
	f.played[empty]++
	f.mu.Unlock()
	told()
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusMultiStatus)
	io.WriteString(w, `<multistatus xmlns="DAV:"><sync-token>urn:storm:nothing</sync-token></multistatus>`) //nolint:errcheck // then the connection broke, too
	return true
}

// empty is what is played when a collection shows empty.
const empty = "shows empty"

// forget answers that a sync-token is not known any more. See RFC 6578, section 3.2.
func forget(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, `<error xmlns="DAV:"><valid-sync-token/></error>`) //nolint:errcheck // then the connection broke, too
}

// roll is a number below 1000, or 1000 if it is calm.
func (f *ford) roll() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calm {
		return 1000
	}
	return f.chance.IntN(1000)
}

// ServeHTTP passes a request on. What can go wrong are an error of the server, a
// full disk, a sync-token that is not known any more, and a connection that breaks
// before the server heard, before it answered, and in the middle of the answer.
func (f *ford) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.suffers(w, r) || f.hides(w, r) {
		return
	}
	breaks := int64(-1)
	switch n := f.roll(); {
	case n < 15:
		http.Error(w, "the storm", http.StatusInternalServerError)
		return
	case n < 30 && r.Method == http.MethodPut:
		http.Error(w, "the storm", http.StatusInsufficientStorage)
		return
	case n < 60 && r.Method == "REPORT" && asksForChanges(r):
		forget(w)
		return
	case n < 40:
		panic(http.ErrAbortHandler)
	case n < 50:
		breaks = 0
	case n < 80:
		breaks = int64(f.roll()) // as many bytes of it arrive
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(f.server); p.Out.Host = r.Host },
		ModifyResponse: func(resp *http.Response) error {
			if breaks >= 0 {
				resp.Body = struct {
					io.Reader
					io.Closer
				}{io.MultiReader(io.LimitReader(resp.Body, breaks), broken{}), resp.Body}
			}
			return nil
		},
		Transport:    &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	proxy.ServeHTTP(w, r)
}

// asksForChanges tells whether a request names a sync-token, and leaves it whole.
func asksForChanges(r *http.Request) bool {
	token, _ := syncs(r)
	return token != ""
}

// syncs answers the sync-token that a request names, and whether it asks for a
// sync-collection at all. It leaves the request whole.
func syncs(r *http.Request) (token string, lists bool) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), r.Body))
	var report struct {
		XMLName xml.Name
		Token   string `xml:"DAV: sync-token"`
	}
	if err != nil || xml.Unmarshal(body, &report) != nil {
		return "", false
	}
	return report.Token, report.XMLName.Local == "sync-collection"
}

// broken is a connection that breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
