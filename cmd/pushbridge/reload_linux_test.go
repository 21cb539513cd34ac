package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
	"github.com/pushbridge/pushbridge/bridge/phone"
	"github.com/pushbridge/pushbridge/fcgi/fcgitest"
)

// A daemon is "pushbridge serve" in a process without a terminal, as a service
// manager starts it.
type daemon struct {
	t      testing.TB
	config string // its path
	text   string // of the configuration
	addr   string // FastCGI
	cmd    *exec.Cmd
	log    *bridgetest.Log
	ended  chan struct{}
}

// startDaemon starts one that serves people ann0, ann1, ... with a contact each.
// wrap may start it through another program.
func startDaemon(t testing.TB, people int, listen func(socket string) string, wrap ...string) *daemon {
	t.Helper()
	names := make([]string, people)
	for i := range names {
		names[i] = fmt.Sprintf("ann%d", i)
	}
	return startDaemonFor(t, names, "", listen, wrap...)
}

// startDaemonFor does so for people of these names, with more keys in the
// configuration.
func startDaemonFor(t testing.TB, names []string, keys string, listen func(socket string) string, wrap ...string) *daemon {
	t.Helper()
	dir := t.TempDir()
	var users strings.Builder
	for _, name := range names {
		cards := filepath.Join(dir, "data", name, "contacts")
		if err := os.MkdirAll(cards, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cards, "a.vcf"), []byte(bridgetest.Card("a", "Person")), 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&users, "%s:secret\n", name)
	}
	passwords := filepath.Join(dir, "users")
	if err := os.WriteFile(passwords, []byte(users.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := fcgitest.SocketPath(t)
	d := &daemon{t: t, config: filepath.Join(dir, "pushbridge.toml"), addr: "unix:" + socket, log: new(bridgetest.Log), ended: make(chan struct{})}
	d.text = keys + fmt.Sprintf("listen = %q\nstate = %q\n[backend.files]\nplugin = \"localdir\"\ndir = %q\nusers_file = %q\n",
		listen(d.addr), filepath.Join(dir, "state"), filepath.Join(dir, "data"), passwords)
	d.configure(d.text)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range wrap {
		wrap[i] = strings.ReplaceAll(word, "SOCKET", socket)
	}
	command := append(wrap, self, "serve", "--config", d.config)
	d.cmd = exec.Command(command[0], command[1:]...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	// The tests may have been started by nohup, which has SIGHUP ignored also by what
	// is started here, unless it is handled.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	err = d.cmd.Start()
	signal.Stop(hup)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(d.log, lines.Text())
		}
	}()
	t.Cleanup(func() {
		d.cmd.Process.Signal(os.Interrupt)
		patience := time.AfterFunc(time.Minute, func() {
			t.Error("the worker does not end")
			d.cmd.Process.Kill()
		})
		<-d.ended
		patience.Stop()
		if err := d.cmd.Wait(); err != nil {
			t.Errorf("the worker ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the worker's log:\n%s", d.log)
		}
	})
	return d
}

func (d *daemon) configure(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// await waits until the log says something so many times.
func (d *daemon) await(what string, times int) {
	d.t.Helper()
	deadline := time.Now().Add(2 * time.Minute) // far beyond what anything here takes
	for strings.Count(d.log.String(), what) < times {
		select {
		case <-d.ended:
			d.t.Fatalf("the worker ended:\n%s", d.log)
		default:
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("the log never said %q %d times:\n%s", what, times, d.log)
		}
		time.Sleep(5 * time.Millisecond) // gives way; the condition decides
	}
}

// serves is what a worker says when it serves.
const serves = "listening for a web server"

// phones play people's phones through a web server: each waits in one Ping
// after the other.
type phones struct {
	pings    atomic.Int64 // sent, and those among them
	expired  atomic.Int64 // that ended without a change
	finished sync.WaitGroup
}

// startPhones starts n phones of some people, which wait until the context
// ends. An answer that no phone should see fails the test.
func startPhones(ctx context.Context, t testing.TB, n, people int, web *fcgitest.Nginx) *phones {
	all := new(phones)
	starting := make(chan struct{}, 32) // so many phones begin at a time
	for i := range n {
		all.finished.Go(func() {
			p := phone.New(&easclient.Client{URL: web.URL, User: fmt.Sprintf("ann%d", i%people), Password: "secret", Version: eas.V141,
				DeviceID: fmt.Sprintf("RELOAD%d", i), DeviceType: "test", HTTP: &http.Client{Transport: web.Client.Transport}}, phone.Settings{Classes: []string{"Contacts"}})
			starting <- struct{}{}
			_, err := p.Sync(ctx)
			<-starting
			if err != nil {
				t.Errorf("phone %d: Sync: %v", i, err)
				return
			}
			for ctx.Err() == nil {
				all.pings.Add(1)
				r, err := p.Ping(ctx, 50*time.Minute)
				switch {
				case ctx.Err() != nil:
				case err != nil || r.Status != eas.PingExpired:
					t.Errorf("phone %d hears status %d, %v, want 1", i, r.Status, err)
					return
				default:
					all.expired.Add(1)
				}
			}
		})
	}
	return all
}

// waiting waits until each of n phones has sent so many Pings, and all wait in
// the worker: one whose Ping is still on its way at the next reload is not told of
// it, since it comes to the worker after that.
func (p *phones) waiting(d *daemon, n, rounds int) {
	d.t.Helper()
	for deadline := time.Now().Add(2*time.Minute + time.Duration(n)*50*time.Millisecond); !d.t.Failed(); {
		sent := p.pings.Load()
		if sent >= int64(n*rounds) && d.waits() == n {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%d Pings were sent and %d phones wait, want %d and %d", sent, d.waits(), n*rounds, n)
		}
		time.Sleep(50 * time.Millisecond) // gives way: to be asked costs the worker more than a Ping; the counts decide
	}
	d.t.FailNow()
}

// waits is how many phones wait in the worker, as it says; -1 if it does not say,
// such as while it begins again.
func (d *daemon) waits() int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"admin", "status", "--json", "--socket", filepath.Join(filepath.Dir(d.config), "state", "admin.sock")}, &out, &errs)
	var status admin.Status
	if err := json.Unmarshal(out.Bytes(), &status); err != nil || code != exitOK {
		return -1
	}
	return status.Waiting
}

