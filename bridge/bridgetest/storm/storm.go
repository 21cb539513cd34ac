package storm

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// Options say how long and how bad a storm is.
type Options struct {
	Seed  uint64
	Steps int // of the script; 0 means DefaultSteps

	// Shelf is what the bridge serves; nil means one in memory. One of another
	// process needs Awake.
	Shelf Shelf

	// Worker serves it in place of a bridge inside of the test, and needs Awake,
	// too. The weather is then only that of the network and of what gets killed.
	Worker Worker

	// Mail has people read and write mail, too. It takes the place of the Shelf.
	Mail bool

	// Mailhouse, if it is not nil, is the mail system of the Worker, which is an Ager
	// then. The Shelf stays, and what is with Mail is with this.
	Mailhouse Mailhouse

	// Awake plays in real time, outside of a bubble: no clock jumps, and nothing
	// is slow.
	Awake bool

	// Tell, if it is not nil, hears the report also of a storm that failed.
	Tell func(Report)

	// Calm turns the faults off: what then goes wrong is wrong on every day.
	Calm bool
}

// A Worker is a bridge in a process of its own, which can be killed.
type Worker interface {
	http.RoundTripper
	Password() string   // of the shelf's owner
	Start() error       // upon the state that is there; returns when it answers
	Stop() error        // in order
	Kill() error        // at once
	Stumble() string    // kills one of its plugins and says so; empty if there was none
	Release() error     // of all deletions that it holds
	Leftovers() (n int) // processes of workers that were killed
}

const (
	// DefaultSteps is enough for three rests.
	DefaultSteps = 150

	// restEvery is how many steps lie between two rests: enough for edits to
	// meet, and few enough to tell whose edit had to survive.
	restEvery = 50

	// shownLines is how much of the journal is printed when something is wrong.
	shownLines = 120
)

// A Report counts what a storm did.
type Report struct {
	Steps, Requests, Faults, Kills, Restarts, Rests int
	Objects, Edits, Days, Deletions, Moves          int // days are edited occurrences of series
	Refusals, Folders, Pings, Violations            int // refusals are items found too large
	Messages, Letters                               int // letters are sent
}

// Add sums reports up.
func (r *Report) Add(o Report) {
	r.Steps += o.Steps
	r.Requests += o.Requests
	r.Faults += o.Faults
	r.Kills += o.Kills
	r.Restarts += o.Restarts
	r.Rests += o.Rests
	r.Objects += o.Objects
	r.Edits += o.Edits
	r.Days += o.Days
	r.Deletions += o.Deletions
	r.Moves += o.Moves
	r.Refusals += o.Refusals
	r.Folders += o.Folders
	r.Pings += o.Pings
	r.Violations += o.Violations
	r.Messages += o.Messages
	r.Letters += o.Letters
}

// String is one line.
func (r Report) String() string {
	return fmt.Sprintf("%d steps, %d requests, %d objects, %d edits, %d edited days, %d deletions, %d moves, %d changes of folders, %d pings, "+
		"%d messages, %d letters sent, "+
		"%d faults, %d kills, %d restarts, %d rests, %d violations",
		r.Steps, r.Requests, r.Objects, r.Edits, r.Days, r.Deletions, r.Moves, r.Folders, r.Pings, r.Messages, r.Letters, r.Faults, r.Kills, r.Restarts, r.Rests, r.Violations)
}

// A world is everything that a storm plays with. Its script runs on one
// goroutine; mu guards what the bridge's goroutines touch, too.
type world struct {
	t        *testing.T
	options  Options
	rng      *rand.Rand
	shelf    Shelf
	mail     *mailroom // nil if there is no mail
	log      *bridgetest.Log
	weather  *weather
	wire     *wire
	phones   []*handset
	target   target
	striking sync.WaitGroup // who waits for the moment to do that
	probe    *handset       // finds out whether a Worker works; nil without one
	objects  map[int]*object
	places   []*place
	named    map[string]*place // by every name that an extra one ever had
	folders  map[string]*place // by ServerId, as far as a phone was seen with them
	serial   int               // of the last edit
	desk     int               // of the last edit that phones do not see
	told     int               // problems
	forgave  int               // refusals

	rewrites   bool // the shelf stores things in a form of its own
	outages    int  // so far
	outageEnds int  // at this step; 0 if there is none

	bridge     *bridge.Bridge
	state      string // the directory
	generation int    // of states

	mu      sync.Mutex
	report  Report
	journal []string
}

