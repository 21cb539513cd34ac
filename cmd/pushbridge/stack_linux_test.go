package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

var (
	stackPhones = flag.Int("stack.phones", 200, "how many phones BenchmarkStack and BenchmarkAtOnce play")
	stackEach   = flag.Int("stack.each", 5, "how many phones each person has, at most 200")
	stackTLS    = flag.Bool("stack.tls", false, "BenchmarkStack has nginx speak TLS")
	stackIdle   = flag.Duration("stack.idle", 5*time.Second, "how long BenchmarkStack measures what they cost while nothing happens")
	stackWithin = flag.Duration("stack.within", 8*time.Minute, "how long either may take until all phones wait; go test -timeout has to be longer")
)

const (
	// A process may have so many descriptors open; of these nginx needs two for
	// each phone, the worker and the soak one. So a lane of phones has an nginx
	// and a soak of its own, and two of them share a worker.
	lanesOfWorker = 2

	// spareFiles are those that a process needs beside its phones.
	spareFiles = 500
)

// A stack is workers, nginx before them, and processes that play phones.
type stack struct {
	b       *testing.B
	workers []*daemon
	lanes   []*lane
	hard    uint64 // descriptors of one process
}

// A lane are phones that go through one nginx.
type lane struct {
	phones int
	web    *fcgitest.Nginx
	soak   *exec.Cmd
	said   *bridgetest.Log
	ended  chan struct{}
}

// BenchmarkStack lets phones wait behind nginx, in as many processes as their
// descriptors need, and says what each costs: in the workers, in nginx, in the
// kernel (in which the phone's own half of the connection is, too), and what the
// processor has to do for all of them while nothing happens.
func BenchmarkStack(b *testing.B) {
	s := newStack(b)
	s.build(*stackPhones, *stackTLS)
	for b.Loop() {
		before := s.measure()
		began := time.Now()
		s.play(*stackPhones, 0)
		b.ReportMetric(time.Since(began).Seconds(), "s/set-up")
		full := s.measure()
		s.progress("all wait; nothing happens for %v", *stackIdle)
		time.Sleep(*stackIdle) // what is measured
		idle := s.measure()
		s.table(before, full, idle)
		s.hangUp()
	}
}

// BenchmarkAtOnce has phones connect all at once, set up their accounts and wait.
// Nobody may be told that the server is away.
func BenchmarkAtOnce(b *testing.B) {
	s := newStack(b)
	s.build(*stackPhones, false)
	for b.Loop() {
		began := time.Now()
		s.play(*stackPhones, *stackPhones)
		b.ReportMetric(time.Since(began).Seconds(), "s")
		s.hangUp()
	}
	b.ReportMetric(float64(*stackPhones), "phones")
	refused := s.refused()
	b.ReportMetric(float64(refused), "5xx")
	if refused > 0 {
		b.Errorf("%d requests were answered with an error of the server, want none; nginx says\n%s", refused, s.reasons())
	}
}

func newStack(b *testing.B) *stack {
	s := &stack{b: b}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	s.hard = min(limit.Max, 1<<20)
	if s.hard < 4*spareFiles {
		b.Skipf("a process may have %d files open (ulimit -Hn), which is too few", s.hard)
	}
	return s
}

// build starts workers and nginx.
func (s *stack) build(phones int, tls bool) {
	most := int(s.hard-spareFiles) / 2 // of a lane
	lanes := (phones + most - 1) / most
	names := make([][]string, (lanes+lanesOfWorker-1)/lanesOfWorker)
	for i := range lanes {
		l := &lane{phones: phones/lanes + min(1, max(0, phones%lanes-i))}
		s.lanes = append(s.lanes, l)
		for n := range s.people(l) {
			names[i/lanesOfWorker] = append(names[i/lanesOfWorker], fmt.Sprintf("lane%d-%d", i, n+1))
		}
	}
	for _, people := range names {
		// Questions to a backend that tells of its changes are the safety net, and
		// come seldom when a worker has run for a while.
		d := startDaemonFor(s.b, people, "poll_min = \"1h\"\npoll_max = \"1h\"\n", func(socket string) string { return socket })
		d.await(serves, 1)
		s.workers = append(s.workers, d)
	}
	for i, l := range s.lanes {
		// From 15 in 16 connections on nginx closes those that rest between two
		// requests, under the requests that phones are just sending.
		conns := 2*l.phones*16/15 + spareFiles/2
		l.web = fcgitest.StartNginx(s.b, fcgitest.NginxOptions{
			Addr: s.workers[i/lanesOfWorker].addr, TLS: tls, Conns: conns,
			Main:   fmt.Sprintf("worker_rlimit_nofile %d;", s.hard),
			Server: "client_header_buffer_size 1k; request_pool_size 1k; keepalive_timeout 120s; keepalive_requests 10000;",
		})
	}
	s.progress("%d phones, %d of each person, %d workers, %d nginx", phones, *stackEach, len(s.workers), len(s.lanes))
}

// people is how many there are in a lane.
func (s *stack) people(l *lane) int { return max(1, l.phones / *stackEach) }

