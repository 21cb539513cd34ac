package admin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
)

// An engine says what it was told to say, and writes down what it is ordered.
type engine struct {
	mu      sync.Mutex
	folders map[string][]syncengine.Folder
	held    []syncengine.Hold
	orders  []string
	panics  bool
}

func (e *engine) order(format string, args ...any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.orders = append(e.orders, fmt.Sprintf(format, args...))
	return nil
}

func (e *engine) Folders(_ context.Context, user string) ([]syncengine.Folder, error) {
	return e.folders[user], nil
}

func (e *engine) Folder(_ context.Context, user string, id syncengine.FolderID) (syncengine.Folder, error) {
	for _, f := range e.folders[user] {
		if f.ID == id {
			return f, nil
		}
	}
	return syncengine.Folder{}, syncengine.ErrNoFolder
}

func (e *engine) Count(_ context.Context, f syncengine.FolderID) (int, error) {
	return 10 * int(f), nil
}

func (e *engine) Inventory(_ context.Context, p syncengine.Phone, f syncengine.FolderID) (syncengine.Inventory, error) {
	if f != 1 {
		return syncengine.Inventory{}, syncengine.ErrUnknown
	}
	return syncengine.Inventory{Items: len(p.Device), Behind: true}, nil
}

func (e *engine) Held(context.Context) ([]syncengine.Hold, error) {
	if e.panics {
		panic("a mistake")
	}
	return e.held, nil
}

func (e *engine) Release(_ context.Context, user string, f syncengine.FolderID) error {
	if f == 2 {
		return fmt.Errorf("releasing: %w", syncengine.ErrNoHold)
	}
	return e.order("release %s %d", user, f)
}

func (e *engine) Resync(_ context.Context, p syncengine.Phone, f syncengine.FolderID) error {
	return e.order("resync %s %s %d", p.User, p.Device, f)
}

func (e *engine) ForgetPhone(_ context.Context, p syncengine.Phone) error {
	return e.order("forget %s %s", p.User, p.Device)
}

func (e *engine) Order(user, name string, why error) bool {
	_ = e.order("order %s %s: %v", user, name, why)
	return name == "WAITS"
}

func (e *engine) Waiting() int                   { return 7 }
func (e *engine) Again(user, device string) bool { e.order("again %s %s", user, device); return true }
func (e *engine) Waits(user, device string) bool { return user == "ann" && device == "WAITS" }
func (e *engine) Wake(user string, folders ...syncengine.FolderID) {
	e.order("wake %s %v", user, folders)
}

// unshown is the register of problems.
type unshown []problem.Problem

func (u unshown) List(_ context.Context, user string) ([]problem.Problem, error) {
	var list []problem.Problem
	for _, p := range u {
		if user == "" || p.User == user {
			list = append(list, p)
		}
	}
	return list, nil
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A door is a Server at a real socket.
type door struct {
	*admin.Client
	engine  *engine
	devices *devicetest.Memory
	log     *lines
	socket  string
}

type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

// socketPath is short enough for a socket, whatever the test is called.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "admin.sock")
}

func openDoor(t *testing.T) *door {
	t.Helper()
	d := &door{devices: new(devicetest.Memory), log: new(lines), socket: socketPath(t)}
	d.engine = &engine{
		folders: map[string][]syncengine.Folder{"ann": {
			{ID: 1, User: "ann", Backend: "dav", Collection: "/ann/c/", Kind: "contacts", Name: "Contacts", Default: true},
			{ID: 2, User: "ann", Backend: "dav", Collection: "/ann/w/", Kind: "events", Name: "Work", ReadOnly: true},
		}},
		held: []syncengine.Hold{{User: "ann", Folder: 1, Name: "Contacts", Items: 9, Of: 10, Since: noon, Until: noon.Add(time.Minute)}},
	}
	for i, id := range []device.ID{{User: "ann", Device: "WAITS"}, {User: "bob", Device: "PHONE"}, {User: "ann", Device: "A"}} {
		_, err := d.devices.Update(t.Context(), id, func(p *device.Phone, _ bool) error {
			p.Type, p.UserAgent, p.Version, p.Model = "iPhone", "Apple-iPhone/1", "16.1", "iPhone 15"
			p.FirstSeen, p.LastSeen = noon, noon.Add(time.Duration(i)*time.Hour)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	server := admin.New(admin.Options{
		Engine: d.engine, Devices: d.devices, Security: device.New(device.Options{Store: d.devices}), Waiting: d.engine, Version: "v1",
		Problems: unshown{{Object: problem.Object{User: "ann", Backend: "dav", Collection: "/ann/c/", ID: "x.vcf"}, Folder: 1,
			Kind: problem.Unreadable, Reason: "no BEGIN", FirstSeen: noon, LastSeen: noon, Count: 3}},
		Backends: func(context.Context) []admin.Backend {
			return []admin.Backend{{Name: "dav", Plugin: "carddav", Well: true}}
		},
		Heartbeat: device.Bounds{Min: time.Minute, Default: 8 * time.Minute, Max: 59 * time.Minute},
		Logger:    slog.New(slog.NewTextHandler(d.log, nil)),
	}).Serving()
	l, err := net.Listen("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving ended with %v", err)
		}
	})
	d.Client = admin.NewClient(d.socket)
	return d
}