// Run plays a storm and fails the test for what it finds. Unless it is to be
// Awake it belongs inside of a bubble of testing/synctest.
func Run(t *testing.T, o Options) Report {
	t.Helper()
	if o.Steps == 0 {
		o.Steps = DefaultSteps
	}
	w := &world{
		t: t, options: o, rng: rand.New(rand.NewPCG(o.Seed, 1)),
		shelf: o.Shelf, log: new(bridgetest.Log), objects: make(map[int]*object), named: make(map[string]*place), folders: make(map[string]*place),
		state: filepath.Join(scratch(t), "0"),
	}
	if w.shelf == nil {
		w.shelf = newMemoryShelf()
	}
	if o.Mail {
		w.openMail()
	}
	_, w.rewrites = w.shelf.(Rewriter)
	w.weather = &weather{world: w, calm: o.Calm, emptied: make(map[backend.CollectionID]emptiness)}
	w.wire = &wire{world: w, calm: o.Calm, sent: make(map[string]uint64), before: make(map[string]*message)}
	w.furnish()
	w.open()
	defer w.close()
	defer w.striking.Wait()
	for range 24 {
		w.desktopAdds()
	}
	if w.mail != nil {
		w.mail.fill()
	}
	if o.Seed%2 == 0 { // enough to be missed when it does not show
		w.imports()
	}
	w.phones = crew(w)
	for range o.Steps {
		w.step()
		if w.report.Steps%restEvery == 0 {
			w.rest()
		}
		if w.told > 0 {
			break
		}
	}
	if w.told == 0 {
		w.rest()
	}
	if w.told > 0 {
		t.Logf("the end of the journal:\n%s", strings.Join(w.journal[max(0, len(w.journal)-shownLines):], "\n"))
	}
	w.report.Violations = w.told
	if o.Tell != nil {
		o.Tell(w.report)
	}
	return w.report
}

// scratch is a directory for the state. Of what a killed process wrote nothing is
// lost that the kernel has, so it need not be on a disk, where every transaction
// waits for it.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "storm")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// password is what the phones know.
func (o Options) password() string {
	if o.Worker != nil {
		return o.Worker.Password()
	}
	return bridgetest.Password
}

// open builds the bridge upon the state as it is.
func (w *world) open() {
	if w.options.Worker != nil {
		if err := w.options.Worker.Start(); err != nil {
			w.t.Fatalf("seed %d: starting the worker: %v", w.options.Seed, err)
		}
		return
	}
	file := config.Default()
	file.State = w.state
	if w.options.Awake {
		file.PollMin, file.PollMax = time.Second, 2*time.Second
		file.Brake.Pause = time.Millisecond // what was held is gone at rest, though no time passes there
	}
	b, err := bridge.New(w.t.Context(), bridge.Options{
		Config: file, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Backends: []account.Named{{Name: "shelf", Backend: stormy{Backend: w.shelf.Backend(), weather: w.weather}}},
		Store:    func(s syncengine.Store) syncengine.Store { return disk{s, w.weather} },
	})
	if err != nil {
		w.t.Fatalf("seed %d: building the bridge: %v", w.options.Seed, err)
	}
	w.bridge = b
}

func (w *world) close() {
	if w.options.Worker != nil {
		if err := w.options.Worker.Stop(); err != nil {
			w.t.Errorf("seed %d: stopping the worker: %v", w.options.Seed, err)
		}
		return
	}
	if w.bridge == nil {
		return
	}
	if err := w.bridge.Close(); err != nil {
		w.t.Errorf("seed %d: closing the bridge: %v", w.options.Seed, err)
	}
	w.bridge = nil
}

// restart is an administrator's: everything is closed in order.
func (w *world) restart() {
	w.note("the worker is restarted")
	w.close()
	w.open()
	w.count(func(r *Report) { r.Restarts++ })
}

// snapshot copies the state as a kill at this moment would leave it.
func (w *world) snapshot() string {
	w.generation++
	to := filepath.Join(filepath.Dir(w.state), fmt.Sprint(w.generation))
	if err := os.CopyFS(to, os.DirFS(w.state)); err != nil {
		w.t.Errorf("seed %d: copying the state: %v", w.options.Seed, err)
	}
	return to
}

// revive goes on upon the state that a kill left.
func (w *world) revive(state string) {
	w.close()
	os.RemoveAll(w.state)
	w.state = state
	w.open()
}

// note writes a line into the journal.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = append(w.journal, fmt.Sprintf("%4d %s", w.report.Steps, fmt.Sprintf(format, args...)))
}

// fault is note for what the storm does to the bridge.
func (w *world) fault(format string, args ...any) {
	w.note("  ! "+format, args...)
	w.count(func(r *Report) { r.Faults++ })
}

func (w *world) count(f func(*Report)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.report)
}

// problem is what must not be.
func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	w.told++
	w.mu.Unlock()
	w.t.Errorf("seed %d, step %d: %s", w.options.Seed, w.report.Steps, fmt.Sprintf(format, args...))
}
