package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// TestNewFolderIsPushed has a program make a directory, and then describe it, while
// a phone waits: it hears of either, though nobody asks for the list of collections
// within the hour.
func TestNewFolderIsPushed(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and a worker")
	}
	d := startDaemonFor(t, []string{"ann0"}, "poll_min = \"1h\"\npoll_max = \"1h\"\n", func(socket string) string { return socket })
	d.await(serves, 1)
	web := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: d.addr})
	p := phone.New(&easclient.Client{URL: web.URL, User: "ann0", Password: "secret", Version: eas.V141,
		DeviceID: "FOLDERS", DeviceType: "test", HTTP: &http.Client{Transport: web.Client.Transport}}, phone.Settings{Classes: []string{"Contacts"}})
	bridgetest.Sync(t, p)
	club := filepath.Join(filepath.Dir(d.config), "data", "ann0", "club")
	for _, step := range []struct {
		name   string
		folder string // that the phone has then
		do     func() error
	}{
		{"a collection is made", "club", func() error {
			draft := filepath.Join(filepath.Dir(club), ".draft")
			if err := os.Mkdir(draft, 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(draft, ".collection.toml"), []byte("kind = \"contacts\"\n"), 0o600); err != nil {
				return err
			}
			return os.Rename(draft, club)
		}},
		{"the first one is called otherwise", "Everybody", func() error {
			return os.WriteFile(filepath.Join(filepath.Dir(club), "contacts", ".collection.toml"), []byte("name = \"Everybody\"\n"), 0o600)
		}},
	} {
		answered := make(chan eas.PingStatus, 1)
		go func() {
			r, err := p.Ping(t.Context(), 50*time.Minute)
			if err != nil {
				t.Errorf("%s: Ping: %v", step.name, err)
			}
			answered <- r.Status
		}()
		for end := time.Now().Add(time.Minute); d.waits() != 1; time.Sleep(20 * time.Millisecond) { // gives way; the count decides
			if time.Now().After(end) {
				t.Fatalf("%s: the phone does not wait", step.name)
			}
		}
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		select {
		case status := <-answered:
			if status != eas.PingHierarchyChanged {
				t.Errorf("%s: the Ping is answered %v, want %v", step.name, status, eas.PingHierarchyChanged)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: the phone hears of nothing", step.name)
		}
		if _, err := p.FolderSync(t.Context()); err != nil {
			t.Fatal(err)
		}
		bridgetest.Sync(t, p)
		if !slices.ContainsFunc(p.Folders(), func(f phone.Folder) bool { return f.DisplayName == step.folder }) {
			t.Errorf("%s: the phone has no folder %q: %+v", step.name, step.folder, p.Folders())
		}
	}
}
