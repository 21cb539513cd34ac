// Package davtest starts real CalDAV and CardDAV servers for tests, on this machine and for as long as a test runs.
//
// A test that needs one calls [Radicale], [Xandikos] or [Cyrus]. Where the program is
// not installed the test is skipped by name, except that PUSHBRIDGE_CI=1 makes
// its absence a failure.
package davtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// startTimeout bounds how long a server may take until it answers. Both are
// Python programs; on a loaded machine their imports alone take seconds.
const startTimeout = 60 * time.Second

// User names a person who may log in.
type User struct {
	Name     string
	Password string
}

// Ann owns every collection that a new Server has; Bob has none.
var (
	Ann = User{Name: "ann", Password: "correct horse"}
	Bob = User{Name: "bob", Password: "battery staple"}
)

// A Server is a running CalDAV and CardDAV server.
type Server struct {
	URL      string // the server's root, "http://127.0.0.1:40123/"
	User     string // Ann.Name
	Password string // Ann.Password

	// Paths of Ann's collections, from the root, with a slash at both ends.
	AddressBook string // vCards
	Calendar    string // VEVENT, VTODO and VJOURNAL in one
	Events      string // VEVENT only, or empty if the server cannot say so
	Tasks       string // VTODO only, or empty
	Notes       string // VJOURNAL only, or empty

	Folder string // where it keeps its files: Radicale's filesystem_folder

	t       testing.TB
	log     string // a file that has what the server printed
	command func(log io.Writer) *exec.Cmd
	process *exec.Cmd
	ended   chan struct{} // closed when process has ended
	ready   func() error  // asks the server whether it answers
	forget  func(path string) error
	several bool // the server is several processes, which make up a group
}

// Option changes how a server is started.
type Option func(*options)

type options struct{ args []string }

// Arguments are appended to the server's command line, for instance
// "--storage-hook" and a command.
func Arguments(args ...string) Option {
	return func(o *options) { o.args = append(o.args, args...) }
}

func gather(list []Option) options {
	var o options
	for _, f := range list {
		f(&o)
	}
	return o
}

// freePort is a port of 127.0.0.1 that nobody listens on. It is none of those
// that the system gives to connections: on one of them somebody might be before
// the server listens.
func freePort(t testing.TB) int {
	t.Helper()
	const lowest, highest = 20_000, 30_000
	var last error
	for range 100 {
		port := lowest + rand.IntN(highest-lowest)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
		last = err
	}
	t.Fatalf("davtest: looking for a free port: %v", last)
	return 0
}

// begin starts the server for the first time and sees to its end.
func (s *Server) begin() {
	s.t.Helper()
	s.log = filepath.Join(s.t.TempDir(), "server.log")
	s.t.Cleanup(s.Stop)
	s.Restart()
}

// Restart ends the server if it runs and starts it again, on the same port
// and with the same storage.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	log, err := os.OpenFile(s.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatalf("davtest: %v", err)
	}
	defer log.Close() // the process has a descriptor of its own
	cmd := s.command(log)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		// Linux ends the server with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		endWithUs(cmd, s.several)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() //nolint:errcheck // how it ended shows in its log
		}
	}()
	if err := <-started; err != nil {
		s.t.Fatalf("davtest: starting %s: %v", cmd.Path, err)
	}
	s.process, s.ended = cmd, ended
	s.await()
}

// await returns when the server answers.
func (s *Server) await() {
	s.t.Helper()
	deadline := time.After(startTimeout)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	err := errors.New("it was never asked")
	for {
		select {
		case <-s.ended:
			s.t.Fatalf("davtest: %s ended at its start:\n%s", s.process.Path, s.Log())
		case <-deadline:
			s.t.Fatalf("davtest: %s does not answer after %v: %v\n%s", s.process.Path, startTimeout, err, s.Log())
		case <-again.C:
		}
		if err = s.ready(); err == nil {
			return
		}
	}
}

// Stop ends the server. What it stored stays; [Server.Restart] brings it back.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	kill(s.process.Process, s.several)
	<-s.ended
	s.process = nil
}

