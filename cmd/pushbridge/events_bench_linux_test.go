package main

import (
	"fmt"
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
	"github.com/pushbridge/pushbridge/plugins/sdk/webdav/davtest"
)

// BenchmarkHookToPing measures from the moment at which a program begins to
// write a card to a Radicale with a storage hook until the Ping of a phone
// behind nginx is answered.
func BenchmarkHookToPing(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	socket := fcgitest.SocketPath(b)
	hook := fmt.Sprintf("%s notify --socket=%s --user=%%(user)s", self, socket)
	w := startWorldOn(b, davtest.Radicale(b, davtest.Arguments("--storage-hook", hook)), "poll_min = \"23h\"\npoll_max = \"23h\"\nnotify = \"unixgram:"+socket+"\"\n", "", "")
	p := w.phone(eas.V141, "BENCH")
	bridgetest.Sync(b, p)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		answered := make(chan time.Time, 1)
		go func() {
			if r, err := p.Ping(b.Context(), 50*time.Minute); err != nil || r.Status != eas.PingChanges {
				b.Errorf("Ping: %v, %v", r.Status, err)
			}
			answered <- time.Now()
		}()
		time.Sleep(50 * time.Millisecond) // so that it waits; a phone's Ping does for minutes
		began := time.Now()
		w.radicale.Put(w.radicale.AddressBook+"pushed.vcf", bridgetest.Card("pushed", fmt.Sprintf("Pushed %d", i)))
		took = append(took, (<-answered).Sub(began))
		bridgetest.Sync(b, p)
	}
	reportSpread(b, "", took)
}

// BenchmarkEditToPhone measures from the moment at which a program begins to
// write a card into the directory of a localdir backend: until the Ping of a
// phone behind nginx is answered (ping-), and until its Sync is done and the
// phone has the changed card.
func BenchmarkEditToPhone(b *testing.B) {
	d := startDaemon(b, 1, func(socket string) string { return socket })
	d.await(serves, 1)
	web := fcgitest.StartNginx(b, fcgitest.NginxOptions{Addr: d.addr})
	p := phone.New(&easclient.Client{URL: web.URL, User: "ann0", Password: "secret", Version: eas.V141,
		DeviceID: "BENCH", DeviceType: "test", HTTP: &http.Client{Transport: web.Client.Transport}}, phone.Settings{Classes: []string{"Contacts"}})
	bridgetest.Sync(b, p)
	card := filepath.Join(filepath.Dir(d.config), "data", "ann0", "contacts", "a.vcf")
	var answers, items []time.Duration
	for i := 0; b.Loop(); i++ {
		answered := make(chan time.Time, 1)
		go func() {
			if r, err := p.Ping(b.Context(), 50*time.Minute); err != nil || r.Status != eas.PingChanges {
				b.Errorf("Ping: %v, %v", r.Status, err)
			}
			answered <- time.Now()
		}()
		time.Sleep(1500 * time.Millisecond) // so that it waits, and events come singly; a phone's Ping does for minutes
		name := fmt.Sprintf("Edited %d", i)
		began := time.Now()
		if err := os.WriteFile(card, []byte(bridgetest.Card("a", name)), 0o600); err != nil {
			b.Fatal(err)
		}
		answers = append(answers, (<-answered).Sub(began))
		bridgetest.Sync(b, p)
		items = append(items, time.Since(began))
		if _, ok := titles(p, "Contacts")[name]; !ok {
			b.Fatalf("the phone has no %q after its Sync", name)
		}
	}
	reportSpread(b, "ping-", answers)
	reportSpread(b, "", items)
}

// reportSpread reports how long something took.
func reportSpread(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, name+"p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, name+"p99-ms")
}
