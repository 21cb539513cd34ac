package crowd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/bridgetest/crowd"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/fcgi"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/localdir"
	"github.com/pushbridge/pushbridge/plugins/sdk"
)

func TestMain(m *testing.M) {
	crowd.Main()
	if os.Getenv(pluginVariable) != "" {
		sdk.Main("localdir", localdir.Open)
		return
	}
	os.Exit(m.Run())
}

// A town is a house with many people, and phones that have synchronized.
type town struct {
	*bridgetest.House
	t      testing.TB
	server *fcgi.Server
	crowd  *crowd.Crowd
	people int

	dir string // of the plugin's backend; empty if the house has its own

	heartbeat int    // of the requests, in seconds
	socket    string // where the server listens

	pings  [][]byte // each phone's request
	bodies [][]byte // and its message

	published atomic.Int64 // when the hub last heard of a change, as crowd.Now tells it
}

// A polled backend has no events, as servers of contacts and calendars have none.
type polled struct{ backend.Backend }

func (p polled) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	s, err := p.Backend.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return polledSession{s}, nil
}

type polledSession struct{ backend.Session }

// Extras implements what a stub of a plugin does.
func (s polledSession) Extras() []backend.Extra { return []backend.Extra{backend.ExtraProbe} }

func (s polledSession) Probe(ctx context.Context, cs []backend.CollectionID) (map[backend.CollectionID]string, error) {
	return s.Session.(*memory.Session).Probe(ctx, cs)
}

// change adds an event to somebody's calendar, and tells as a hook would, unless
// the plugin does.
func (w *town) change(i int) {
	user := userOf(i, w.people)
	if w.dir != "" {
		w.write(user, "calendar", "new.ics", bridgetest.Event("new", "New", time.Now()))
		return
	}
	w.Backend.Store(user, "calendar", "new", []byte(bridgetest.Event("new", "New", time.Now())))
	w.Bridge.Desk().Hint(watch.Hint{Source: "hook", Backend: "memory", User: user, Path: "calendar"})
}

func userOf(i, people int) string { return fmt.Sprintf("person%d@example.org", i%people) }

// newTown builds one in which phones belong to people in turn.
func newTown(t testing.TB, phones, people int) *town { return newTownOf(t, phones, people, 3540) }

// newTownOf is newTown with a heartbeat, in seconds.
func newTownOf(t testing.TB, phones, people, heartbeat int) *town {
	t.Helper()
	w := &town{t: t, people: people, heartbeat: heartbeat, pings: make([][]byte, phones), bodies: make([][]byte, phones)}
	w.build(nil)
	return w
}