// Forget makes the server forget the history of a collection: sync-tokens
// given out for it are not known any more as soon as something changes, for
// Radicale's token is a hash of what is there. Xandikos cannot forget.
func (s *Server) Forget(path string) {
	s.t.Helper()
	if s.forget == nil {
		s.t.Fatal("davtest: this server cannot forget")
	}
	if err := s.forget(path); err != nil {
		s.t.Fatalf("davtest: %v", err)
	}
}

// Log is what the server printed up to now.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A Response is what the server said.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// client opens a connection for each request, so that nothing is left behind
// when the server is stopped.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       startTimeout,
}

// Do sends one request as Ann. The header is a list of names and values.
func (s *Server) Do(method, path string, body []byte, header ...string) (Response, error) {
	return s.DoAs(User{s.User, s.Password}, method, path, body, header...)
}

// DoAs is Do as somebody else.
func (s *Server) DoAs(u User, method, path string, body []byte, header ...string) (Response, error) {
	req, err := http.NewRequest(method, strings.TrimSuffix(s.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return Response{}, err
	}
	req.SetBasicAuth(u.Name, u.Password)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Response{resp.StatusCode, resp.Header, text}, err
}

// must sends a request and ends the test unless the server agreed.
func (s *Server) must(method, path string, body []byte, header ...string) Response {
	s.t.Helper()
	r, err := s.Do(method, path, body, header...)
	if err != nil {
		s.t.Fatalf("davtest: %s %s: %v", method, path, err)
	}
	if r.Status/100 != 2 {
		s.t.Fatalf("davtest: %s %s: status %d\n%s\n%s", method, path, r.Status, r.Body, s.Log())
	}
	return r
}

// Put stores an object behind the back of whatever is tested, and answers its
// ETag. The media type follows from the path's ending, .vcf or .ics.
func (s *Server) Put(path string, body string) string {
	s.t.Helper()
	mediaType := "text/calendar; charset=utf-8"
	if strings.HasSuffix(path, ".vcf") {
		mediaType = "text/vcard; charset=utf-8"
	}
	return s.must("PUT", path, []byte(body), "Content-Type", mediaType).Header.Get("ETag")
}

// Get reads an object; ok is false if there is none.
func (s *Server) Get(path string) (body string, ok bool) {
	s.t.Helper()
	r, err := s.Do("GET", path, nil)
	if err != nil || r.Status/100 != 2 && r.Status != http.StatusNotFound {
		s.t.Fatalf("davtest: GET %s: status %d, %v", path, r.Status, err)
	}
	return string(r.Body), r.Status != http.StatusNotFound
}

// Delete removes an object, or a whole collection.
func (s *Server) Delete(path string) {
	s.t.Helper()
	s.must("DELETE", path, nil)
}

// MakeAddressBook creates an empty address book of Ann's.
// See RFC 6352, section 6.3.1.
func (s *Server) MakeAddressBook(path, name string) {
	s.t.Helper()
	body := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>
<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>
<D:displayname>%s</D:displayname></D:prop></D:set></D:mkcol>`, name)
	s.must("MKCOL", path, []byte(body), "Content-Type", "application/xml; charset=utf-8")
}

// MakeCalendar creates an empty calendar of Ann's for the named components
// (VEVENT, VTODO, VJOURNAL), or for those the server prefers if none is named.
// See RFC 4791, section 5.3.1.
func (s *Server) MakeCalendar(path, name string, components ...string) {
	s.t.Helper()
	var set string
	if len(components) > 0 {
		set = `<C:supported-calendar-component-set><C:comp name="` +
			strings.Join(components, `"/><C:comp name="`) + `"/></C:supported-calendar-component-set>`
	}
	body := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/"><D:set><D:prop>
<D:displayname>%s</D:displayname><A:calendar-color>#11AA33FF</A:calendar-color>%s</D:prop></D:set></C:mkcalendar>`, name, set)
	s.must("MKCALENDAR", path, []byte(body), "Content-Type", "application/xml; charset=utf-8")
}