// same compares an answer, and fails if there was none.
func same[T any](t *testing.T, want T) func(T, error) {
	return func(got T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(admin.Device{}, "Health", "Why")); diff != "" {
			t.Errorf("the answer (-want +got):\n%s", diff)
		}
	}
}

func TestQuestions(t *testing.T) {
	d := openDoor(t)
	ctx := t.Context()
	phone := func(user, id string, seen time.Duration, waiting bool) admin.Device {
		return admin.Device{User: user, Device: id, Type: "iPhone", Model: "iPhone 15", UserAgent: "Apple-iPhone/1", Version: "16.1",
			FirstSeen: noon, LastSeen: noon.Add(seen), Waiting: waiting}
	}
	contacts := admin.Folder{ID: 1, Name: "Contacts", Kind: "contacts", Backend: "dav", Collection: "/ann/c/", Default: true, Items: 10,
		Devices: []admin.Holding{{Device: "A", Items: 1, Behind: true}, {Device: "WAITS", Items: 5, Behind: true}}}
	work := admin.Folder{ID: 2, Name: "Work", Kind: "events", Backend: "dav", Collection: "/ann/w/", ReadOnly: true, Items: 20, Devices: []admin.Holding{}}
	t.Run("devices of all", func(t *testing.T) {
		same(t, []admin.Device{phone("ann", "A", 2*time.Hour, false), phone("ann", "WAITS", 0, true), phone("bob", "PHONE", time.Hour, false)})(d.Devices(ctx, ""))
	})
	t.Run("devices of one", func(t *testing.T) {
		same(t, []admin.Device{phone("bob", "PHONE", time.Hour, false)})(d.Devices(ctx, "bob"))
	})
	t.Run("devices of nobody", func(t *testing.T) { same(t, []admin.Device{})(d.Devices(ctx, "carol & co")) })
	t.Run("folders", func(t *testing.T) { same(t, []admin.Folder{contacts, work})(d.Folders(ctx, "ann", "")) })
	t.Run("folders of one phone", func(t *testing.T) {
		one := contacts
		one.Devices = one.Devices[:1]
		same(t, []admin.Folder{one, work})(d.Folders(ctx, "ann", "A"))
	})
	t.Run("folders of a person whose phone never asked", func(t *testing.T) { same(t, []admin.Folder{})(d.Folders(ctx, "bob", "")) })
	t.Run("holds", func(t *testing.T) {
		same(t, []admin.Hold{{User: "ann", Folder: 1, Name: "Contacts", Backend: "dav", Items: 9, Of: 10, Since: noon, Until: noon.Add(time.Minute)}})(d.Holds(ctx))
	})
	t.Run("problems", func(t *testing.T) {
		same(t, []admin.Problem{{Object: problem.Object{User: "ann", Backend: "dav", Collection: "/ann/c/", ID: "x.vcf"}, Folder: 1,
			Kind: problem.Unreadable, Reason: "no BEGIN", FirstSeen: noon, LastSeen: noon, Count: 3}})(d.Problems(ctx, "ann"))
	})
	t.Run("problems of nobody", func(t *testing.T) { same(t, []admin.Problem{})(d.Problems(ctx, "bob")) })
	t.Run("status", func(t *testing.T) {
		s, err := d.Status(ctx)
		if age := time.Since(s.Started); age < 0 || s.Started.IsZero() {
			t.Errorf("it started at %v", s.Started)
		}
		s.Started = time.Time{}
		same(t, admin.Status{Version: "v1", Phones: 3, Waiting: 7, Holds: 1, Problems: 1, Backends: []admin.Backend{{Name: "dav", Plugin: "carddav", Well: true}}})(s, err)
	})
	if log := d.log.text(); log != "" {
		t.Errorf("questions stand in the log:\n%s", log)
	}
}

