package crowd_test

import (
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/fcgi"
)

// maxPerPhone is what a waiting phone may cost the worker, in bytes, all state
// and its part of the account included.
const maxPerPhone = 3 << 10

// unsteady is by how much the memory of the process differs from one moment to
// another, whoever waits.
const unsteady = 1 << 20

var manyPhones = flag.Int("phones", 10_000, "how many phones TestCrowd lets wait; of a fifth as many people")

// TestCrowd lets thousands of phones wait, five of each person, wakes all
// phones of some, and lets the others go in every way that there is: they hang
// up, or ping again and leave their first connection lying.
func TestCrowd(t *testing.T) {
	if raceEnabled {
		t.Skip("memory is measured, which the race detector multiplies; TestCrowdComesAndGoes does the rest")
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// Half of the phones leave a first connection lying.
	if need := uint64(*manyPhones*3/2 + 500); limit.Max < need {
		message := fmt.Sprintf("%d phones need %d open files, and %d are allowed (ulimit -Hn)", *manyPhones, need, limit.Max)
		if os.Getenv("PUSHBRIDGE_CI") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	crowds(t, newTown(t, *manyPhones, *manyPhones/5), true)
}

// TestCrowdComesAndGoes is the same with few, whose memory is not measured.
func TestCrowdComesAndGoes(t *testing.T) { crowds(t, newTown(t, 100, 20), false) }

// TestCrowdWithPlugin is the same with a backend in a process of its own, which
// tells of changes itself: of all people in one call.
func TestCrowdWithPlugin(t *testing.T) {
	if raceEnabled {
		crowds(t, newPluginTown(t, 40, 20), false)
	} else {
		crowds(t, newPluginTown(t, 1000, 200), true)
	}
}

func crowds(t *testing.T, w *town, measured bool) {
	phones, people := len(w.pings), w.people
	w.wait(0, phones) // what is made once and kept
	w.hangUp(0, phones)
	w.settle()
	descriptors, goroutines, before := openFiles(t), runtime.NumGoroutine(), held()

	w.wait(0, phones)
	w.settle()
	perPhone := (held() - before) / int64(phones)
	t.Logf("%d bytes for each of %d phones of %d people", perPhone, phones, people)
	if measured && perPhone > maxPerPhone {
		t.Errorf("a waiting phone costs %d bytes, want at most %d", perPhone, maxPerPhone)
	}

	const woken = 10
	for i := range woken {
		w.change(i)
	}
	w.answers(woken*(phones/people), eas.PingChanges)
	// Of the others some ping once more while they seem to wait already.
	again := 0
	for i := phones / 2; i < phones; i++ {
		if i%people >= woken {
			w.crowd.Send(i, w.pings[i])
			again++
		}
	}
	w.crowd.Sync()
	w.answers(again, eas.PingExpired)

	w.hangUp(0, phones)
	w.settle()
	w.until("goroutines and descriptors are as before", func() bool {
		return runtime.NumGoroutine() <= goroutines && openFiles(t) <= descriptors
	})
	if left := held() - before; measured && left > int64(phones)*maxPerPhone/10+unsteady {
		t.Errorf("%d bytes are left of the phones that have gone", left)
	}
}

// TestVanished has phones that never say anything more, behind a web server that
// notices nothing: it neither reads nor hangs up. With the heartbeat all is over.
func TestVanished(t *testing.T) {
	const phones, people = 10, 2
	w := newTownOf(t, phones, people, 2)
	w.wait(0, phones) // what is made once and kept
	w.hangUp(0, phones)
	w.settle()
	goroutines := runtime.NumGoroutine()
	for _, ping := range w.pings {
		c, err := net.Dial("unix", w.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(ping); err != nil {
			t.Fatal(err)
		}
	}
	w.until("all wait", func() bool { return w.Bridge.Waiting() == phones })
	if w.Bridge.Desk().Watching() == 0 {
		t.Error("nothing is watched for those who wait")
	}
	w.until("nothing is left of them", func() bool {
		return w.Bridge.Waiting() == 0 && w.server.Stats() == fcgi.Stats{} && w.Bridge.Desk().Watching() == 0 && runtime.NumGoroutine() <= goroutines
	})
}

// answers waits for as many answers, each with this status.
func (w *town) answers(n int, want eas.PingStatus) {
	w.t.Helper()
	got := w.crowd.Answers(n, patience)
	if len(got) != n {
		w.t.Fatalf("%d phones were answered, want %d", len(got), n)
	}
	for _, a := range got {
		if s := status(w.t, a); s != want {
			w.t.Fatalf("phone %d was answered %v, want %v", a.Phone, s, want)
		}
	}
}

// openFiles counts the process's descriptors.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(fmt.Errorf("counting descriptors: %w", err))
	}
	return len(list)
}
