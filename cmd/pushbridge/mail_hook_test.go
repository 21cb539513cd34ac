package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/imap/imaptest"
)

// tellingScript is what the README has Dovecot tell us of new mail by, with a copy of
// this program that everybody may run.
func tellingScript(t testing.TB, socket string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "```lua\n")
	script, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("the README has no script")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pushbridge")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("pushbridge notify", path+" notify", "/run/pushbridge/notify.sock", socket).Replace(script)
}

// Where Dovecot neither waits nor is asked for hours, its delivery tells of new mail by
// the script in the README.
func TestDovecotTellsByItsDelivery(t *testing.T) {
	if testing.Short() {
		t.Skip("starts mail servers and nginx")
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "notify.sock")
	w := &mailWorld{&world{t: t, log: new(bridgetest.Log)}, imaptest.Start(t, imaptest.Hook(tellingScript(t, socket)),
		imaptest.Capabilities("IMAP4rev1 SASL-IR LITERAL+ ENABLE UIDPLUS CONDSTORE QRESYNC MOVE SPECIAL-USE LIST-EXTENDED LIST-STATUS"))}
	addr := "unix:" + fcgitest.SocketPath(t)
	w.serve(filepath.Join(dir, "pushbridge.toml"), fmt.Sprintf("listen = %q\nstate = %q\nnotify = \"unixgram:%s?mode=0666\"\npoll_min = \"10h\"\npoll_max = \"10h\"\n"+
		"[log]\nlevel = \"debug\"\n[login]\ndomain = %q\n[backend.mail]\nplugin = \"imap\"\nurl = \"imaps://%s\"\nca_file = %q\npoll = \"10h\"\n", addr, t.TempDir(), socket, imaptest.Domain, w.mail.IMAPS, w.mail.CAFile), addr)
	s := &mailStory{mailWorld: w, t: t, v: eas.V161, client: w.client(t, imaptest.Ann, eas.V161)}
	s.phone = bridgetest.Checked(t, phone.New(s.client, phone.Settings{Classes: []string{eas.ClassEmail}}))
	bridgetest.Sync(t, s.phone)
	answered := make(chan eas.PingResponse, 1)
	go func() {
		r, err := s.phone.Ping(t.Context(), 50*time.Minute)
		if err != nil {
			t.Errorf("Ping: %v", err)
		}
		answered <- r
	}()
	s.deliver("told", "", "Words\r\n")
	select {
	case r := <-answered:
		if r.Status != eas.PingChanges {
			t.Errorf("Ping ended with %+v", r)
		}
	case <-time.After(2 * time.Minute): // less than anything else would take
		t.Fatal("nobody told of the mail")
	}
	s.find(eas.FolderInbox, "told")
	w.await("the notice is in the log", func() bool {
		return strings.Contains(w.log.String(), "msg=notice backend=mail user="+imaptest.Ann.Name)
	})
}
