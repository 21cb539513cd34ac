package main

import (
	"encoding/xml"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// listed is what lies in a collection of Radicale's, by path, with its display
// name if it has one.
func (w *world) listed(collection string) map[string]string {
	w.t.Helper()
	r, err := w.radicale.Do("PROPFIND", collection, []byte(`<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`),
		"Depth", "1", "Content-Type", "application/xml; charset=utf-8")
	if err != nil {
		w.t.Fatal(err)
	}
	var all struct {
		Response []struct {
			Href string `xml:"href"`
			Name string `xml:"propstat>prop>displayname"`
		} `xml:"response"`
	}
	if err := xml.Unmarshal(r.Body, &all); err != nil {
		w.t.Fatalf("PROPFIND %s: %d, %v", collection, r.Status, err)
	}
	found := make(map[string]string)
	for _, one := range all.Response {
		if one.Href != collection {
			found[one.Href] = one.Name
		}
	}
	return found
}

// called finds the collection of Radicale's with a name; empty if there is none.
func (w *world) called(name string) string {
	w.t.Helper()
	home := path.Dir(path.Clean(w.radicale.AddressBook)) + "/"
	for href, n := range w.listed(home) {
		if n == name {
			return href
		}
	}
	return ""
}

// plays runs "pushbridge phone", and fails unless it works and says something.
func (w *world) plays(v eas.Version, says string, args ...string) {
	w.t.Helper()
	var out bridgetest.Log
	all := slices.Concat([]string{"phone"}, args, []string{"--url", w.nginx.URL, "--user", w.radicale.User, "--password", w.radicale.Password,
		"--eas", v.String(), "--device", "ARRANGER"})
	if status := run(w.t.Context(), all, &out, &out); status != exitOK || !strings.Contains(out.String(), says) {
		w.t.Fatalf("phone %s: status %d, it prints\n%s\nwant %q in it", strings.Join(args, " "), status, out.String(), says)
	}
}

// Folders that phones make, rename and delete, and things that they move into
// them, are so at a real Radicale, through a real nginx; other phones see the same.
func TestFoldersEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and Radicale")
	}
	w := startWorld(t)
	for _, v := range bridgetest.Versions {
		t.Run(v.String(), func(t *testing.T) { w.within(t).arrange(v) })
	}
}

func (w *world) arrange(v eas.Version) {
	club, title := "Club of "+v.String(), "Member "+v.String()
	p := w.phone(v, "FOLDERS"+strings.ReplaceAll(v.String(), ".", ""))
	bridgetest.Sync(w.t, p)
	main := bridgetest.FolderOf(w.t, p, "Contacts")
	if _, err := p.Add(main.ServerID, kinds[0].made(title)); err != nil {
		w.t.Fatal(err)
	}
	w.plays(v, "Made the folder", "folder", "create", "contacts", club)
	at := w.called(club)
	if at == "" {
		w.t.Fatalf("Radicale has no %q", club)
	}
	w.holds(p, "Contacts", title)
	w.plays(v, "Moved", "move", title, club)
	if there := w.listed(at); len(there) != 1 {
		w.t.Errorf("in %q Radicale has %v, want one card", club, there)
	}
	if there := w.listed(w.radicale.AddressBook); len(there) != 0 {
		w.t.Errorf("in the address book Radicale still has %v", there)
	}
	w.shows(p, club, title)
	w.plays(v, "is called", "folder", "rename", club, "New "+club)
	if now := w.called("New " + club); now != at {
		w.t.Errorf("Radicale has %q as %q, which was %q", "New "+club, now, at)
	}
	w.shows(p, "New "+club, title)
	w.plays(v, "Deleted", "folder", "delete", "New "+club)
	if left := w.called("New " + club); left != "" {
		w.t.Errorf("Radicale still has %s", left)
	}
	if _, err := p.FolderSync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.holds(p, "Contacts")
}

// shows fails unless a phone has a folder with one item in it, and no other one
// with that item.
func (w *world) shows(p *phone.Phone, folder, title string) {
	w.t.Helper()
	if _, err := p.FolderSync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.holds(p, "Contacts", title)
	f, _ := p.Folder(folderWith(p, titles(p, "Contacts")[title]))
	if f.DisplayName != folder {
		w.t.Errorf("the phone has %q in %q, want it in %q", title, f.DisplayName, folder)
	}
}

// What cannot be done is said, with the status that says so to scripts.
func TestPhoneFolderMistakes(t *testing.T) {
	o := openOffice(t)
	for _, tt := range []struct {
		args   string
		status int
		says   string
	}{
		{"folder create mail Letters", exitUsage, "calendar, contacts, notes, tasks"},
		{"folder create contacts", exitUsage, "accepts 2 arg(s)"},
		{"folder rename Nowhere Somewhere", exitFailure, `there is no folder "Nowhere"`},
		{"folder delete contacts", exitFailure, "main folders"},
		{"move Nobody contacts", exitFailure, `there is no item "Nobody"`},
		{"folder", exitOK, "create"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			var out bridgetest.Log
			args := slices.Concat([]string{"phone"}, strings.Fields(tt.args), []string{"--url", o.url, "--user", "ann", "--password", "secret"})
			if status := run(t.Context(), args, &out, &out); status != tt.status || !strings.Contains(out.String(), tt.says) {
				t.Errorf("status %d, it prints\n%s\nwant %d and %q", status, out.String(), tt.status, tt.says)
			}
		})
	}
}