// build builds the house, with the memory's backend if there is no other, and
// has the phones synchronize.
func (w *town) build(b backend.Backend) {
	t, phones, people := w.t, len(w.pings), w.people
	t.Helper()
	h := bridgetest.Start(t, bridgetest.Options{Edit: func(o *bridge.Options) {
		o.Linger.Published = func(hub.Topic) { w.published.Store(int64(crowd.Now())) }
		if b == nil {
			b = polled{o.Backends[0].Backend}
		}
		o.Backends = []account.Named{{Name: "memory", Backend: b}}
		// What is kept of people for a few seconds after a request is theirs, whether
		// they wait or not: it would be there before, or afterwards, as it happens.
		o.Remember = time.Millisecond
		// No poll falls into what is measured or counted, however slow the machine is.
		o.Config.PollMin, o.Config.PollMax = time.Hour, time.Hour
		// Lines of thousands of phones would be counted as what they cost.
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	}})
	for i := range people {
		h.Backend.AddUser(userOf(i, people), bridgetest.Password,
			backend.Collection{ID: "contacts", Kind: backend.Contacts, Name: "Contacts", Default: true},
			backend.Collection{ID: "calendar", Kind: backend.Events, Name: "Calendar", Default: true},
		)
	}
	w.House, w.server = h, &fcgi.Server{Handler: h.Bridge.Handler()}
	var all sync.WaitGroup
	for k := range 4 {
		all.Go(func() {
			for i := k; i < phones; i += 4 {
				w.prepare(i)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	w.socket = strings.TrimPrefix(fcgitest.Start(t, w.server), "unix:")
	w.crowd = crowd.Start(t, w.socket)
}

// atOnce carries requests to a handler without a network.
type atOnce struct{ handler http.Handler }

func (a atOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r.RequestURI = r.URL.RequestURI()
	a.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// prepare lets a phone synchronize its empty folders, and writes down what it
// will ask when it waits.
func (w *town) prepare(i int) {
	c := &easclient.Client{
		URL: "http://town", User: userOf(i, w.people), Password: bridgetest.Password, Version: eas.V141, Base64Query: true,
		DeviceID: fmt.Sprintf("ANDROID%010d", i), DeviceType: "Android", UserAgent: "Android-SAMSUNG-SM-G991B/101.130400",
		HTTP: &http.Client{Transport: atOnce{w.Bridge.Handler()}},
	}
	folders, err := c.FolderSync(w.t.Context(), eas.FolderSyncRequest{SyncKey: "0"})
	if err != nil {
		w.t.Errorf("FolderSync: %v", err)
		return
	}
	ping := eas.PingRequest{HeartbeatInterval: &w.heartbeat}
	var first eas.SyncRequest
	for _, f := range folders.Changes.Adds {
		class, ok := map[eas.FolderType]string{eas.FolderContacts: "Contacts", eas.FolderCalendar: "Calendar", eas.FolderTasks: "Tasks", eas.FolderNotes: "Notes"}[f.Type]
		if ok {
			first.Collections = append(first.Collections, eas.SyncCollection{SyncKey: "0", CollectionID: f.ServerID})
			ping.Folders = append(ping.Folders, eas.PingFolder{ID: f.ServerID, Class: class})
		}
	}
	if _, err := c.Sync(w.t.Context(), &first); err != nil {
		w.t.Errorf("Sync: %v", err)
		return
	}
	w.bodies[i], err = eas.Marshal(&ping, c.Version)
	if err != nil {
		w.t.Error(err)
		return
	}
	recording := &recorder{}
	c.HTTP = &http.Client{Transport: recording}
	c.Ping(w.t.Context(), &ping) // it is only written down
	w.pings[i] = recording.request(fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255))
}

// A recorder notes a request in place of sending it.
type recorder struct {
	r    *http.Request
	body []byte
}

var errRecorded = errors.New("recorded")

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.r = req
	r.body, _ = io.ReadAll(req.Body)
	return nil, errRecorded
}

// request is the noted one as nginx passes it on.
func (r *recorder) request(address string) []byte {
	return fcgitest.Request{
		Method: r.r.Method, URI: r.r.URL.RequestURI(), Header: r.r.Header, Body: r.body,
		Env: map[string]string{"REMOTE_ADDR": address, "REMOTE_PORT": "40000"},
	}.Records()
}

// wait lets phones from..to wait, and returns when they do.
func (w *town) wait(from, to int) {
	w.t.Helper()
	want := w.Bridge.Waiting() + to - from
	for i := from; i < to; i++ {
		w.crowd.Send(i, w.pings[i])
	}
	w.crowd.Sync()
	w.until(fmt.Sprintf("%d phones wait", want), func() bool { return w.Bridge.Waiting() == want && w.server.Stats().Handlers == 0 })
}

// patience is far beyond what anything here takes, on a busy machine, too.
const patience = 5 * time.Minute

// until waits for something that is about to be so.
func (w *town) until(what string, so func() bool) {
	w.t.Helper()
	end := time.Now().Add(patience)
	for !so() {
		if time.Now().After(end) {
			w.t.Fatalf("not within %v: %s; %d wait, %+v", patience, what, w.Bridge.Waiting(), w.server.Stats())
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}

// status is what a Ping was answered.
func status(t testing.TB, a crowd.Answer) eas.PingStatus {
	t.Helper()
	var stdout bytes.Buffer
	for r := bytes.NewReader(a.Records); r.Len() > 0; {
		rec, err := fcgitest.ReadRecord(r)
		if err != nil {
			t.Fatalf("the answer to phone %d: %v", a.Phone, err)
		}
		if rec.Type == fcgitest.Stdout {
			stdout.Write(rec.Content)
		}
	}
	head, body, _ := strings.Cut(stdout.String(), "\r\n\r\n")
	var p eas.PingResponse
	if err := eas.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("the answer to phone %d: %v\n%s", a.Phone, err, head)
	}
	return p.Status
}

// held is the heap and the stacks, in bytes.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// hangUp lets phones go, and returns when nobody of them waits any more.
func (w *town) hangUp(from, to int) {
	w.t.Helper()
	for i := from; i < to; i++ {
		w.crowd.HangUp(i)
	}
	w.crowd.Sync()
	w.until("all have gone", func() bool {
		s := w.server.Stats()
		return w.Bridge.Waiting() == 0 && s == fcgi.Stats{}
	})
}

// settle lets what goes on behind the phones come to rest.
func (w *town) settle() {
	last, same, want := -1, 0, 1
	if w.dir != "" {
		want = 20 // what tells is only how much goes on, of which there is little on a busy machine
	}
	w.until("the backend is left alone", func() bool {
		if n := w.calls(); n == last {
			same++
		} else {
			last, same = n, 0
		}
		time.Sleep(50 * time.Millisecond)
		return same >= want
	})
}

func (w *town) calls() (n int) {
	if w.dir != "" { // it is in another process
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.Mallocs / quietMallocs)
	}
	for _, op := range []memory.Op{memory.OpOpen, memory.OpCollections, memory.OpChanges, memory.OpGet, memory.OpProbe, memory.OpWatch} {
		n += w.Backend.Calls(op)
	}
	return n
}
