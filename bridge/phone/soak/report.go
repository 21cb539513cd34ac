package soak

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/pushbridge/pushbridge/bridge/phone"
)

// quietLine is how often the line about how it goes is written where it cannot
// be rewritten in its place.
const quietLine = 10 * time.Second

// maxSamples bounds what is kept for the plot. When there are more, every other
// one is dropped, and they are taken half as often.
const maxSamples = 4096

// A sample is a moment of the soak.
type sample struct {
	at      time.Time
	waiting int64
	spread  spread // from edit to the Ping's answer, since the sample before
	rss     []int64
}

type samples struct {
	list   []sample
	every  time.Duration
	counts [slots]int64
}

// watch takes samples and writes how it goes.
func (s *soak) watch(ctx context.Context, w io.Writer) {
	s.samples.every = time.Second
	sampled, written := time.Now(), time.Now() // before the first tick begins to come, lest it come too soon
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var now time.Time // as it was meant: two that come late are a second apart, too
		select {
		case <-ctx.Done():
			if s.Live {
				fmt.Fprintln(w)
			}
			return
		case now = <-tick.C:
		}
		waiting := s.waiting.Load()
		if s.counting.Load() {
			s.fewest = min(s.fewest, waiting)
		}
		if now.Sub(sampled) >= s.samples.every {
			sampled = now
			s.take(now, waiting)
		}
		if s.Live || now.Sub(written) >= quietLine {
			written = now
			s.line(w)
		}
	}
}

func (s *soak) take(now time.Time, waiting int64) {
	m := sample{at: now, waiting: waiting, spread: s.tally.ping.read(&s.samples.counts)}
	for _, p := range s.procs {
		u, err := measure(p.pid)
		if err != nil {
			u = p.last // it ended: the table says so
		}
		m.rss = append(m.rss, u.rss)
	}
	all := append(s.samples.list, m)
	if len(all) >= maxSamples {
		for i := range len(all) / 2 {
			all[i] = all[2*i+1]
		}
		all = all[:len(all)/2]
		s.samples.every *= 2
	}
	s.samples.list = all
}

// line says how it goes.
func (s *soak) line(w io.Writer) {
	all := s.tally.ping.read(nil)
	text := fmt.Sprintf("%s  waiting %d of %d, edits %d, woken %d, p50 %s, p99 %s, errors %d", time.Now().Format(time.TimeOnly),
		s.waiting.Load(), s.Phones, s.tally.edits.Load(), s.tally.woken.Load(), short(all.p50), short(all.p99), s.tally.failedTimes())
	for _, p := range s.procs {
		if u, err := measure(p.pid); err == nil {
			text += fmt.Sprintf(", %s %s", p.name, megabytes(u.rss))
		}
	}
	if s.Live {
		fmt.Fprintf(w, "\r%-110s", text)
		return
	}
	fmt.Fprintln(w, text)
}

func short(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	case d < 10*time.Second:
		return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
	}
	return d.Round(100 * time.Millisecond).String()
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

// report writes the table.
func (s *soak) report(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, form string, args ...any) { fmt.Fprintf(t, name+"\t"+form+"\n", args...) }
	took := time.Since(s.began)
	fmt.Fprintln(w)
	row("phones", "%d of %d people, all set up after %v", s.Phones, s.People, s.setUp.Round(100*time.Millisecond))
	if ready := s.ready.Load(); ready < int64(s.Phones) {
		row("", "only %d of them ever waited", ready)
	}
	row("waiting", "%d at the end, %d or more all the while", s.waiting.Load(), s.fewest)
	edits := fmt.Sprintf("%d in %v, %s", s.tally.edits.Load(), s.For, s.editor)
	if late := s.tally.late.Load(); late > 0 {
		edits += fmt.Sprintf("; %d were not made, because those before took too long", late)
	}
	row("edits", "%s", edits)
	row("woken", "%d times; %d phones lack the last edit", s.tally.woken.Load(), s.tally.missed)
	for _, l := range []struct {
		name string
		h    *histogram
	}{{"edit to Ping's answer", &s.tally.ping}, {"edit to item on phone", &s.tally.item}} {
		if r := l.h.read(nil); r.n > 0 {
			row(l.name, "p50 %s, p99 %s, max %s (%d)", short(r.p50), short(r.p99), short(r.max), r.n)
		}
	}
	s.reportBytes(row, took)
	s.reportProcesses(row)
	row("errors", "%s", s.tally.failures())
	t.Flush()
}

// PerDay is how many bytes a day of nothing but Pings costs.
func PerDay(cycle float64, heartbeat time.Duration) float64 {
	return cycle * float64(24*time.Hour) / float64(heartbeat)
}

func (s *soak) reportBytes(row func(string, string, ...any), took time.Duration) {
	if n := s.tally.idles.Load(); n > 0 {
		up, down := float64(s.tally.idleUp.Load())/float64(n), float64(s.tally.idleDown.Load())/float64(n)
		row("an idle Ping", "%.0f bytes up, %.0f down (of %d)", up, down, n)
		row("an idle phone a day", "%.1f KB with heartbeats of 28m, %.1f KB with %v",
			PerDay(up+down, 28*time.Minute)/1000, PerDay(up+down, phone.HeartbeatMax)/1000, phone.HeartbeatMax)
	} else {
		row("an idle Ping", "none: no heartbeat ended by itself")
	}
	var up, down int64
	for _, h := range s.phones {
		up, down = up+h.line.up.Load(), down+h.line.down.Load()
	}
	row("bytes on the wire", "%d up, %d down for each phone, from its first connection on", up/int64(s.Phones), down/int64(s.Phones))
}

func (s *soak) reportProcesses(row func(string, string, ...any)) {
	for _, p := range s.procs {
		waiting := max(1, s.ready.Load())
		cpu := 100 * float64(p.last.cpu-p.full.cpu) / float64(max(1, p.to.Sub(p.from)))
		row(fmt.Sprintf("%s (%d)", p.name, p.pid), "memory %s before, %s when all waited, %s at the end: %.1f KB per phone; %.1f %% of a core",
			megabytes(p.first.rss), megabytes(p.full.rss), megabytes(p.last.rss), float64(p.last.rss-p.first.rss)/1024/float64(waiting), cpu)
	}
	if u, err := measure(self()); err == nil {
		row("the soak itself", "memory %s: %.1f KB per phone", megabytes(u.rss), float64(u.rss)/1024/float64(s.Phones))
	}
}
