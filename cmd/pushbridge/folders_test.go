package main

import (
	"encoding/xml"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// listed is what lies in a collection at the server, by path, with its display
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

// home is where a kind's collections lie at the server.
func (w *world) home(k kind) string { return path.Dir(path.Clean(k.path(w.radicale))) + "/" }

// called finds a kind's collection with a name at the server; empty if there is
// none.
func (w *world) called(k kind, name string) string {
	w.t.Helper()
	for href, n := range w.listed(w.home(k)) {
		if n == name {
			return href
		}
	}
	return ""
}

// stores are the collections of a kind that hold an object with a text in it.
func (w *world) stores(k kind, text string) []string {
	w.t.Helper()
	var found []string
	for collection := range w.listed(w.home(k)) {
		for href := range w.listed(collection) {
			if body, ok := w.radicale.Get(href); ok && strings.HasSuffix(href, k.ending) && strings.Contains(body, text) {
				found = append(found, collection)
			}
		}
	}
	return found
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
// them, are so at real servers, through a real nginx; other phones see the same,
// and are told while they wait.
func TestFoldersEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx, Radicale and Xandikos")
	}
	for _, tt := range []struct {
		name  string
		start func(testing.TB, ...davtest.Option) *davtest.Server
		apart bool // the server makes calendars that hold only one component
	}{{"Radicale", davtest.Radicale, true}, {"Xandikos", davtest.Xandikos, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := startWorldOn(t, tt.start(t), "poll_min = \"1s\"\npoll_max = \"1s\"\n", "", "")
			for _, v := range bridgetest.Versions {
				t.Run(v.String(), func(t *testing.T) { w.within(t).arrange(v, kinds[0], true) })
			}
			for _, k := range kinds[1:] {
				t.Run(k.class, func(t *testing.T) { w.within(t).arrange(eas.V161, k, tt.apart) })
			}
			t.Run("made and deleted at the server", func(t *testing.T) { w.within(t).arranged() })
		})
	}
}

// arrange takes a folder of a kind through its life: it is made while another
// phone waits, gets something, another name, and goes with what is in it. Where a
// calendar is for everything it stays, because it is not this kind's alone.
func (w *world) arrange(v eas.Version, k kind, alone bool) {
	suffix := k.class + " " + v.String()
	club, title := "Club of "+suffix, "Member "+suffix
	p := w.phone(v, "FOLDERS"+strings.NewReplacer(".", "", " ", "").Replace(suffix))
	bridgetest.Sync(w.t, p)
	if _, err := p.Add(bridgetest.FolderOf(w.t, p, k.class).ServerID, k.made(title)); err != nil {
		w.t.Fatal(err)
	}
	bridgetest.Sync(w.t, p)
	w.tells(p, func() { w.plays(v, "Made the folder", "folder", "create", strings.ToLower(k.class), club) })
	at := w.called(k, club)
	if at == "" {
		w.t.Fatalf("the server has no %q", club)
	}
	if alone {
		w.plays(v, "Moved", "move", title, club)
	} else {
		w.moves(p, k, title, club) // by its id: there are three folders of that name
	}
	if there := w.stores(k, title); !slices.Equal(there, []string{at}) {
		w.t.Errorf("the server has %q in %q, want it in %q alone", title, there, at)
	}
	w.shows(p, k, club, title)
	if alone {
		w.plays(v, "is called", "folder", "rename", club, "New "+club)
		if now := w.called(k, "New "+club); now != at {
			w.t.Errorf("the server has %q as %q, which was %q", "New "+club, now, at)
		}
		w.shows(p, k, "New "+club, title)
		w.plays(v, "Deleted", "folder", "delete", "New "+club)
		if left := w.called(k, "New "+club); left != "" {
			w.t.Errorf("the server still has %s", left)
		}
	} else {
		w.refuses(p, k, club)
		w.radicale.Delete(at)
	}
	w.await("the folder is gone from the other phone", func() bool {
		if _, err := p.FolderSync(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		return !slices.ContainsFunc(p.Folders(), func(f phone.Folder) bool { return f.Class == k.class && strings.HasSuffix(f.DisplayName, club) })
	})
	w.holds(p, k.class)
}

// theFolder is a phone's folder of a kind with a name.
func (w *world) theFolder(p *phone.Phone, k kind, name string) phone.Folder {
	w.t.Helper()
	if _, err := p.FolderSync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for _, f := range p.Folders() {
		if f.Class == k.class && f.DisplayName == name {
			return f
		}
	}
	w.t.Fatalf("the phone has no %q for %s", name, k.class)
	return phone.Folder{}
}

// moves moves something as the phone that holds it.
func (w *world) moves(p *phone.Phone, k kind, title, folder string) {
	w.t.Helper()
	id := titles(p, k.class)[title]
	out, err := p.Move(w.t.Context(), folderWith(p, id), w.theFolder(p, k, folder).ServerID, id)
	if err != nil || len(out) != 1 || out[0].Status != eas.MoveOK {
		w.t.Fatalf("moving %q to %q: %+v, %v", title, folder, out, err)
	}
}

// refuses fails if a phone can delete a folder.
func (w *world) refuses(p *phone.Phone, k kind, folder string) {
	w.t.Helper()
	if err := p.DeleteFolder(w.t.Context(), w.theFolder(p, k, folder).ServerID); err == nil {
		w.t.Errorf("a phone could delete %q, which may hold what is not %s", folder, k.class)
	}
}

// arranged makes and deletes collections at the server itself while a phone
// waits. See [MS-ASCMD] "Status (Ping)", value 7.
func (w *world) arranged() {
	p := w.phone(eas.V161, "ARRANGED")
	bridgetest.Sync(w.t, p)
	other := w.home(kinds[0]) + "other/"
	w.tells(p, func() { w.radicale.MakeAddressBook(other, "Other") })
	w.theFolder(p, kinds[0], "Other")
	bridgetest.Sync(w.t, p)
	w.tells(p, func() { w.radicale.Delete(other) })
	if _, err := p.FolderSync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if slices.ContainsFunc(p.Folders(), func(f phone.Folder) bool { return f.DisplayName == "Other" }) {
		w.t.Error("the phone still has the folder that was deleted at the server")
	}
}

// tells fails unless a waiting phone is told that its folders change.
func (w *world) tells(p *phone.Phone, change func()) {
	w.t.Helper()
	answered := make(chan eas.PingResponse, 1)
	go func() {
		r, err := p.Ping(w.t.Context(), 50*time.Minute)
		if err != nil {
			w.t.Errorf("Ping: %v", err)
		}
		answered <- r
	}()
	change()
	if r := <-answered; r.Status != eas.PingHierarchyChanged {
		w.t.Errorf("the Ping ended with status %d, want 7", r.Status)
	}
}

// shows fails unless a phone has something in a folder, and nowhere else.
func (w *world) shows(p *phone.Phone, k kind, folder, title string) {
	w.t.Helper()
	if _, err := p.FolderSync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.holds(p, k.class, title)
	f, _ := p.Folder(folderWith(p, titles(p, k.class)[title]))
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
