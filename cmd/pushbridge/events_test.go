package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// seldom is a polling that no test lives to see.
const seldom = "poll_min = \"23h\"\npoll_max = \"23h\"\nlog = { level = \"debug\" }\n"

// hookSecret is that of the webhooks.
const hookSecret = "what only the test knows"

// TestEvents changes cards directly on a real Radicale while a phone waits.
// Nobody polls, so that it is word of the change which ends each Ping.
func TestEvents(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and Radicale")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string

		// start starts Radicale and a worker whose socket for notices is given.
		start func(t *testing.T, socket string) *world

		// tell says that a card changed, where Radicale does not.
		tell func(w *world)

		said   string // in the log, once for each change; empty if nothing
		source string // as administrators see it
	}{
		{name: "a storage hook that knows who", said: "msg=notice backend=\"\" user=ann path=\"\"", source: "notify", start: func(t *testing.T, socket string) *world {
			hook := fmt.Sprintf("%s notify --socket=%s --user=%%(user)s", self, socket)
			return startWorldOn(t, davtest.Radicale(t, davtest.Arguments("--storage-hook", hook)), seldom+"notify = \"unixgram:"+socket+"\"\n", "", "")
		}},
		{name: "a storage hook that knows what", said: "path=/ann/people/pushed.vcf", source: "notify", start: func(t *testing.T, socket string) *world {
			// Debian's Radicale has no %(path)s; this is what it would be.
			const path = "/var/lib/radicale/collections/collection-root/ann/people/pushed.vcf"
			hook := fmt.Sprintf("%s notify --socket=%s --user=%%(user)s --cwd=/var/lib/radicale/collections --path=%s --to-path=", self, socket, path)
			return startWorldOn(t, davtest.Radicale(t, davtest.Arguments("--storage-hook", hook)), seldom+"notify = \"unixgram:"+socket+"\"\n", "", "")
		}},
		{name: "a webhook", said: "command=Hook", source: "hook any", start: func(t *testing.T, socket string) *world {
			return startWorldOn(t, davtest.Radicale(t), seldom, "", "[hook.any]\nkind = \"generic\"\nsecret = \""+hookSecret+"\"\n")
		}, tell: func(w *world) {
			w.hook("any", hookSecret, `{"user":"ann","path":"`+w.radicale.AddressBook+`pushed.vcf"}`, http.StatusNoContent)
		}},
		{name: "Radicale's own directory", source: "events", start: func(t *testing.T, _ string) *world {
			r := davtest.Radicale(t)
			return startWorldOn(t, r, seldom, fmt.Sprintf("radicale_root = %q\n", r.Folder), "")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := tc.start(t, fcgitest.SocketPath(t))
			p := w.phone(eas.V141, "EVENTS")
			bridgetest.Sync(t, p)
			// Each round begins while the watchers of the last one are still
			// there, which have nothing to ask for a day.
			for round := range 3 {
				w.waitAndChange(p, round, tc.tell)
			}
			if n := strings.Count(w.log.String(), tc.said); tc.said != "" && n < 3 {
				t.Errorf("the log says %q %d times, want once for each change", tc.said, n)
			}
			w.relied("contacts", tc.source)
		})
	}
}

// waitAndChange lets a phone wait and a card change.
func (w *world) waitAndChange(p *phone.Phone, round int, tell func(*world)) {
	w.t.Helper()
	name := fmt.Sprintf("Pushed %d", round)
	answered := make(chan eas.PingResponse, 1)
	go func() {
		r, err := p.Ping(w.t.Context(), 50*time.Minute)
		if err != nil {
			w.t.Errorf("Ping: %v", err)
		}
		answered <- r
	}()
	w.radicale.Put(w.radicale.AddressBook+"pushed.vcf", bridgetest.Card("pushed", name))
	if tell != nil {
		tell(w)
	}
	if r := <-answered; r.Status != eas.PingChanges {
		w.t.Errorf("the Ping ended with status %d, want 2", r.Status)
	}
	bridgetest.Sync(w.t, p)
	if _, ok := titles(p, "Contacts")[name]; !ok {
		w.t.Errorf("after the push the phone holds %v, want %q among them", titles(p, "Contacts"), name)
	}
}

// relied fails unless administrators see that a backend's source was heard and
// is relied on.
func (w *world) relied(backend, source string) {
	w.t.Helper()
	var out bridgetest.Log
	if status := run(w.t.Context(), []string{"admin", "--config", w.config, "status", "--json"}, &out, &out); status != exitOK {
		w.t.Fatalf("admin status: %d\n%s", status, &out)
	}
	var s admin.Status
	if err := json.Unmarshal([]byte(out.String()), &s); err != nil {
		w.t.Fatal(err)
	}
	for _, b := range s.Backends {
		for _, one := range b.Sources {
			if b.Name == backend && one.Name == source && one.Heard != nil && one.Relied {
				return
			}
		}
	}
	w.t.Errorf("administrators see\n%s\nwant that %q of %q was heard and is relied on", &out, source, backend)
}

// hook calls a webhook through nginx.
func (w *world) hook(name, secret, body string, status int) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "POST", w.nginx.URL+"/hooks/"+name, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	resp, err := w.nginx.Client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		w.t.Errorf("the hook answers %s, want %d", resp.Status, status)
	}
}
