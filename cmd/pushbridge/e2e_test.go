package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/eastest"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// A world is the real thing: phone, nginx, FastCGI socket, worker, plugin
// processes, Radicale.
type world struct {
	t        testing.TB
	nginx    *fcgitest.Nginx
	radicale *davtest.Server
	log      *bridgetest.Log
	config   string // the worker's file
}

// startWorld runs "pushbridge serve" between a real nginx with the
// nginx.conf.example of this repository and a real Radicale.
func startWorld(t *testing.T) *world {
	return startWorldOn(t, davtest.Radicale(t), "poll_min = \"1s\"\npoll_max = \"2s\"\n", "", "")
}

// startWorldOn does so with more of a configuration: keys of the worker, keys
// of both backends, and tables.
func startWorldOn(t testing.TB, radicale *davtest.Server, keys, backendKeys, tables string) *world {
	w := &world{t: t, radicale: radicale, log: new(bridgetest.Log)}
	addr := "unix:" + fcgitest.SocketPath(t)
	path := filepath.Join(t.TempDir(), "pushbridge.toml")
	config := fmt.Sprintf(`
listen = %q
state = %q
heartbeat_min = 1
%s
[backend.contacts]
plugin = "carddav"
url = %q
%s
[backend.calendar]
plugin = "caldav"
url = %q
%s
%s
`, addr, t.TempDir(), keys, w.radicale.URL, backendKeys, w.radicale.URL, backendKeys, tables)
	w.serve(path, config, addr)
	return w
}

// serve runs the worker with a configuration, and nginx in front of it.
func (w *world) serve(path, config, addr string) {
	t := w.t
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	w.config = path
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"serve", "--config", path}, w.log, w.log) }()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != exitOK {
			t.Errorf("the worker ended with status %d", status)
		}
		if t.Failed() {
			t.Logf("the worker's log:\n%s", w.log)
		}
	})
	w.await("the worker listens", func() bool {
		select {
		case status := <-ended:
			t.Fatalf("the worker ended with status %d:\n%s", status, w.log)
		default:
		}
		return strings.Contains(w.log.String(), "listening for a web server")
	})
	w.nginx = fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: addr})
}

// within is the world as a part of the test sees it.
func (w *world) within(t *testing.T) *world {
	part := *w
	part.t = t
	return &part
}

// await waits until something is so, as long as the test may run.
func (w *world) await(what string, so func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute) // far beyond what anything here takes
	for !so() {
		if time.Now().After(deadline) {
			w.t.Fatalf("it never was so that %s\nthe worker's log:\n%s", what, w.log)
		}
		time.Sleep(5 * time.Millisecond) // gives way; the condition decides
	}
}

func (w *world) client(v eas.Version, device string) *easclient.Client {
	return &easclient.Client{
		URL: w.nginx.URL, User: w.radicale.User, Password: w.radicale.Password, Version: v,
		DeviceID: device, DeviceType: "test", UserAgent: "e2e", Base64Query: v >= eas.V121,
		HTTP: &http.Client{Transport: w.nginx.Client.Transport},
		Trace: func(_ string, _, answer []byte) {
			if v >= eas.V121 && len(answer) > 0 && answer[0] == 3 {
				eastest.Validate(w.t, answer)
			}
		},
	}
}

func (w *world) phone(v eas.Version, device string) *phone.Phone {
	return bridgetest.Checked(w.t, phone.New(w.client(v, device), phone.Settings{WindowSize: 3}))
}

// A kind of item in the world: where it lies and what it is called there.
type kind struct {
	class  string
	path   func(*davtest.Server) string // of the collection
	ending string
	object func(uid, name string) string
	made   func(name string) eas.Properties // what a phone sends
	min    eas.Version
}

