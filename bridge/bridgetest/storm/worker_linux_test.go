package storm_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
)

// patience is how long processes may take to do what they are to do, which is
// far more than they need on any machine.
const patience = 2 * time.Minute

// program builds pushbridge, once.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workshop, "pushbridge")
	out, err := exec.Command("go", "build", "-o", path, "github.com/pushbridge/pushbridge/cmd/pushbridge").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building pushbridge: %w\n%s", err, out)
	}
	return path, err
})

// A worker is "pushbridge serve" in a process of its own, with its plugins.
type worker struct {
	http.RoundTripper
	t        *testing.T
	password string
	command  []string
	log      *bridgetest.Log // of the present process
	process  *exec.Cmd
	ended    chan struct{}
	state    string // its directory
	orphans  []int  // plugins of workers that were killed
	stumbles int
}

// newWorker prepares a worker that is reached at door and serves some backends.
func newWorker(t *testing.T, door string, rt http.RoundTripper, password, backends string) *worker {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "pushbridge.toml")
	state := filepath.Join(dir, "state")
	config := fmt.Sprintf("%s\nstate = %q\nheartbeat_min = 1\npoll_min = \"1s\"\npoll_max = \"2s\"\n%s", door, state, backends)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &worker{RoundTripper: rt, t: t, password: password, state: state, command: []string{path, "serve", "--config", file}}
	t.Cleanup(func() {
		if err := w.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() && w.log != nil {
			lines := strings.Split(w.log.String(), "\n")
			t.Logf("the end of the last worker's log:\n%s", strings.Join(lines[max(0, len(lines)-30):], "\n"))
		}
	})
	return w
}

func (w *worker) Password() string { return w.password }

