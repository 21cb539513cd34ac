package notice_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/admintest"
	"github.com/pushbridge/pushbridge/bridge/admin/notice"
	"github.com/pushbridge/pushbridge/bridge/admin/roster/rostertest"
	"github.com/pushbridge/pushbridge/bridge/audit"
	"github.com/pushbridge/pushbridge/bridge/audit/audittest"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// strict rules let nobody in whom no administrator let in.
type strict struct{}

func (strict) Policy(device.ID) policy.Policy { return policy.Policy{} }
func (strict) MaxPhones(string) int           { return 1000 }
func (strict) Listed(string) (string, bool)   { return "", false }
func (strict) Admits(p device.Phone) (string, error) {
	if p.Approved() {
		return "", nil
	}
	return "nobody let it in", device.ErrQuarantined
}

// engine has nothing.
type engine struct{ admin.Engine }

func (engine) Folders(context.Context, string) ([]syncengine.Folder, error) { return nil, nil }
func (engine) ForgetPhone(context.Context, syncengine.Phone) error          { return nil }

// A house has a register whose new phones wait, and notices of them.
type house struct {
	*notice.Notices
	t      *testing.T
	server *admin.Server
	phones *device.Register
	store  *devicetest.Memory
	keeps  *rostertest.Memory // the documents
	audit  *audittest.Memory

	mu   sync.Mutex
	sent []sent
	fail func(n int) error // for the nth try
	n    int
}

// sent is a mail as it was handed over.
type sent struct {
	to, subject, text string
	header            mail.Header
}

func open(t *testing.T, edit func(*notice.Options)) *house {
	t.Helper()
	h := &house{t: t, store: new(devicetest.Memory), keeps: new(rostertest.Memory), audit: new(audittest.Memory)}
	log := slog.New(slog.DiscardHandler)
	o := device.Options{Store: h.store, Rules: strict{}, Arrived: func(p device.Phone, why string) { h.Arrived(p, why) }}
	h.phones = device.New(o)
	h.server = admin.New(admin.Options{Engine: engine{}, Devices: h.store, Security: h.phones, Problems: admintest.Unproblematic{}, Waiting: admintest.Unwaiting{},
		Audit: audit.New(h.audit), Tell: func(n admin.Notice) { h.Tell(n) }, Logger: log})
	options := notice.Options{Server: h.server, Send: h.send, From: "pushbridge@example.org", Administrators: []string{"post@example.org"},
		AddressOf: func(user string) string { return user + "@example.org" }, URL: "https://mail.example.org", Store: h.keeps, Logger: log}
	if edit != nil {
		edit(&options)
	}
	var err error
	if h.Notices, err = notice.New(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	return h
}

// send takes a mail.
func (h *house) send(_ context.Context, to string, r io.Reader) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n++
	if h.fail != nil {
		if err := h.fail(h.n); err != nil {
			return err
		}
	}
	m, err := mail.ReadMessage(r)
	if err != nil {
		h.t.Errorf("a mail cannot be read: %v", err)
		return nil
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		h.t.Errorf("a mail cannot be read: %v", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		h.t.Errorf("the subject cannot be read: %v", err)
	}
	h.sent = append(h.sent, sent{to, subject, strings.ReplaceAll(string(text), "\r\n", "\n"), m.Header})
	return nil
}

// mails are those that were sent.
func (h *house) mails() []sent {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]sent(nil), h.sent...)
}

// arrive has a phone come for the first time.
func (h *house) arrive(user, id string) {
	h.t.Helper()
	_, err := h.phones.Admit(h.t.Context(), device.Visit{ID: device.ID{User: user, Device: id}, Type: "iPhone", UserAgent: "agent", Version: "16.1"})
	if !errors.Is(err, device.ErrQuarantined) {
		h.t.Fatalf("the phone is told %v", err)
	}
}

// run has notices be sent until the test, or the returned function, ends it.
func (h *house) run() (end func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

var linkOf = regexp.MustCompile(`https://mail\.example\.org/admin/approve\?link=(\S+)`)

// linkIn is the link in a mail.
func linkIn(t *testing.T, text string) string {
	t.Helper()
	found := linkOf.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("there is no link in\n%s", text)
	}
	return found[1]
}

// call opens a link, or posts a form.
func (h *house) call(method, link, decision string) (int, string, http.Header) {
	h.t.Helper()
	target, form := notice.ApprovePath, url.Values{"link": {link}, "decision": {decision}}
	r := httptest.NewRequestWithContext(h.t.Context(), method, "https://mail.example.org"+target, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequestWithContext(h.t.Context(), method, "https://mail.example.org"+target+"?"+form.Encode(), nil)
	}
	r.RemoteAddr = "192.0.2.7:1024"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

// standing is whether a phone waits, is in, or is kept out.
func (h *house) standing(user, id string) string {
	h.t.Helper()
	list, err := admin.OpDevices.Do(h.t.Context(), h.server, admin.Actor{Name: "test", Roles: admin.AllRoles}, admin.UserRequest{User: user})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, d := range list {
		switch {
		case d.Device != id:
		case d.Blocked != "":
			return "blocked"
		case d.Quarantine != "":
			return "waits"
		default:
			return "in"
		}
	}
	return "unknown"
}

const day = 24 * time.Hour

func newAgain(t *testing.T, o notice.Options) (*notice.Notices, error) {
	return notice.New(t.Context(), o)
}
