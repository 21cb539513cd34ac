package davpush_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sender "github.com/SherClockHolmes/webpush-go"

	"github.com/pushbridge/pushbridge/bridge/davpush"
	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/carddav"
)

// A memory is a davpush.Store without a disk.
type memory struct {
	mu   sync.Mutex
	keys map[string][]byte
	subs map[string]davpush.Subscription
}

func newMemory() *memory {
	return &memory{keys: map[string][]byte{}, subs: map[string]davpush.Subscription{}}
}

func (m *memory) PushKeys(context.Context) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys, nil
}

func (m *memory) SavePushKey(_ context.Context, name string, key []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[name] = key
	return nil
}

func (m *memory) PushSubscriptions(context.Context) (list []davpush.Subscription, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs {
		list = append(list, s)
	}
	return list, nil
}

func (m *memory) SavePushSubscription(_ context.Context, s davpush.Subscription) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subs[s.Backend+s.User+string(s.Collection)] = s
	return nil
}

func (m *memory) ForgetPushSubscription(_ context.Context, s davpush.Subscription) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.subs, s.Backend+s.User+string(s.Collection))
	return nil
}

// registration is what a client sends. See the draft, "Subscription Registration".
type registration struct {
	XMLName  xml.Name `xml:"https://bitfire.at/webdav-push push-register"`
	Resource string   `xml:"https://bitfire.at/webdav-push subscription>web-push-subscription>push-resource"`
	Coding   string   `xml:"https://bitfire.at/webdav-push subscription>web-push-subscription>content-encoding"`
	Key      struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"https://bitfire.at/webdav-push subscription>web-push-subscription>subscription-public-key"`
	Auth    string `xml:"https://bitfire.at/webdav-push subscription>web-push-subscription>auth-secret"`
	Trigger struct {
		Update struct {
			Depth string `xml:"DAV: depth"`
		} `xml:"https://bitfire.at/webdav-push content-update"`
	} `xml:"https://bitfire.at/webdav-push trigger"`
	Expires string `xml:"https://bitfire.at/webdav-push expires"`
}

const registrationPath = "/registrations/17"

// A davServer does the server's part of the draft for one collection.
type davServer struct {
	*httptest.Server
	t               *testing.T
	private, public string // its VAPID keys

	registered chan registration
	written    chan string // the Push-Dont-Notify of each write
}

func newDAVServer(t *testing.T) *davServer {
	d := &davServer{t: t, registered: make(chan registration, 10), written: make(chan string, 10)}
	var err error
	if d.private, d.public, err = sender.GenerateVAPIDKeys(); err != nil {
		t.Fatal(err)
	}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *davServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Error(err)
	}
	switch r.Method {
	case "PROPFIND":
		props := ""
		if r.URL.Path == "/ann/people/" && bytes.Contains(body, []byte("https://bitfire.at/webdav-push")) {
			props = `<P:transports><P:web-push><P:vapid-public-key type="p256ecdsa">` + d.public + `</P:vapid-public-key></P:web-push></P:transports>
<P:topic>O7M1nQ7cKkKTKsoS_j6Z3w</P:topic><P:supported-triggers><P:content-update><depth>1</depth></P:content-update></P:supported-triggers>`
		}
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, `<multistatus xmlns="DAV:" xmlns:P="https://bitfire.at/webdav-push"><response><href>%s</href><propstat><prop>%s</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`, r.URL.Path, props)
	case "POST":
		var reg registration
		if err := xml.Unmarshal(body, &reg); err != nil {
			d.t.Errorf("the registration: %v\n%s", err, body)
		}
		w.Header().Set("Location", registrationPath)
		w.Header().Set("Expires", time.Now().Add(48*time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusCreated)
		d.registered <- reg
	case "PUT":
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusCreated)
		d.written <- r.Header.Get("Push-Dont-Notify")
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

const message = `<?xml version="1.0" encoding="utf-8"?><P:push-message xmlns:P="https://bitfire.at/webdav-push" xmlns:D="DAV:"><P:topic>O7M1nQ7cKkKTKsoS_j6Z3w</P:topic><P:content-update><D:sync-token>http://example.com/sync/10</D:sync-token></P:content-update></P:push-message>`

// push sends a message as the server, and answers how it was received.
func (d *davServer) push(c *http.Client, reg registration, text, private, public string) int {
	d.t.Helper()
	resp, err := sender.SendNotificationWithContext(d.t.Context(), []byte(text),
		&sender.Subscription{Endpoint: reg.Resource, Keys: sender.Keys{P256dh: strings.TrimSpace(reg.Key.Text), Auth: reg.Auth}},
		&sender.Options{HTTPClient: c, Subscriber: "ops@example.org", VAPIDPublicKey: public, VAPIDPrivateKey: private, TTL: 60, RecordSize: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestPush goes through all of it: the adapter subscribes, the server pushes,
// and what is written through the adapter need not be pushed.
func TestPush(t *testing.T) {
	d := newDAVServer(t)
	b, err := carddav.Open(t.Context(), backend.Settings{"url": d.URL, "path_template": "{user}/"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	session, err := b.Open(t.Context(), backend.Credentials{User: "ann", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	var receiver *davpush.Receiver
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { receiver.ServeHTTP(w, r) }))
	defer front.Close()
	store := newMemory()
	took := make(chan notify.Notice, 10)
	vouched := make(chan time.Duration, 10)
	var log bytes.Buffer
	options := davpush.Options{
		Store: store, URL: front.URL, Take: func(n notify.Notice) { took <- n },
		Vouch:  func(_, _ string, _ backend.CollectionID, span time.Duration) { vouched <- span },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	if receiver, err = davpush.Open(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	for range 3 { // once is enough
		receiver.Ensure(t.Context(), "contacts", "ann", "/ann/people/", session)
	}
	reg := <-d.registered
	if span := <-vouched; span <= 0 {
		t.Errorf("the collection is vouched for for %v", span)
	}
	if reg.Coding != "aes128gcm" || reg.Key.Type != "p256dh" || reg.Trigger.Update.Depth != "1" || !strings.HasPrefix(reg.Resource, front.URL+davpush.Prefix) {
		t.Errorf("the registration is %+v", reg)
	}
	if at, err := http.ParseTime(reg.Expires); err != nil || time.Until(at) < 48*time.Hour {
		t.Errorf("it is to expire %q", reg.Expires)
	}
	want := notify.Notice{Backend: "contacts", User: "ann", Path: "/ann/people/"}
	if status := d.push(front.Client(), reg, message, d.private, d.public); status != http.StatusCreated {
		t.Errorf("the server is told %d", status)
	}
	if n := <-took; n != want {
		t.Errorf("it says %+v, want %+v", n, want)
	}
	if _, err := session.Put(t.Context(), "/ann/people/", backend.Item{ID: "x", Body: []byte("BEGIN:VCARD\r\n")}); err != nil {
		t.Fatal(err)
	}
	if got := <-d.written; got != `"`+d.URL+registrationPath+`"` {
		t.Errorf("Push-Dont-Notify: %s", got)
	}
	t.Run("refused", func(t *testing.T) { refused(t, d, front.Client(), reg) })
	if len(d.registered) > 0 {
		t.Error("it was registered again")
	}
	if receiver, err = davpush.Open(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	if status := d.push(front.Client(), reg, message, d.private, d.public); status != http.StatusCreated || <-took != want {
		t.Errorf("after a restart the server is told %d", status)
	}
	if len(took) > 0 {
		t.Errorf("it said %+v in addition", <-took)
	}
	if token := strings.TrimPrefix(reg.Resource, front.URL+davpush.Prefix); strings.Contains(log.String(), token) || strings.Contains(log.String(), reg.Auth) {
		t.Errorf("the log has secrets:\n%s", &log)
	}
}

// refused sends what is none of a subscription's messages.
func refused(t *testing.T, d *davServer, c *http.Client, reg registration) {
	private, public, err := sender.GenerateVAPIDKeys()
	if err != nil {
		t.Fatal(err)
	}
	other := reg
	other.Auth = "AAAAAAAAAAAAAAAAAAAAAA"
	for _, tc := range []struct {
		name   string
		send   func() int
		status int
	}{
		{"of another server", func() int { return d.push(c, reg, message, private, public) }, http.StatusForbidden},
		{"for another secret", func() int { return d.push(c, other, message, d.private, d.public) }, http.StatusBadRequest},
		{"another document", func() int { return d.push(c, reg, "<a/>", d.private, d.public) }, http.StatusBadRequest},
		{"no document", func() int { return d.push(c, reg, "hello", d.private, d.public) }, http.StatusBadRequest},
		{"a resource that there is not", func() int {
			gone := reg
			gone.Resource += "x"
			return d.push(c, gone, message, d.private, d.public)
		}, http.StatusGone},
		{"without a signature", func() int { return post(t, c, reg.Resource, "aes128gcm", "junk") }, http.StatusForbidden},
		{"too long", func() int { return post(t, c, reg.Resource, "aes128gcm", strings.Repeat("x", 5000)) }, http.StatusRequestEntityTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if status := tc.send(); status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
		})
	}
}

func post(t *testing.T, c *http.Client, url, coding, body string) int {
	t.Helper()
	r, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Encoding", coding)
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// A subscriber counts what it is asked for.
type subscriber struct {
	backend.Session
	asked []backend.PushSubscription
	err   error
	lives time.Duration
}

func (s *subscriber) Subscribe(_ context.Context, _ backend.CollectionID, sub backend.PushSubscription) (backend.PushRegistration, error) {
	s.asked = append(s.asked, sub)
	return backend.PushRegistration{Expires: time.Now().Add(s.lives)}, s.err
}

// TestRenewal renews daily, or sooner where the server gives less; and leaves a
// server alone that does not push, or refuses the password.
func TestRenewal(t *testing.T) {
	for _, tc := range []struct {
		name        string
		lives       time.Duration
		err         error
		least, most int // times that it is asked in ten days
	}{
		{"a server that keeps it for a week", 7 * 24 * time.Hour, nil, 10, 11},
		{"a server that keeps it for a day", 24 * time.Hour, nil, 20, 22},
		{"a server that is away", time.Hour, backend.Errorf(backend.Transient, "x", "away"), 240, 240},
		{"a server that does not push", 0, backend.Errorf(backend.Unsupported, "x", "no"), 10, 11},
		{"a wrong password", 0, backend.Errorf(backend.Denied, "x", "no"), 240, 240},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, err := davpush.Open(t.Context(), davpush.Options{
					Store: newMemory(), URL: "https://mail.example.org", Take: func(notify.Notice) {},
					Vouch: func(string, string, backend.CollectionID, time.Duration) {}, Logger: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				s := &subscriber{lives: tc.lives, err: tc.err}
				for range 10 * 24 {
					r.Ensure(t.Context(), "calendar", "ann", "/ann/team/#VEVENT", s)
					r.Ensure(t.Context(), "calendar", "ann", "/ann/team/#VTODO", s)
					time.Sleep(time.Hour)
				}
				if n := len(s.asked); n < tc.least || n > tc.most {
					t.Errorf("it was asked %d times, want %d to %d", n, tc.least, tc.most)
				}
				for _, a := range s.asked {
					if a.Resource != s.asked[0].Resource || !bytes.Equal(a.Auth, s.asked[0].Auth) {
						t.Errorf("it was asked for %v, then for %v; a renewal is of the same resource", s.asked[0], a)
					}
				}
				if tc.err != nil || tc.lives < 3*24*time.Hour {
					return
				}
				// Nobody waits any more: the server is told to forget it.
				at := strings.TrimPrefix(s.asked[0].Resource, "https://mail.example.org")
				for _, step := range []struct {
					later  time.Duration
					status int
				}{{0, http.StatusUnsupportedMediaType}, {3*24*time.Hour + 2*time.Hour, http.StatusGone}} {
					time.Sleep(step.later)
					w := httptest.NewRecorder()
					r.ServeHTTP(w, httptest.NewRequest("POST", at, strings.NewReader("x")))
					if w.Code != step.status {
						t.Errorf("after %v: status %d, want %d", step.later, w.Code, step.status)
					}
				}
			})
		})
	}
}