func TestOrders(t *testing.T) {
	for _, tc := range []struct {
		name   string
		do     func(context.Context, *admin.Client) (admin.Done, error)
		orders string
		says   string
		logged string
		fails  admin.Kind
	}{
		{name: "release", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Release(ctx, admin.ReleaseRequest{User: "ann", Folder: 1})
		}, orders: "release ann 1", says: "folder 1 (Contacts) of ann", logged: "user=ann folder=1 http=200"},
		{name: "release where nothing is held", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Release(ctx, admin.ReleaseRequest{User: "ann", Folder: 2})
		}, fails: admin.NotFound, says: "Nothing of folder 2 (Work)", logged: "http=404"},
		{name: "release of somebody else's folder", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Release(ctx, admin.ReleaseRequest{User: "bob", Folder: 1})
		}, fails: admin.NotFound, says: `"bob" has no folder 1`, logged: "http=404"},
		{name: "release of nothing", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Release(ctx, admin.ReleaseRequest{User: "ann"})
		}, fails: admin.Invalid, says: "say whose folder", logged: "http=400"},
		{name: "resync of everything", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Resync(ctx, admin.ResyncRequest{User: "ann", Device: "A"})
		}, orders: "resync ann A 0", says: "loads everything anew at its next request.", logged: "user=ann phone=A http=200"},
		{name: "resync of a folder of a phone that waits", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Resync(ctx, admin.ResyncRequest{User: "ann", Device: "WAITS", Folder: 2})
		}, orders: "resync ann WAITS 2", says: "folder 2 (Work) anew at its next request, for which it was woken", logged: "folder=2"},
		{name: "resync of another person's phone", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Resync(ctx, admin.ResyncRequest{User: "ann", Device: "PHONE"})
		}, fails: admin.NotFound, says: `"ann" has no phone "PHONE"`, logged: "http=404"},
		{name: "resync of a folder that is not there", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Resync(ctx, admin.ResyncRequest{User: "ann", Device: "A", Folder: 3})
		}, fails: admin.NotFound, says: `"ann" has no folder 3`, logged: "http=404"},
		{name: "forget", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Forget(ctx, admin.ForgetRequest{User: "ann", Device: "A"})
		}, orders: "forget ann A, wake ann [1 2]", says: "begins anew", logged: "user=ann phone=A http=200"},
		{name: "forget a phone that is not known", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Forget(ctx, admin.ForgetRequest{User: "ann", Device: "a"})
		}, fails: admin.NotFound, says: "capital letters", logged: "http=404"},
		{name: "forget nobody's phone", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Forget(ctx, admin.ForgetRequest{})
		}, fails: admin.Invalid, says: "say whose phone", logged: "http=400"},
		{name: "a name without end", do: func(ctx context.Context, c *admin.Client) (admin.Done, error) {
			return c.Forget(ctx, admin.ForgetRequest{User: strings.Repeat("a", admin.MaxRequest), Device: "A"})
		}, fails: admin.Invalid, says: "larger than", logged: "http=400"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openDoor(t)
			done, err := tc.do(t.Context(), d.Client)
			said := done.Text
			failed, _ := errors.AsType[*admin.Error](err)
			switch {
			case (err == nil) != (tc.fails == ""), failed != nil && failed.Kind != tc.fails:
				t.Errorf("error = %v, want kind %q", err, tc.fails)
			case err != nil:
				said = err.Error()
			}
			if !strings.Contains(said, tc.says) {
				t.Errorf("it says %q, want %q in it", said, tc.says)
			}
			if orders := strings.Join(d.engine.orders, ", "); orders != tc.orders {
				t.Errorf("the engine was ordered %q, want %q", orders, tc.orders)
			}
			if log := d.log.text(); strings.Count(log, "\n") != 1 || !strings.Contains(log, tc.logged) {
				t.Errorf("the log says\n%s\nwant one line with %q", log, tc.logged)
			}
		})
	}
}

func TestForgottenPhoneIsNotInTheRegister(t *testing.T) {
	d := openDoor(t)
	if _, err := d.Forget(t.Context(), admin.ForgetRequest{User: "bob", Device: "PHONE"}); err != nil {
		t.Fatal(err)
	}
	if list, err := d.Devices(t.Context(), "bob"); err != nil || len(list) != 0 {
		t.Errorf("bob has %v, %v", list, err)
	}
}