// play starts the phones, and waits until the workers say that all wait.
func (s *stack) play(phones, atOnce int) {
	for i := range s.lanes {
		s.start(i, atOnce)
	}
	end := time.Now().Add(*stackWithin)
	for said := time.Now(); ; {
		n := s.waiting()
		if n >= phones {
			return
		}
		for _, l := range s.lanes {
			select {
			case <-l.ended:
				s.b.Fatalf("%d of %d phones wait, and a soak has ended:\n%s", n, phones, l.said)
			default:
			}
		}
		if time.Now().After(end) {
			s.b.Fatalf("after %v %d of %d phones wait:\n%s", *stackWithin, n, phones, s.lanes[0].said)
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			s.progress("%d of %d phones wait", n, phones)
		}
		time.Sleep(250 * time.Millisecond) // gives way; the count decides
	}
}

// start has the phones of a lane begin.
func (s *stack) start(i, atOnce int) {
	l := s.lanes[i]
	self, err := os.Executable()
	if err != nil {
		s.b.Fatal(err)
	}
	args := []string{"phone", "soak", "--url", l.web.URL, "--user", fmt.Sprintf("lane%d-{n}", i), "--people", fmt.Sprint(s.people(l)),
		"--phones", fmt.Sprint(l.phones), "--rate", "0", "--for", "2h", "--heartbeat-default", "59m", "--insecure"}
	if atOnce > 0 {
		args = append(args, "--at-once", fmt.Sprint(atOnce))
	}
	l.said, l.ended = new(bridgetest.Log), make(chan struct{})
	l.soak = exec.Command(self, args...)
	l.soak.Env = append(os.Environ(), passwordVariable+"=secret")
	l.soak.Stdout, l.soak.Stderr = l.said, l.said
	l.soak.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := l.soak.Start(); err != nil {
		s.b.Fatal(err)
	}
	ended := l.ended
	go func() {
		defer close(ended)
		l.soak.Wait() // it is interrupted
	}()
	s.b.Cleanup(func() {
		l.soak.Process.Kill()
		<-ended
	})
}

// hangUp ends the phones, and waits until the workers know.
func (s *stack) hangUp() {
	for _, l := range s.lanes {
		l.soak.Process.Signal(os.Interrupt)
	}
	end := time.Now().Add(time.Minute)
	for s.waiting() > 0 {
		if time.Now().After(end) {
			s.b.Fatalf("%d phones still wait a minute after all have gone", s.waiting())
		}
		time.Sleep(50 * time.Millisecond) // gives way; the count decides
	}
}

// waiting is how many phones wait, as the workers say.
func (s *stack) waiting() (n int) {
	for _, d := range s.workers {
		waits := d.waits()
		if waits < 0 {
			s.b.Fatalf("the worker does not say how many wait:\n%s", d.log)
		}
		n += waits
	}
	return n
}

// refused counts what nginx answered that no phone should see.
func (s *stack) refused() (n int) {
	for _, l := range s.lanes {
		log, err := os.ReadFile(filepath.Join(l.web.Dir, "access.log"))
		if err != nil {
			s.b.Fatal(err)
		}
		for _, status := range []string{"500", "502", "503", "504"} {
			n += strings.Count(string(log), "\" "+status+" ")
		}
	}
	return n
}

// reasons are the first errors that each nginx has logged.
func (s *stack) reasons() string {
	var b strings.Builder
	for _, l := range s.lanes {
		log, err := os.ReadFile(filepath.Join(l.web.Dir, "error.log"))
		if err != nil {
			s.b.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(log)) {
			if !strings.Contains(line, "[info]") && !strings.Contains(line, "[notice]") && found < 5 {
				found++
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

// progress says how far it is: at full size it takes minutes.
func (s *stack) progress(form string, args ...any) {
	if testing.Verbose() {
		fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+"  "+form+"\n", args...)
	}
}

// table reports what they cost.
func (s *stack) table(before, full, idle usage) {
	n := float64(*stackPhones)
	each := func(what string, from, to int64) {
		s.b.ReportMetric(float64(to-from)/1024/n, what+"-KB/phone")
	}
	cpu := func(what string, from, to time.Duration) {
		s.b.ReportMetric(100*float64(to-from)/float64(idle.at.Sub(full.at)), what+"-%")
	}
	s.b.ReportMetric(n, "phones")
	s.b.ReportMetric(float64(s.refused()), "5xx")
	s.b.ReportMetric(float64((full.worker.cpu-before.worker.cpu).Microseconds())/1000/n, "worker-ms/set-up")
	each("worker", before.worker.memory, idle.worker.memory)
	each("plugin", before.plugin.memory, idle.plugin.memory)
	each("nginx", before.nginx.memory, idle.nginx.memory)
	each("kernel", before.slab, idle.slab)
	each("tcp-buffers", before.tcp, idle.tcp)
	cpu("worker", full.worker.cpu, idle.worker.cpu)
	cpu("plugin", full.plugin.cpu, idle.plugin.cpu)
	cpu("nginx", full.nginx.cpu, idle.nginx.cpu)
}

var errStatistics = errors.New("its statistics cannot be read")
