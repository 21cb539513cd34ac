// Package bridgetest builds the whole house in memory, with phones in front of it.
package bridgetest

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
)

// The one person who lives in the house.
const (
	User     = "ann"
	Password = "secret"
)

// Versions are those that stories are told in: one of each generation.
var Versions = []eas.Version{eas.V25, eas.V121, eas.V141, eas.V161}

// A House is a bridge with everything in memory behind plain HTTP.
type House struct {
	t       testing.TB
	Backend *memory.Backend
	Bridge  *bridge.Bridge
	URL     string
	Log     *Log
}

// Options are what a story may want otherwise than usual.
type Options struct {
	Edit func(*bridge.Options) // nil changes nothing
	Wrap func(http.Handler) http.Handler
}

// Start builds a house that is torn down with the test. The bridge's log is
// printed if the test fails.
func Start(t testing.TB, o Options) *House {
	t.Helper()
	h := &House{t: t, Backend: memory.New(), Log: new(Log)}
	h.Backend.AddUser(User, Password)
	file := config.Default()
	file.State = bridge.Memory
	file.Heartbeat.Min = time.Second
	file.PollMin = time.Second
	options := bridge.Options{
		Config: file, Logger: slog.New(slog.NewTextHandler(h.Log, nil)),
		Backends: []account.Named{{Name: "memory", Backend: h.Backend}},
	}
	options.Linger.Linger = -1
	if o.Edit != nil {
		o.Edit(&options)
	}
	b, err := bridge.New(t.Context(), options)
	if err != nil {
		t.Fatalf("building the house: %v", err)
	}
	h.Bridge = b
	handler := b.Handler()
	if o.Wrap != nil {
		handler = o.Wrap(handler)
	}
	server := httptest.NewServer(handler)
	h.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := b.Close(); err != nil {
			t.Errorf("closing the house: %v", err)
		}
		if t.Failed() {
			t.Logf("the bridge's log:\n%s", h.Log)
		}
	})
	return h
}

// Client makes a client of a device; each answer is held against the schemas.
func (h *House) Client(v eas.Version, device string) *easclient.Client {
	return &easclient.Client{
		URL: h.URL, User: User, Password: Password, Version: v,
		DeviceID: device, DeviceType: "test", UserAgent: "bridgetest",
		HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute}},
		Trace: func(_ string, _, answer []byte) {
			// The schemas begin with 12.1; an HTTP error is a sentence and no WBXML.
			if v >= eas.V121 && len(answer) > 0 && answer[0] == 3 {
				eastest.Validate(h.t, answer)
			}
		},
	}
}

// Phone makes a phone whose violations fail the test at its end.
func (h *House) Phone(v eas.Version, device string, s phone.Settings) *phone.Phone {
	return Checked(h.t, phone.New(h.Client(v, device), s))
}

// Checked makes a test fail at its end for what the server did to a phone that
// no phone would forgive.
func Checked(t testing.TB, p *phone.Phone) *phone.Phone {
	t.Cleanup(func() {
		for _, v := range p.Violations() {
			t.Errorf("no phone would forgive: %s", v)
		}
	})
	return p
}

// Sync synchronizes a phone, or fails the test.
func Sync(t testing.TB, p *phone.Phone) []phone.Event {
	t.Helper()
	events, err := p.Sync(t.Context())
	if err != nil {
		t.Fatalf("synchronizing: %v", err)
	}
	return events
}

// FolderOf finds the phone's main folder of a class.
func FolderOf(t testing.TB, p *phone.Phone, class string) phone.Folder {
	t.Helper()
	for _, f := range p.Folders() {
		if f.Class == class && f.Type < eas.FolderUserMail {
			return f
		}
	}
	t.Fatalf("the phone has no main folder of class %s", class)
	return phone.Folder{}
}

// Store puts an object into one of the person's collections, past the bridge.
func (h *House) Store(c backend.CollectionID, id backend.ItemID, body string) backend.Revision {
	return h.Backend.Store(User, c, id, []byte(body))
}

// A Log keeps what the bridge logs.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is everything logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Card is a vCard of our own.
func Card(uid, name string) string {
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s\r\nN:%s;;;;\r\nTEL;TYPE=CELL:+49 30 %d\r\nX-KEEP:as it is\r\nEND:VCARD\r\n",
		uid, name, name, len(name))
}

// Event is an event of an hour.
func Event(uid, summary string, start time.Time) string {
	const form = "20060102T150405Z"
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pushbridge//test//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20260101T000000Z\r\n"+
		"DTSTART:%s\r\nDTEND:%s\r\nSUMMARY:%s\r\nX-KEEP:as it is\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		uid, start.UTC().Format(form), start.UTC().Add(time.Hour).Format(form), summary)
}

// Task is a task without dates.
func Task(uid, summary string) string {
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pushbridge//test//EN\r\nBEGIN:VTODO\r\nUID:%s\r\nDTSTAMP:20260101T000000Z\r\n"+
		"SUMMARY:%s\r\nX-KEEP:as it is\r\nEND:VTODO\r\nEND:VCALENDAR\r\n", uid, summary)
}

// Note is a note.
func Note(uid, summary string) string {
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pushbridge//test//EN\r\nBEGIN:VJOURNAL\r\nUID:%s\r\nDTSTAMP:20260101T000000Z\r\n"+
		"SUMMARY:%s\r\nDESCRIPTION:What is to be noted\r\nX-KEEP:as it is\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n", uid, summary)
}