// TestReload lets a worker begin again while phones wait behind nginx: they are
// told that nothing changed, and none of them, nor a phone that comes
// meanwhile, hears of an error.
func TestReload(t *testing.T) {
	if testing.Short() {
		t.Skip("starts nginx and workers")
	}
	const n = 100
	for _, tc := range []struct {
		name   string
		listen func(string) string
		wrap   []string
	}{
		{name: "with a socket of its own", listen: func(socket string) string { return socket }},
		{name: "with a socket that systemd has opened", listen: func(string) string { return "systemd" }, wrap: []string{"systemd-socket-activate", "--listen=SOCKET"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if len(tc.wrap) > 0 {
				fcgitest.Need(t, tc.wrap[0])
			}
			d := startDaemon(t, n, tc.listen, tc.wrap...)
			if len(tc.wrap) == 0 {
				d.await(serves, 1)
			} else {
				d.await("Listening on", 1)
			}
			web := fcgitest.StartNginx(t, fcgitest.NginxOptions{Addr: d.addr})
			ctx, hangUp := context.WithCancel(t.Context())
			p := startPhones(ctx, t, n, n, web)
			defer p.finished.Wait()
			defer hangUp()
			p.waiting(d, n, 1)

			d.configure("heartbeat_mix = 60\n" + d.text)
			d.cmd.Process.Signal(syscall.SIGHUP)
			d.await("goes on with the old one", 1)
			if log := d.log.String(); !strings.Contains(log, "did you mean") {
				t.Errorf("the log does not say what is wrong with heartbeat_mix:\n%s", log)
			}

			for round := 2; round <= 3; round++ {
				d.configure(fmt.Sprintf("heartbeat_min = %d\n", round) + d.text)
				d.cmd.Process.Signal(syscall.SIGHUP)
				p.waiting(d, n, round)
				d.await(serves, round)
			}
			d.cmd.Process.Signal(syscall.SIGHUP) // which its end, in the test's, does not wait for
			if got := p.expired.Load(); got != 2*n {
				t.Errorf("%d waits ended early, want those of %d phones twice", got, n)
			}
			if log := d.log.String(); strings.Contains(log, "http=5") || strings.Contains(log, "level=ERROR msg=ending") {
				t.Errorf("phones were refused:\n%s", log)
			}
		})
	}
}

// ownCPU is the processor time that this process has used.
func ownCPU(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var reloadPhones = flag.Int("reload.phones", 9000, "how many phones BenchmarkReload plays")

// BenchmarkReload measures how long it takes until all phones that wait behind
// nginx wait at the next worker, and what that costs of the processor: on a machine
// that has nothing else to do, their sum over the cores is about the time. Each
// phone takes two of nginx's descriptors.
func BenchmarkReload(b *testing.B) {
	n := *reloadPhones
	people := max(1, n/100)
	if testing.Short() {
		b.Skip("thousands of phones")
	}
	d := startDaemon(b, people, func(socket string) string { return socket })
	d.await(serves, 1)
	web := fcgitest.StartNginx(b, fcgitest.NginxOptions{Addr: d.addr, Conns: 2*n + 1500}) // and some that are kept for what comes next
	ctx, hangUp := context.WithCancel(b.Context())
	p := startPhones(ctx, b, n, people, web)
	defer p.finished.Wait()
	defer hangUp()
	p.waiting(d, n, 1)
	s := &stack{b: b, workers: []*daemon{d}, lanes: []*lane{{web: web}}}
	b.ResetTimer()
	before, own := s.measure(), ownCPU(b)
	for round := 1; b.Loop(); round++ {
		d.cmd.Process.Signal(syscall.SIGHUP)
		p.waiting(d, n, round+1)
	}
	after := s.measure()
	each := func(what string, took time.Duration) {
		b.ReportMetric(float64(took.Microseconds())/1000/float64(n*b.N), what+"-ms/phone")
	}
	each("worker", after.worker.cpu-before.worker.cpu)
	each("nginx", after.nginx.cpu-before.nginx.cpu)
	each("phones", ownCPU(b)-own)
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/hand-over")
	b.ReportMetric(float64(n), "phones")
	b.ReportMetric(float64(strings.Count(d.log.String(), "http=5")), "5xx")
}
