package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A desk is a CardDAV server with two empty address books, one person, and a
// porter who writes down who asked from where with which password.
type desk struct {
	*httptest.Server
	mu       sync.Mutex
	password string
	refused  int
	from     map[string]int // X-Forwarded-For -> how many requests were let in
}

// deskBook is what the desk says of a path: everything, whatever was asked.
const deskBook = `<d:response><d:href>%s</d:href><d:propstat><d:prop>%s
<d:current-user-principal><d:href>/p/</d:href></d:current-user-principal><c:addressbook-home-set><d:href>/ann/</d:href></c:addressbook-home-set>
<s:getctag>1</s:getctag><d:sync-token>t1</d:sync-token></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`

func newDesk(t *testing.T, password string) *desk {
	d := &desk{password: password, from: map[string]int{}}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.admits(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="desk"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		io.WriteString(w, `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" xmlns:s="http://calendarserver.org/ns/">`)
		book := `<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>`
		switch path := r.URL.Path; {
		case r.Method == "REPORT":
			io.WriteString(w, `<d:sync-token>t1</d:sync-token>`)
		case path == "/ann/" && r.Header.Get("Depth") == "1":
			fmt.Fprintf(w, deskBook+deskBook, "/ann/people/", book, "/ann/team/", book)
		case strings.HasPrefix(path, "/ann/") && path != "/ann/":
			fmt.Fprintf(w, deskBook, path, book)
		default:
			fmt.Fprintf(w, deskBook, path, "")
		}
		io.WriteString(w, `</d:multistatus>`)
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *desk) admits(r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	user, password, _ := r.BasicAuth()
	if user != "ann" || password != d.password {
		d.refused++
		return false
	}
	d.from[r.Header.Get("X-Forwarded-For")]++
	return true
}

// change gives the person another password.
func (d *desk) change(password string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.password = password
}

// counts are how often nobody and somebody from an address was let in.
func (d *desk) counts(address string) (refused, admitted int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused, d.from[address]
}

// from is a web server's side of FastCGI for a phone at an address.
type from struct {
	fcgitest.Transport
	address string
}

func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RemoteAddr = f.address
	r.Header.Set("X-Forwarded-For", "203.0.113.66") // which any phone can say, and nobody believes
	return f.Transport.RoundTrip(r)
}

// serveDesk runs a worker in front of a desk, until the test ends. It answers
// where it serves and where its state is.
func serveDesk(t *testing.T, d *desk, log *bridgetest.Log) (addr, state string) {
	addr, state = "unix:"+fcgitest.SocketPath(t), t.TempDir()
	path := filepath.Join(t.TempDir(), "pushbridge.toml")
	config := fmt.Sprintf("listen = %q\nstate = %q\nheartbeat_min = 1\npoll_min = \"1s\"\npoll_max = \"2s\"\n[log]\nlevel = \"debug\"\n"+
		"[backend.contacts]\nplugin = \"carddav\"\nurl = %q\nforward_address = true\n", addr, state, d.URL)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve", "--config", path}, log, log) }()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != exitOK {
			t.Errorf("the worker ended with status %d", status)
		}
		if t.Failed() {
			t.Logf("the worker's log:\n%s", log)
		}
	})
	(&world{t: t, log: log}).await("the worker listens", func() bool { return strings.Contains(log.String(), "listening for a web server") })
	return addr, state
}

