package crowd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest/crowd"
	"github.com/pushbridge/pushbridge/bridge/eas"
)

// BenchmarkWaiting says what a waiting phone costs in the worker, all state
// included, after each of them has come and gone; how long it takes
// from a change that somebody tells of (hint-), and from the hub's hearing of it
// once the backend has been asked (wake-), to the answer's first byte on the other
// side of the socket; and how long until the memory of a phone that hangs up is
// free again (hangup-), and that of all, since the last of them did.
func BenchmarkWaiting(b *testing.B) {
	phones := *manyPhones
	if testing.Short() {
		phones = 500
	}
	for _, tc := range []struct{ phones, people int }{{phones, phones / 5}, {phones, phones}} {
		b.Run(fmt.Sprintf("phones=%d/people=%d", tc.phones, tc.people), func(b *testing.B) {
			w := newTown(b, tc.phones, tc.people)
			for b.Loop() {
				w.cost(b)
			}
		})
	}
}

func (w *town) cost(b *testing.B) {
	phones := len(w.pings)
	w.wait(0, phones) // churn
	w.hangUp(0, phones)
	w.settle()
	before := held()
	profile(b, "before")
	w.wait(0, phones)
	w.settle()
	cost := held() - before
	b.ReportMetric(float64(cost)/float64(phones), "B/phone")
	profile(b, "waiting")
	woken := min(w.people/2, 200) // the others wait on
	w.latency(b, woken)
	for i := range phones {
		if i%w.people < woken {
			w.crowd.Send(i, w.pings[i])
		}
	}
	w.crowd.Sync()
	w.answers(woken*phones/w.people, eas.PingChanges) // they have not fetched it yet
	w.freed(b, woken, before, cost)
}

// BenchmarkWaitingWithPlugin is the same with a backend in a process of its own
// that tells of changes itself. It counts the worker alone.
func BenchmarkWaitingWithPlugin(b *testing.B) {
	phones := *manyPhones
	if testing.Short() {
		phones = 500
	}
	for _, tc := range []struct{ phones, people int }{{phones, phones / 5}, {phones, phones}} {
		b.Run(fmt.Sprintf("phones=%d/people=%d", tc.phones, tc.people), func(b *testing.B) {
			w := newPluginTown(b, tc.phones, tc.people)
			for b.Loop() {
				w.cost(b)
			}
		})
	}
}

// profile writes what is held into the directory that PUSHBRIDGE_PROFILES names,
// for go tool pprof -base before waiting.
func profile(b *testing.B, name string) {
	dir := os.Getenv("PUSHBRIDGE_PROFILES")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := pprof.WriteHeapProfile(f); err != nil {
		b.Fatal(err)
	}
}

// freed says how long it takes from hanging up until what a phone held is free.
// The phones of the first people do not wait any more.
func (w *town) freed(b *testing.B, people int, before, cost int64) {
	phones := len(w.pings)
	took := make([]time.Duration, min((phones-people)/2, 200))
	next := -1
	for k := range took {
		for next++; next%w.people < people; next++ {
		}
		left := w.server.Stats().Conns - 1
		start := time.Now()
		w.crowd.HangUp(next)
		w.crowd.Sync()
		for w.server.Stats().Conns > left || w.Bridge.Waiting() > left {
			time.Sleep(20 * time.Microsecond) // gives way; the condition decides
		}
		took[k] = time.Since(start)
	}
	report(b, "hangup", took)
	for i := range phones {
		w.crowd.HangUp(i)
	}
	w.crowd.Sync()
	start := time.Now()
	w.hangUp(0, phones)
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "all-hangup-ms")
	b.ReportMetric(100*float64(held()-before)/float64(cost), "left-%")
}

// latency wakes the phones of single people, by a change of their calendar.
func (w *town) latency(b *testing.B, people int) {
	var hints, wakes []time.Duration
	each := len(w.pings) / w.people
	for i := range people {
		user, start := userOf(i, w.people), crowd.Now()
		w.change(i)
		answers := w.crowd.Answers(each, 10*time.Second)
		if len(answers) != each {
			b.Fatalf("%d phones of %s were woken, want %d", len(answers), user, each)
		}
		published := time.Duration(w.published.Load())
		for _, a := range answers {
			if s := status(b, a); s != eas.PingChanges {
				b.Fatalf("phone %d of %s was answered %v", a.Phone, user, s)
			}
			hints, wakes = append(hints, a.At-start), append(wakes, a.At-published)
		}
	}
	report(b, "hint", hints)
	report(b, "wake", wakes)
}

func report(b *testing.B, name string, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), name+"-p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), name+"-p99-us")
}
