package main

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
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
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