// knock asks for OPTIONS, which needs nothing but a password.
func knock(t *testing.T, at from, password string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://x/Microsoft-Server-ActiveSync", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("ann", password)
	answer, err := at.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

// TestCredentials follows a password through the whole house: two phones wait
// with it, it is changed, and somebody guesses at the new one.
func TestCredentials(t *testing.T) {
	const canary, changed = "canary-5e1f!geheim", "changed-77c0!geheim"
	d, log := newDesk(t, canary), new(bridgetest.Log)
	addr, state := serveDesk(t, d, log)
	w := &world{t: t, log: log}
	places := map[string]from{
		"192.0.2.7":     {fcgitest.Transport{Addr: addr}, "192.0.2.7:5000"},
		"2001:db8::9:1": {fcgitest.Transport{Addr: addr}, "[2001:db8::9:1]:5000"},
	}
	endings := make(chan eas.PingResponse, len(places))
	for address, at := range places {
		p := bridgetest.Checked(t, phone.New(&easclient.Client{
			URL: "http://x", User: "ann", Password: canary, Version: eas.V141, DeviceID: "D" + strconv.Itoa(len(address)), DeviceType: "test",
			HTTP: &http.Client{Transport: at},
		}, phone.Settings{Classes: []string{"Contacts"}}))
		bridgetest.Sync(t, p)
		go func() {
			r, err := p.Ping(t.Context(), 50*time.Minute)
			if err != nil {
				t.Errorf("Ping: %v", err)
			}
			endings <- r
		}()
		if _, n := d.counts(address); n == 0 {
			t.Errorf("the server was not told that a phone is at %s", address)
		}
	}
	d.mu.Lock()
	d.from = map[string]int{}
	d.mu.Unlock()
	w.await("the server is polled for a phone that waits", func() bool {
		_, a := d.counts("192.0.2.7")
		_, b := d.counts("2001:db8::9:1")
		return a+b > 6
	})
	for _, other := range []string{"", "127.0.0.1", "203.0.113.66"} {
		if _, n := d.counts(other); n > 0 {
			t.Errorf("%d requests came for %q, which is nobody who waits", n, other)
		}
	}
	nowhere(t, state, log, canary)

	d.change(changed)
	for range places {
		if r := <-endings; r.Status != eas.PingExpired {
			t.Errorf("a Ping whose password is no longer right ended with status %d, want %d: come again", r.Status, eas.PingExpired)
		}
	}
	for _, at := range places {
		if r := knock(t, at, canary); r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("the next request is answered %d, want 401", r.StatusCode)
		}
	}
	// Three topics may have been asked for at the same moment; then one request
	// asks once more, for both phones.
	w.await("nobody looks for changes any more", func() bool { return strings.Count(log.String(), "no longer looking for changes") >= 3 })
	if refused, _ := d.counts(""); refused > 4 {
		t.Errorf("the server refused %d requests, want no more than were under way", refused)
	}

	home := places["192.0.2.7"]
	if r := knock(t, home, changed); r.StatusCode != http.StatusOK {
		t.Errorf("with the new password: %d, want 200", r.StatusCode)
	}
	guesser := from{fcgitest.Transport{Addr: addr}, "198.51.100.1:5000"}
	var last *http.Response
	for i := range 20 {
		last = knock(t, guesser, fmt.Sprint("guess", i))
	}
	wait, err := strconv.Atoi(last.Header.Get("Retry-After"))
	if last.StatusCode != http.StatusServiceUnavailable || err != nil || wait < 1 || wait > 600 {
		t.Errorf("somebody who guesses is answered %d, Retry-After %q; want 503 and when", last.StatusCode, last.Header.Get("Retry-After"))
	}
	if r := knock(t, home, changed); r.StatusCode != http.StatusOK {
		t.Errorf("the owner is answered %d meanwhile, want 200", r.StatusCode)
	}
	nowhere(t, state, log, canary, changed, "guess1")
}

// nowhere looks for passwords where none may be: in the state, in the log, and
// in what other users of the computer see of the plugins' processes.
func nowhere(t *testing.T, state string, log *bridgetest.Log, passwords ...string) {
	t.Helper()
	var needles [][]byte
	for _, p := range passwords {
		needles = append(needles, []byte(p), []byte(url.QueryEscape(p)), []byte(base64.StdEncoding.EncodeToString([]byte("ann:"+p))))
	}
	look := func(where string, text []byte) {
		t.Helper()
		if slices.ContainsFunc(needles, func(n []byte) bool { return bytes.Contains(text, n) }) {
			t.Errorf("a password is in %s", where)
		}
	}
	look("the log", []byte(log.String()))
	files := 0
	err := filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files++
		look(path, text)
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("looking at %d files of the state: %v", files, err)
	}
	children, _ := filepath.Glob("/proc/[0-9]*/status")
	looked := 0
	for _, status := range children {
		text, err := os.ReadFile(status)
		if err != nil || !strings.Contains(string(text), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) {
			continue // it ended meanwhile, or is none of ours
		}
		for _, what := range []string{"environ", "cmdline"} {
			file := filepath.Join(filepath.Dir(status), what)
			if text, err := os.ReadFile(file); err == nil {
				look(file, text)
				looked++
			}
		}
	}
	if looked == 0 && len(children) > 0 {
		t.Error("no plugin was found among the processes")
	}
}
