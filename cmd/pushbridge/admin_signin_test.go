package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// TestAdministrators begins with a worker that knows nobody, has the socket make an
// administrator, who signs in in a browser, and a token, with which a program
// asks over the web.
func TestAdministrators(t *testing.T) {
	o := openOfficeAt(t, "web.url = \"http://127.0.0.1:8080\"\n")
	file := func(name, text string) string {
		path := filepath.Join(filepath.Dir(o.config), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fails := func(status int, words string, args ...string) {
		t.Helper()
		if got, out := o.admin(args...); got != status || !strings.Contains(out, words) {
			t.Errorf("admin %v: status %d, it prints\n%s\nwant %d and %q", args, got, out, status, words)
		}
	}
	secret := file("password", "correct horse battery\n")
	o.says("administrator list", "There are no administrators: nobody signs in over the web.")
	o.says("token list", "There are no tokens.")
	o.says("session list", "Nobody is signed in.")
	fails(exitUsage, "12 characters", "administrator", "add", "jane", "--roles", "helpdesk", "--password-file", file("short", "abc"))
	fails(exitUsage, "is no role of an administrator", "administrator", "add", "jane", "--roles", "boss", "--password-file", secret)
	fails(exitUsage, "Say which roles", "administrator", "add", "jane", "--password-file", secret)
	fails(exitUsage, "is no name for an administrator", "administrator", "add", "Jane Doe", "--roles", "helpdesk", "--password-file", secret)
	fails(exitFailure, "no such administrator", "administrator", "disable", "jane")
	o.says("administrator add jane --roles helpdesk,device-administrator --password-file "+secret, "jane: device-administrator, helpdesk; signs in with: password.")
	fails(exitUsage, "already", "administrator", "add", "jane", "--roles", "helpdesk", "--password-file", secret)
	if list := asked[[]admin.Administrator](o, "administrator list"); len(list) != 1 || list[0].Name != "jane" || !list[0].Password || list[0].Disabled {
		t.Errorf("there are %+v", list)
	}
	if status := o.signIn("/admin/", "jane", "correct horse battery"); status != http.StatusSeeOther {
		t.Errorf("jane signing in is answered %d", status)
	}
	if status := o.signIn("/my/", "ann", "secret"); status != http.StatusSeeOther {
		t.Errorf("ann signing in is answered %d", status)
	}
	if status := o.signIn("/my/", "ann", "wrong"); status != http.StatusForbidden {
		t.Errorf("ann with a wrong password is answered %d", status)
	}
	o.says("session list", "jane", "owner ann", "127.0.0.1")
	o.says("audit list", "signin", "administrator jane", "owner ann", "denied")

	fails(exitUsage, "cannot hand it on", "token", "new", "jane", "cron", "--roles", "server-administrator")
	made := asked[admin.NewToken](o, "token new jane cron --roles helpdesk --days 3")
	token := file("token", made.Secret+"\n")
	remote := []string{"--url", o.url, "--token-file", token}
	web := func(args ...string) []string { return append(args, remote...) }
	fails(exitOK, "No phone has come yet.", web("devices")...)
	fails(exitFailure, "token cron of jane may not do this", web("wipe", "ann", "P", "--yes")...)
	fails(exitFailure, "may not do this", web("administrator", "list")...)
	fails(exitFailure, "Nobody is signed in", "devices", "--url", o.url+"/admin/", "--token-file", file("other", "pushbridge_0011223344556677_x"))
	fails(exitUsage, "the token is missing", "devices", "--url", o.url)
	fails(exitUsage, "is not a place to send a token to", "devices", "--url", "http://mail.example.org", "--token-file", token)
	fails(exitUsage, "is not where a worker is", "devices", "--url", "https://mail.example.org/console", "--token-file", token)
	fails(exitFailure, "cannot be reached", "devices", "--url", "http://127.0.0.1:1", "--token-file", token)
	t.Setenv(urlVariable, o.url)
	t.Setenv(tokenVariable, made.Secret)
	fails(exitOK, "No phone has come yet.", "devices")
	t.Setenv(urlVariable, "")

	o.stop()
	o.start() // everything is kept, and the web has another port
	remote[1] = o.url
	fails(exitOK, "No phone has come yet.", web("devices")...)
	o.says("session list", "jane")
	o.says("session end --user ann", "Sessions that have ended: 1.")
	o.says("administrator roles jane read-only", "jane: read-only")
	o.says("session list", "Nobody is signed in.")
	fails(exitFailure, "may not do this", web("devices")...)
	o.says("token revoke jane "+made.ID, "The token cron of jane is not valid any more.")
	fails(exitFailure, "Nobody is signed in", web("devices")...)
	o.says("administrator password jane --password-file "+file("new", "another long password"), "jane has a new password")
	o.says("administrator disable jane", "nothing: disabled")
	if status := o.signIn("/admin/", "jane", "another long password"); status != http.StatusForbidden {
		t.Errorf("jane, who is switched off, signing in is answered %d", status)
	}
	o.says("administrator remove jane", "jane is an administrator no more")
	o.says("audit verify", "")
}

// signIn sends the form, and answers the status.
func (o *office) signIn(prefix, name, password string) int {
	o.t.Helper()
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := c.PostForm(o.url+prefix+"signin", url.Values{"name": {name}, "password": {password}})
	if err != nil {
		o.t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

// A worker whose configuration names no place on the web is as it was.
func TestNoWeb(t *testing.T) {
	o := openOffice(t)
	for _, prefix := range []string{"/admin/", "/my/"} {
		if status := o.signIn(prefix, "ann", "secret"); status != http.StatusNotFound {
			t.Errorf("%s is answered %d", prefix, status)
		}
	}
}
