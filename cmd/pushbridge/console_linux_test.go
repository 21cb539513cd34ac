package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A desktop is a browser of an administrator, in front of nginx.
type desktop struct {
	*testing.T
	nginx   *fcgitest.Nginx
	cookies []*http.Cookie
}

// consoleHost is what the administration is called.
const consoleHost = "console.test"

// ask sends a request, and does not follow where it leads. A form is posted.
func (d *desktop) ask(path string, form url.Values) *http.Response {
	d.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(d.Context(), method, d.nginx.URL+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	r.Host = consoleHost
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://"+consoleHost)
	}
	for _, c := range d.cookies {
		r.AddCookie(c)
	}
	answer, err := d.nginx.Client.Do(r)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { answer.Body.Close() })
	d.cookies = append(d.cookies, answer.Cookies()...)
	return answer
}

// page asks for one, and answers its text.
func (d *desktop) page(path string) string {
	d.Helper()
	answer := d.ask(path, nil)
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		d.Fatalf("%s is answered %s, %v", path, answer.Status, err)
	}
	return string(text)
}

// follow opens the stream of the overview.
func (d *desktop) follow() *bufio.Scanner {
	d.Helper()
	answer := d.ask(fmt.Sprintf("/admin/events?view=overview&since=%d", time.Now().Unix()), nil)
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "text/event-stream" {
		d.Fatalf("the stream is answered %s, %s", answer.Status, kind)
	}
	return bufio.NewScanner(answer.Body)
}

// until reads lines of a stream until one has a text.
func (d *desktop) until(stream *bufio.Scanner, text string) {
	d.Helper()
	for stream.Scan() {
		if strings.Contains(stream.Text(), text) {
			return
		}
	}
	d.Fatalf("the stream ended before it said %q", text)
}

// TestConsole reaches the administrators' pages of a worker through nginx: an
// administrator signs in and follows what happens, while another worker takes over.
func TestConsole(t *testing.T) {
	d := startDaemonFor(t, []string{"ann"}, "web.url = \"https://"+consoleHost+"\"\n", func(socket string) string { return socket })
	d.await("listening for a web server", 1)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := run(t.Context(), []string{"admin", "--config", d.config, "administrator", "add", "jane", "--roles", "read-only", "--password-file", password}, &out, &out); status != exitOK {
		t.Fatalf("adding an administrator: status %d, %s", status, &out)
	}
	desk := &desktop{T: t, nginx: fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: d.addr, TLS: true, Name: consoleHost})}
	if answer := desk.ask("/admin/", nil); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/admin/signin") {
		t.Fatalf("who is not signed in is answered %s, %v", answer.Status, answer.Header)
	}
	answer := desk.ask("/admin/signin", url.Values{"name": {"jane"}, "password": {"correct horse battery"}, "next": {"/admin/devices"}})
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/admin/devices" {
		t.Fatalf("signing in is answered %s, %v", answer.Status, answer.Header)
	}
	if text := desk.page("/admin/devices"); !strings.Contains(text, "No phone has come yet") {
		t.Errorf("the list of phones is %s", text)
	}
	stream := desk.follow()
	desk.until(stream, "<strong>0</strong> <span>Phones</span>")
	ann := phone.New(&easclient.Client{URL: desk.nginx.URL, User: "ann", Password: "secret", Version: eas.V161, DeviceID: "ANNSPHONE", DeviceType: "test",
		HTTP: desk.nginx.Client}, phone.Settings{})
	if _, err := ann.SyncFolders(t.Context()); err != nil {
		t.Fatal(err)
	}
	desk.until(stream, "<strong>1</strong> <span>Phones</span>") // at once, and not when the answer is complete
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for stream.Scan() { // until the worker lets go
	}
	d.await("listening for a web server", 2)
	stream = desk.follow()
	desk.until(stream, "<strong>1</strong> <span>Phones</span>")
	if text := desk.page("/admin/device?user=ann&device=ANNSPHONE"); !strings.Contains(text, "ANNSPHONE") {
		t.Errorf("the page of the phone is %s", text)
	}
	// That somebody follows keeps the worker from ending as little: see startDaemonFor.
}