var kinds = []kind{
	{"Contacts", func(s *davtest.Server) string { return s.AddressBook }, ".vcf", bridgetest.Card, func(name string) eas.Properties {
		return eas.Properties{eas.T(tag.ContactsFileAs, name), eas.T(tag.ContactsLastName, name)}
	}, eas.V25},
	{"Calendar", func(s *davtest.Server) string { return s.Calendar }, ".ics", func(uid, name string) string {
		return bridgetest.Event(uid, name, time.Now().Add(24*time.Hour))
	}, func(name string) eas.Properties {
		return eas.Properties{eas.T(tag.CalendarStartTime, "20270101T100000Z"), eas.T(tag.CalendarEndTime, "20270101T110000Z"), eas.T(tag.CalendarSubject, name)}
	}, eas.V25},
	{"Tasks", func(s *davtest.Server) string { return s.Calendar }, ".ics", bridgetest.Task, func(name string) eas.Properties {
		return eas.Properties{eas.T(tag.TasksSubject, name), eas.T(tag.TasksComplete, "0")}
	}, eas.V25},
	{"Notes", func(s *davtest.Server) string { return s.Calendar }, ".ics", bridgetest.Note, func(name string) eas.Properties {
		return eas.Properties{eas.T(tag.NotesSubject, name), eas.T(tag.NotesMessageClass, "IPM.StickyNote")}
	}, eas.V140},
}

// titles is what a phone holds of a class, in all folders of it.
func titles(p *phone.Phone, class string) map[string]string {
	found := map[string]string{}
	for _, f := range p.Folders() {
		for id, item := range f.Items {
			if f.Class == class {
				found[phone.Title(item)] = id
			}
		}
	}
	return found
}

// holds fails unless the phone holds exactly some items of a class.
func (w *world) holds(p *phone.Phone, class string, want ...string) {
	w.t.Helper()
	bridgetest.Sync(w.t, p)
	got := titles(p, class)
	for _, name := range want {
		if _, ok := got[name]; !ok {
			w.t.Errorf("%s: the phone lacks %q; it holds %v", class, name, got)
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("%s: the phone holds %v, want %v", class, got, want)
	}
}

// folderWith finds the folder that holds an item.
func folderWith(p *phone.Phone, serverID string) string {
	for _, f := range p.Folders() {
		if _, ok := f.Items[serverID]; ok {
			return f.ServerID
		}
	}
	return ""
}

func TestEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and Radicale")
	}
	for _, v := range bridgetest.Versions {
		t.Run(v.String(), func(t *testing.T) {
			w := startWorld(t)
			p := w.phone(v, "E2E"+strings.ReplaceAll(v.String(), ".", ""))
			for _, k := range kinds {
				w.radicale.Put(k.path(w.radicale)+"first-"+k.class+k.ending, k.object("first-"+k.class, "First "+k.class))
			}
			bridgetest.Sync(t, p)
			for _, k := range kinds {
				if v >= k.min {
					t.Run(k.class, func(t *testing.T) { w.within(t).bothWays(p, k) })
				}
			}
			t.Run("a lost answer", func(t *testing.T) { w.within(t).lostAnswer(p, v) })
			t.Run("pushed", func(t *testing.T) { w.within(t).pushed(p, nil) })
			t.Run("pushed though the plugins were killed", func(t *testing.T) {
				w.within(t).pushed(p, func() { killPlugins(t) })
			})
			t.Run("pushed though Radicale was restarted", func(t *testing.T) {
				w.within(t).pushed(p, func() { w.radicale.Restart() })
			})
		})
	}
}

