package console_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/console"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/device/recovery"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/store/sqlite"
	"github.com/pushbridge/pushbridge/bridge/store/sqlstore"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/telemetry/latency"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

// An engine has two folders for everybody, and phones that wait.
type engine struct {
	mu     sync.Mutex
	names  []string // of the folders
	held   []syncengine.Hold
	waits  map[device.ID]bool
	orders []string
}

func (e *engine) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.orders = append(e.orders, fmt.Sprintf(format, args...))
}

func (e *engine) Folders(_ context.Context, user string) (list []syncengine.Folder, _ error) {
	for i, name := range e.names {
		list = append(list, syncengine.Folder{ID: syncengine.FolderID(i + 1), User: user, Backend: "dav", Collection: "/c/", Kind: "contacts", Name: name})
	}
	return list, nil
}

func (e *engine) Folder(ctx context.Context, user string, id syncengine.FolderID) (syncengine.Folder, error) {
	list, _ := e.Folders(ctx, user)
	if id < 1 || int(id) > len(list) {
		return syncengine.Folder{}, syncengine.ErrNoFolder
	}
	return list[id-1], nil
}

func (e *engine) Count(context.Context, syncengine.FolderID) (int, error) { return 120, nil }

func (e *engine) Inventory(_ context.Context, _ syncengine.Phone, f syncengine.FolderID) (syncengine.Inventory, error) {
	return syncengine.Inventory{Items: 120 - int(f), Behind: f == 2}, nil
}

func (e *engine) Held(context.Context) ([]syncengine.Hold, error) { return e.held, nil }

func (e *engine) Release(_ context.Context, user string, f syncengine.FolderID) error {
	e.note("release %s %d", user, f)
	return nil
}

func (e *engine) Resync(_ context.Context, p syncengine.Phone, f syncengine.FolderID) error {
	e.note("resync %s %s %d", p.User, p.Device, f)
	return nil
}

func (e *engine) ForgetPhone(context.Context, syncengine.Phone) error { return nil }

func (e *engine) Waiting() int { e.mu.Lock(); defer e.mu.Unlock(); return len(e.waits) }

func (e *engine) Waits(user, id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.waits[device.ID{User: user, Device: id}]
}

// wait has a phone wait from now on.
func (e *engine) wait(user, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waits[device.ID{User: user, Device: id}] = true
}

func (e *engine) Order(user, id string, _ error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.waits, device.ID{User: user, Device: id})
	return false
}
func (e *engine) Wake(string, ...syncengine.FolderID) {}
func (e *engine) Again(string, string) bool           { return false }

// unshown is the register of problems.
type unshown []problem.Problem

func (u unshown) List(_ context.Context, user string) (list []problem.Problem, _ error) {
	for _, p := range u {
		if user == "" || p.User == user {
			list = append(list, p)
		}
	}
	return list, nil
}

// A doorman lets in whom a cookie names, with the roles that it names.
type doorman struct{}

var errNobody error = &admin.Error{Kind: admin.Stranger, Text: "Nobody is signed in."}

func (doorman) Actor(r *http.Request) (admin.Actor, error) {
	c, err := r.Cookie("test_roles")
	if err != nil || c.Value == "" {
		return admin.Actor{}, errNobody
	}
	a := admin.Actor{Name: "jane", Address: "192.0.2.1"}
	for name := range strings.SplitSeq(c.Value, ".") {
		a.Roles = append(a.Roles, admin.Role(name))
	}
	if a.Is(admin.SelfService) {
		a.User = "ann"
	}
	return a, nil
}

// A house is a console over a real register, rulebook and audit.
type house struct {
	*console.Console
	admin    *admin.Server
	engine   *engine
	db       *sqlstore.DB
	store    device.Store // db's, unless a test has too many phones for it
	audit    *audit.Log   // likewise
	register *device.Register
	book     *rulebook.Book
	latency  *latency.Hour
	roster   *roster.Roster // behind a gate
	log      *strings.Builder
}

func build(t testing.TB, edit func(*house, *admin.Options, *device.Options)) *house {
	t.Helper()
	db, err := sqlite.Open(context.Background(), sqlite.Memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{db: db, latency: new(latency.Hour), log: new(strings.Builder),
		engine: &engine{names: []string{"Contacts", "Work"}, waits: map[device.ID]bool{}}}
	if h.book, err = rulebook.Open(context.Background(), db.Documents(), rulebook.Config{}); err != nil {
		t.Fatal(err)
	}
	box, err := recovery.Read(strings.NewReader(strings.Repeat("01", 32)))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	d := device.Options{Store: db.Phones(), Rules: h.book, Box: box}
	o := admin.Options{
		Engine: h.engine, Devices: db.Phones(), Problems: unshown{}, Waiting: h.engine, Rules: h.book, Tracer: new(trace.Tracer),
		Heartbeat: device.Bounds{Min: time.Minute, Default: 8 * time.Minute, Max: 59 * time.Minute},
		Audit:     audit.New(db.Audit()), Transact: db.Transact, Version: "v1.2.3", Logger: logger,
		Backends: func(context.Context) []admin.Backend {
			return []admin.Backend{{Name: "dav", Plugin: "carddav", Well: true}, {Name: "mail", Plugin: "imap", Detail: "connection refused"}}
		},
	}
	if edit != nil {
		edit(h, &o, &d)
	}
	h.store, h.audit = d.Store, o.Audit
	h.register = device.New(d)
	o.Security = h.register
	h.admin = admin.New(o)
	h.Console = console.New(console.Options{Server: h.admin, Gate: doorman{}, Latency: h.latency, Logger: logger})
	return h
}

// phone puts a phone into the register.
func (h *house) phone(t testing.TB, user, id string, edit func(*device.Phone)) {
	t.Helper()
	_, err := h.store.Update(context.Background(), device.ID{User: user, Device: id}, func(p *device.Phone, _ bool) error {
		p.Type, p.UserAgent, p.Version, p.Model, p.OS = "iPhone", "Apple-iPhone15C2/2103.202", "16.1", "iPhone 15", "iOS 17.4"
		p.FirstSeen, p.LastSeen = time.Now().Add(-72*time.Hour), time.Now().Add(-5*time.Minute)
		if edit != nil {
			edit(p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// boss may do everything that anybody may on these pages.
var boss = admin.Actor{Name: "boss", Roles: admin.AllRoles, Address: "192.0.2.9"}

// policy makes a policy for everyone.
func (h *house) policy(t testing.TB, name string, settings map[string]any) {
	t.Helper()
	_, err := admin.OpPolicyEdit.Do(context.Background(), h.admin, boss, admin.PolicyEdit{
		Policies: map[string]*admin.PolicyText{name: {Settings: settings}},
		Links:    []rsop.Link{{Policy: name, Scope: rsop.Scope{Kind: rsop.Everyone}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// get asks for a page in some roles.
func (h *house) get(t testing.TB, path string, roles ...admin.Role) *httptest.ResponseRecorder {
	t.Helper()
	return h.ask(t, httptest.NewRequest(http.MethodGet, path, nil), roles...)
}

// post sends a form.
func (h *house) post(t testing.TB, path string, form url.Values, roles ...admin.Role) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return h.ask(t, r, roles...)
}

func (h *house) ask(t testing.TB, r *http.Request, roles ...admin.Role) *httptest.ResponseRecorder {
	t.Helper()
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	if len(roles) > 0 {
		r.AddCookie(&http.Cookie{Name: "test_roles", Value: strings.Join(names, ".")})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// now is when a page was made that is followed.
func now() string { return strconv.FormatInt(time.Now().Unix(), 10) }
