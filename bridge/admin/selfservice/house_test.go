package selfservice_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/admintest"
	"github.com/pushbridge/pushbridge/bridge/admin/selfservice"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// engine has three folders of everybody, whose numbers are another person's for nobody.
type engine struct {
	admin.Engine
	mu     sync.Mutex
	names  []string
	orders []string
}

var kinds = []backend.CollectionKind{backend.Contacts, backend.Events, backend.Mail}

func (e *engine) Folders(_ context.Context, user string) (list []syncengine.Folder, _ error) {
	for i, name := range e.names {
		list = append(list, syncengine.Folder{ID: first[user] + syncengine.FolderID(i), User: user, Backend: "dav", Collection: "/c/", Kind: kinds[i%len(kinds)], Name: name})
	}
	return list, nil
}

// first is the number of a person's first folder.
var first = map[string]syncengine.FolderID{"ann": 10, "bob": 20}

func (e *engine) Folder(ctx context.Context, user string, id syncengine.FolderID) (syncengine.Folder, error) {
	list, _ := e.Folders(ctx, user)
	for _, f := range list {
		if f.ID == id {
			return f, nil
		}
	}
	return syncengine.Folder{}, syncengine.ErrNoFolder
}

func (*engine) Count(context.Context, syncengine.FolderID) (int, error) { return 12, nil }

func (*engine) Inventory(context.Context, syncengine.Phone, syncengine.FolderID) (syncengine.Inventory, error) {
	return syncengine.Inventory{Items: 7}, nil
}

func (e *engine) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.orders = append(e.orders, fmt.Sprintf(format, args...))
}

func (e *engine) Resync(_ context.Context, p syncengine.Phone, _ syncengine.FolderID) error {
	e.note("resync %s of %s", p.Device, p.User)
	return nil
}

func (e *engine) ForgetPhone(_ context.Context, p syncengine.Phone) error {
	e.note("forget %s of %s", p.Device, p.User)
	return nil
}

// problems are everybody's.
type problems struct{}

func (problems) List(_ context.Context, user string) ([]problem.Problem, error) {
	return []problem.Problem{{Object: problem.Object{User: user, Backend: "dav", Collection: "/c/", ID: "broken.vcf"}, Reason: "no BEGIN line of " + user}}, nil
}

// A gate lets in whom the header X-Test names: a name of an owner, or "admin".
type gate struct{}

func (gate) Actor(r *http.Request) (admin.Actor, error) {
	switch who := r.Header.Get("X-Test"); who {
	case "":
		return admin.Actor{}, &admin.Error{Kind: admin.Stranger, Text: "Nobody is signed in."}
	case "unknown":
		return admin.Actor{}, errors.New("the disk is gone")
	case "admin":
		return admin.Actor{Name: "jane", Roles: admin.AllRoles}, nil
	default:
		return admin.Actor{Name: who, User: who, Roles: []admin.Role{admin.SelfService}, Address: "192.0.2.1"}, nil
	}
}

// A house has ann and bob, with a phone P each.
type house struct {
	*selfservice.Pages
	t      *testing.T
	server *admin.Server
	phones *device.Register
	store  *devicetest.Memory
	engine *engine
	audit  *audittest.Memory
	down   bool // the backend
}

func open(t *testing.T, edit func(*admin.Options)) *house {
	t.Helper()
	h := &house{t: t, store: new(devicetest.Memory), engine: &engine{names: []string{"Addresses", "Work: plans", "Inbox"}}, audit: new(audittest.Memory)}
	h.phones = device.New(device.Options{Store: h.store})
	o := admin.Options{Engine: h.engine, Devices: h.store, Security: h.phones, Problems: problems{}, Waiting: admintest.Unwaiting{}, Choices: choice.New(choice.Table{}, h.store),
		OwnersWipe: true, Audit: audit.New(h.audit), Logger: slog.New(slog.DiscardHandler),
		Backends: func(context.Context) []admin.Backend {
			return []admin.Backend{{Name: "dav", Well: !h.down, Detail: "secret particulars"}}
		}}
	if edit != nil {
		edit(&o)
	}
	h.server = admin.New(o)
	h.Pages = selfservice.New(selfservice.Options{Server: h.server, Gate: gate{}, URL: "https://mail.example.org",
		AddressOf: func(user string) string { return user + "@example.org" }, Logger: o.Logger})
	for _, user := range []string{"ann", "bob"} {
		h.phone(user, "P", func(p *device.Phone) { p.FriendlyName = user + "'s phone" })
	}
	return h
}

// phone adds a phone, or changes one.
func (h *house) phone(user, id string, edit func(*device.Phone)) {
	h.t.Helper()
	_, err := h.store.Update(h.t.Context(), device.ID{User: user, Device: id}, func(p *device.Phone, known bool) error {
		if !known {
			p.Type, p.Version, p.FirstSeen, p.LastSeen = "iPhone", "16.1", time.Now(), time.Now()
		}
		if edit != nil {
			edit(p)
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// now is a phone as it is.
func (h *house) now(user string) device.Phone {
	h.t.Helper()
	p, err := h.store.Phone(h.t.Context(), device.ID{User: user, Device: "P"})
	if err != nil && !errors.Is(err, device.ErrUnknown) {
		h.t.Fatal(err)
	}
	return p
}

// as asks as a page of this site does, on behalf of somebody.
func (h *house) as(who, method, path string, form url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, "https://mail.example.org"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if who != "" {
		r.Header.Set("X-Test", who)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// page is a page that is there.
func (h *house) page(who, path string) string {
	h.t.Helper()
	w := h.as(who, http.MethodGet, path, nil)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s is answered %d\n%s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// has fails unless a page has all words.
func has(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("the page has no %q:\n%s", w, page)
		}
	}
}

// lacks fails if a page has one of the words.
func lacks(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(page, w) {
			t.Errorf("the page has %q:\n%s", w, page)
		}
	}
}

// serve answers a request.
func (h *house) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// failing cannot read the state.
type failing struct{}

func (failing) List(context.Context, string) ([]problem.Problem, error) {
	return nil, errors.New("the disk is gone")
}