// bothWays takes a kind through additions, changes and deletions on either
// side.
func (w *world) bothWays(p *phone.Phone, k kind) {
	first, path := "First "+k.class, k.path(w.radicale)
	w.holds(p, k.class, first)
	w.radicale.Put(path+"second-"+k.class+k.ending, k.object("second-"+k.class, "Second "+k.class))
	w.radicale.Put(path+"first-"+k.class+k.ending, k.object("first-"+k.class, "Changed "+k.class))
	w.holds(p, k.class, "Changed "+k.class, "Second "+k.class)
	w.radicale.Delete(path + "second-" + k.class + k.ending)
	w.holds(p, k.class, "Changed "+k.class)

	id := titles(p, k.class)["Changed "+k.class]
	folder := folderWith(p, id)
	if err := p.Change(folder, id, k.made("By phone "+k.class)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := p.Add(folder, k.made("New "+k.class)); err != nil {
		w.t.Fatal(err)
	}
	w.holds(p, k.class, "By phone "+k.class, "New "+k.class)
	stored, _ := w.radicale.Get(path + "first-" + k.class + k.ending)
	for _, line := range []string{"By phone " + k.class, "X-KEEP:as it is"} {
		if !strings.Contains(stored, line) {
			w.t.Errorf("after the phone's edit Radicale holds\n%s\nwant %q in it", stored, line)
		}
	}
	added := titles(p, k.class)["New "+k.class]
	if err := p.Delete(folder, added); err != nil {
		w.t.Fatal(err)
	}
	w.holds(p, k.class, "By phone "+k.class)
	other := w.phone(eas.V141, "OTHER"+k.class) // a phone that begins now sees the same
	w.holds(other, k.class, "By phone "+k.class)
}

// lostAnswer repeats an Add whose answer was lost, as it was and rebuilt.
func (w *world) lostAnswer(p *phone.Phone, v eas.Version) {
	c := w.client(v, "LOST"+strings.ReplaceAll(v.String(), ".", ""))
	q := bridgetest.Checked(w.t, phone.New(c, phone.Settings{Classes: []string{"Contacts"}}))
	bridgetest.Sync(w.t, q)
	f := bridgetest.FolderOf(w.t, q, "Contacts")
	var ids []string
	for _, name := range []string{"Lost", "Lost", "Lost and edited"} {
		r, err := c.Sync(w.t.Context(), &eas.SyncRequest{Collections: []eas.SyncCollection{{SyncKey: f.SyncKey, CollectionID: f.ServerID,
			Commands: []eas.SyncCommand{{Do: tag.AirSyncAdd, ClientID: "17", Data: kinds[0].made(name)}}}}})
		if err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, r.Collections[0].Responses[0].ServerID)
	}
	if ids[0] != ids[1] || ids[0] != ids[2] {
		w.t.Errorf("one item got the ids %v, want the same each time", ids)
	}
	w.holds(p, "Contacts", "By phone Contacts", "Lost and edited")
}

// pushed lets a phone wait, lets something happen meanwhile, and then changes
// a card directly on Radicale: the Ping has to end with it.
func (w *world) pushed(p *phone.Phone, meanwhile func()) {
	bridgetest.Sync(w.t, p)
	before := strings.Count(w.log.String(), "command=Ping")
	name := fmt.Sprintf("Pushed %d", before)
	answered := make(chan eas.PingResponse, 1)
	go func() {
		r, err := p.Ping(w.t.Context(), 50*time.Minute)
		if err != nil {
			w.t.Errorf("Ping: %v", err)
		}
		answered <- r
	}()
	if meanwhile != nil {
		meanwhile()
	}
	w.radicale.Put(w.radicale.AddressBook+"pushed.vcf", bridgetest.Card("pushed", name))
	r := <-answered
	if r.Status != eas.PingChanges {
		w.t.Errorf("the Ping ended with status %d, want 2", r.Status)
	}
	bridgetest.Sync(w.t, p)
	if _, ok := titles(p, "Contacts")[name]; !ok {
		w.t.Errorf("after the push the phone holds %v, want %q among them", titles(p, "Contacts"), name)
	}
	w.radicale.Delete(w.radicale.AddressBook + "pushed.vcf")
	bridgetest.Sync(w.t, p)
}

// killPlugins kills the plugin processes that this process started.
func killPlugins(t *testing.T) {
	t.Helper()
	killed := 0
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		// pid (comm) state ppid; comm may hold anything. See proc(5).
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) || !strings.Contains(string(command), "\x00plugin\x00") {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			killed++
		}
	}
	if killed != 2 {
		t.Errorf("killed %d plugins, want 2", killed)
	}
}