// TestWire is what no client of ours would send.
func TestWire(t *testing.T) {
	d := openDoor(t)
	through := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.socket)
	}}}
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		kind                     admin.Kind
	}{
		{"no such call", "GET", "/v1/fly", "", 501, admin.Unknown},
		{"no such version", "GET", "/v2/status", "", 501, admin.Unknown},
		{"a question that is sent as an order", "POST", "/v1/status", "{}", 400, admin.Invalid},
		{"an order that is sent as a question", "GET", "/v1/forget", "", 400, admin.Invalid},
		{"no JSON", "POST", "/v1/forget", "user=ann", 400, admin.Invalid},
		{"no body", "POST", "/v1/forget", "", 400, admin.Invalid},
		{"a field that is not known", "POST", "/v1/resync", `{"user": "ann", "device": "A", "folders": 1}`, 400, admin.Invalid},
		{"two orders at once", "POST", "/v1/forget", `{"user": "ann", "device": "A"}{"user": "bob", "device": "PHONE"}`, 400, admin.Invalid},
		{"a number that is a text", "POST", "/v1/resync", `{"user": "ann", "device": "A", "folder": "1"}`, 400, admin.Invalid},
		{"a number that is negative", "POST", "/v1/resync", `{"user": "ann", "device": "A", "folder": -1}`, 400, admin.Invalid},
		{"a query that cannot be read", "GET", "/v1/devices?user=%zz", "", 400, admin.Invalid},
		{"a name without end", "GET", "/v1/devices?user=" + strings.Repeat("a", admin.MaxName+1), "", 400, admin.Invalid},
		{"nobody's folders", "GET", "/v1/folders", "", 400, admin.Invalid},
		{"the folders of nobody who is known", "GET", "/v1/folders?user=carol", "", 404, admin.NotFound},
		{"the folders of no phone that is known", "GET", "/v1/folders?user=ann&device=B", "", 404, admin.NotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), tc.method, "http://x"+tc.path, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := through.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			var text bytes.Buffer
			text.ReadFrom(answer.Body)
			if answer.StatusCode != tc.status || answer.Header.Get("Content-Type") != "application/json" ||
				!strings.HasPrefix(text.String(), `{"error":{"kind":"`+string(tc.kind)+`","text":"`) {
				t.Errorf("the answer is %s %s, want %d and kind %s", answer.Status, &text, tc.status, tc.kind)
			}
			if len(d.engine.orders) > 0 {
				t.Errorf("the engine was ordered %v", d.engine.orders)
			}
		})
	}
}

func TestMistakeOfOursEndsOneCall(t *testing.T) {
	d := openDoor(t)
	d.engine.panics = true
	_, err := d.Holds(t.Context())
	if e, ok := errors.AsType[*admin.Error](err); !ok || e.Kind != admin.Internal || strings.Contains(e.Text, "a mistake\n") {
		t.Errorf("error = %v, want kind %s", err, admin.Internal)
	}
	if log := d.log.text(); !strings.Contains(log, "a mistake") || !strings.Contains(log, "stack=") {
		t.Errorf("the log says\n%s\nwant the panic with its stack", log)
	}
	if _, err := d.Devices(t.Context(), ""); err != nil {
		t.Errorf("the next call fails: %v", err)
	}
}

// TestNobodyThere tells apart why there is no answer.
func TestNobodyThere(t *testing.T) {
	listen := func(t *testing.T, talk func(net.Conn)) string {
		path := socketPath(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		var talking sync.WaitGroup
		talking.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				talk(c)
				c.Close()
			}
		})
		t.Cleanup(func() { l.Close(); talking.Wait() })
		return path
	}
	for _, tc := range []struct {
		name   string
		socket func(*testing.T) string
		kind   admin.Kind
		says   string
	}{
		{"no socket", socketPath, admin.Absent, "pushbridge serve"},
		{"the socket of a worker that died", func(t *testing.T) string {
			path := socketPath(t)
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			l.Close()
			return path
		}, admin.Absent, "pushbridge serve"},
		{"a socket that is not for us", func(t *testing.T) string {
			if os.Geteuid() == 0 {
				t.Skip("root may open every socket")
			}
			path := listen(t, func(net.Conn) {})
			if err := os.Chmod(path, 0); err != nil {
				t.Fatal(err)
			}
			return path
		}, admin.Forbidden, "as root"},
		{"another program", func(t *testing.T) string {
			return listen(t, func(c net.Conn) {
				c.Read(make([]byte, 4096))
				fmt.Fprint(c, "220 mail.example.org ESMTP\r\n")
			})
		}, admin.Strange, "no pushbridge worker"},
		{"another web server", func(t *testing.T) string {
			return listen(t, func(c net.Conn) {
				c.Read(make([]byte, 4096))
				fmt.Fprint(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			})
		}, admin.Strange, "no pushbridge worker"},
		{"one that hangs up", func(t *testing.T) string {
			return listen(t, func(c net.Conn) { c.Read(make([]byte, 4096)) })
		}, admin.Strange, "no pushbridge worker"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := tc.socket(t)
			_, err := admin.NewClient(path).Devices(t.Context(), "")
			e, ok := errors.AsType[*admin.Error](err)
			if !ok || e.Kind != tc.kind || !strings.Contains(e.Text, tc.says) || !strings.Contains(e.Text, path) {
				t.Errorf("error = %v, want kind %s, the path and %q", err, tc.kind, tc.says)
			}
		})
	}
	t.Run("who gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := admin.NewClient(socketPath(t)).Devices(ctx, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want %v", err, context.Canceled)
		}
	})
}