// Start starts the worker and returns when it listens.
func (w *worker) Start() error {
	w.log = new(bridgetest.Log)
	cmd := exec.Command(w.command[0], w.command[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = w.log, w.log, patience
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		// The kernel ends the worker with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() //nolint:errcheck // how it ended shows in its log
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	w.process, w.ended = cmd, ended
	for deadline := time.Now().Add(patience); !strings.Contains(w.log.String(), "listening for"); {
		select {
		case <-ended:
			return fmt.Errorf("the worker ended at its start:\n%s", w.log)
		case <-time.After(5 * time.Millisecond): // the log decides
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the worker does not listen after %v:\n%s", patience, w.log)
		}
	}
	return nil
}

// Stop ends the worker in order.
func (w *worker) Stop() error { return w.end(syscall.SIGTERM) }

// Kill ends it at once.
func (w *worker) Kill() error { return w.end(syscall.SIGKILL) }

func (w *worker) end(how syscall.Signal) error {
	if w.process == nil {
		return nil
	}
	w.orphans = append(w.orphans, w.plugins()...)
	if err := w.process.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-w.ended:
	case <-time.After(patience):
		return fmt.Errorf("the worker goes on %v after %v:\n%s", patience, how, w.log)
	}
	w.process = nil
	return nil
}

// Stumble kills a plugin.
func (w *worker) Stumble() string {
	list := w.plugins()
	w.stumbles++
	if len(list) == 0 || syscall.Kill(list[w.stumbles%len(list)], syscall.SIGKILL) != nil {
		return ""
	}
	return "a plugin is killed"
}

// Age has what workers began with mails lie further back.
func (w *worker) Age(span time.Duration) error {
	db, err := sql.Open("sqlite", filepath.Join(w.state, "pushbridge.db"))
	if err != nil {
		return err
	}
	_, err = db.Exec("UPDATE letters SET began = began - ?", int(span/time.Second))
	return errors.Join(err, db.Close())
}

// Release is what an administrator types.
func (w *worker) Release() error {
	admin := func(args ...string) ([]byte, error) {
		args = append([]string{"admin", "--config", w.command[len(w.command)-1], "brake"}, args...)
		out, err := exec.Command(w.command[0], args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return out, err
	}
	out, err := admin("list", "--json")
	if err != nil {
		return err
	}
	var holds []struct {
		User   string
		Folder int64
	}
	if err := json.Unmarshal(out, &holds); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, h := range holds {
		if _, err := admin("release", h.User, strconv.FormatInt(h.Folder, 10)); err != nil {
			return err
		}
	}
	return nil
}

// plugins are the worker's children.
func (w *worker) plugins() []int {
	var list []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is in order
	for _, file := range stats {
		if parent, _ := state(file); parent == w.process.Process.Pid {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			list = append(list, pid)
		}
	}
	return list
}

// state reads the parent and the state of a process: pid (comm) state ppid, where
// comm may hold anything. See proc(5).
func state(file string) (parent int, state string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, "" // it ended
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return 0, ""
	}
	parent, _ = strconv.Atoi(fields[1])
	return parent, fields[0]
}

// Leftovers waits until the plugins of those that were killed have ended, and
// counts those that do not.
func (w *worker) Leftovers() int {
	alive := func(pid int) bool {
		_, how := state(fmt.Sprintf("/proc/%d/stat", pid))
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return how != "" && how != "Z" && strings.HasPrefix(string(command), w.command[0]+"\x00plugin\x00")
	}
	for deadline := time.Now().Add(patience); ; {
		w.orphans = slices.DeleteFunc(w.orphans, func(pid int) bool { return !alive(pid) })
		if len(w.orphans) == 0 || time.Now().After(deadline) {
			return len(w.orphans)
		}
		time.Sleep(5 * time.Millisecond) // the processes decide
	}
}

// onLocaldir is a worker behind plain HTTP that serves files.
func onLocaldir(t *testing.T) storm.Options { return onFiles(t, bridgetest.Password, "") }

// onFiles is a worker that serves files, and what more is configured.
func onFiles(t *testing.T, password, more string) storm.Options {
	t.Helper()
	dir := makeDrawers(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	w := newWorker(t, fmt.Sprintf("http = %q", address), to(address), password,
		fmt.Sprintf("[backend.shelf]\nplugin = \"localdir\"\ndir = %q\nusers = { %s = %q }\n%s", dir, bridgetest.User, password, more))
	return storm.Options{Shelf: drawers{storm.Directory(filepath.Join(dir, bridgetest.User))}, Worker: w, Awake: true}
}

// to sends all requests to one address, on a connection of its own each: a
// killed worker takes nothing along.
func to(address string) http.RoundTripper {
	plain := &http.Transport{DisableKeepAlives: true}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r.URL.Host = address
		return plain.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// mailSteps are the most steps that every run of the tests plays with Dovecot, where each takes long.
const mailSteps = 100

var worlds = []struct {
	name  string
	make  func(*testing.T) storm.Options
	seeds uint64
	steps int // at most; 0 means any
}{{"localdir", onLocaldir, workerSeeds, 0}, {"Radicale", onRadicale, workerSeeds, 0}, {"Dovecot", onDovecot, mailSeeds, mailSteps}}

func TestWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("builds pushbridge and starts it many times")
	}
	played, ended := make(map[string]int), 0
	for _, world := range worlds {
		for n := range world.seeds {
			t.Run(fmt.Sprintf("%s/%d", world.name, n+1), func(t *testing.T) {
				o := world.make(t)
				if o.Seed, o.Steps = n+1, *steps; world.steps > 0 {
					o.Steps = min(o.Steps, world.steps)
				}
				t.Log(storm.Run(t, o))
				if l, ok := o.Shelf.(library); ok {
					t.Log(l.played)
					ended++
					for what, n := range l.played {
						played[what] += n
					}
				}
			})
		}
	}
	for _, what := range []string{http.StatusText(http.StatusUnauthorized), empty} {
		if ended > 1 && ended == workerSeeds && *steps >= storm.DefaultSteps && played[what] == 0 {
			t.Errorf("of %d storms against Radicale none played %q", ended, what)
		}
	}
}

// TestWorkerLasts is TestLong with processes, against one kind of server after
// the other, or only where there is mail.
func TestWorkerLasts(t *testing.T) {
	n, worlds := 0, worlds
	if *mail {
		worlds = worlds[len(worlds)-1:]
	}
	long(t, func(t *testing.T) storm.Options {
		n++
		return worlds[n%len(worlds)].make(t)
	}, storm.Run)
}
