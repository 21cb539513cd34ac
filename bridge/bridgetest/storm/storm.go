// Package storm plays many phones and a desktop against a bridge and checks that nothing is lost, doubled or invented.
//
// A storm is a script of one seed: phones of several versions add, edit and
// delete; a desktop does the same on the server, also in the middle of a
// phone's request; answers get lost, requests come twice, late or side by
// side, the backend fails before or after it did what it was asked to, the
// clock jumps, and the worker is killed and started again upon its state. Now
// and then everything comes to rest, and every phone must hold what the server
// holds, and the server what people wanted.
//
// The time is that of [testing/synctest], so that waiting costs nothing; what
// is random comes from the seed. A storm that finds something is repeated with
//
//	go test ./bridge/bridgetest/storm -run Storm -storm.seed 17 -storm.steps 200
//
// and shortened by fewer steps. One for an hour is
//
//	go test ./bridge/bridgetest/storm -run Long -storm.for 1h -timeout 2h
package storm

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/config"
)

// Options say how long and how bad a storm is.
type Options struct {
	Seed  uint64
	Steps int // of the script; 0 means DefaultSteps

	// Shelf is what the bridge serves; nil means one in memory. One of another
	// process needs Awake.
	Shelf Shelf

	// Awake plays in real time, outside of a bubble: no clock jumps, and nothing
	// is slow.
	Awake bool

	// Calm turns the faults off: what then goes wrong is wrong on every day.
	Calm bool
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
	Objects, Edits, Days, Deletions                 int // days are edited occurrences of series
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
}

// String is one line.
func (r Report) String() string {
	return fmt.Sprintf("%d steps, %d requests, %d objects, %d edits, %d edited days, %d deletions, %d faults, %d kills, %d restarts, %d rests",
		r.Steps, r.Requests, r.Objects, r.Edits, r.Days, r.Deletions, r.Faults, r.Kills, r.Restarts, r.Rests)
}

// A world is everything that a storm plays with. Its script runs on one
// goroutine; mu guards what the bridge's goroutines touch, too.
type world struct {
	t       *testing.T
	options Options
	rng     *rand.Rand
	shelf   Shelf
	log     *bridgetest.Log
	weather *weather
	wire    *wire
	phones  []*handset
	objects map[int]*object
	serial  int // of the last edit
	desk    int // of the last edit that phones do not see
	told    int // problems

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
		shelf: o.Shelf, log: new(bridgetest.Log), objects: make(map[int]*object),
		state: filepath.Join(t.TempDir(), "0"),
	}
	if w.shelf == nil {
		w.shelf = newMemoryShelf()
	}
	w.weather = &weather{world: w, calm: o.Calm}
	w.wire = &wire{world: w, calm: o.Calm, sent: make(map[string]uint64), before: make(map[string]*message)}
	w.open()
	defer w.close()
	for range 12 {
		w.desktopAdds()
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
	return w.report
}

// open builds the bridge upon the state as it is.
func (w *world) open() {
	file := config.Default()
	file.State = w.state
	b, err := bridge.New(w.t.Context(), bridge.Options{
		Config: file, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Backends: []account.Named{{Name: "shelf", Backend: stormy{Backend: w.shelf.Backend(), weather: w.weather}}},
	})
	if err != nil {
		w.t.Fatalf("seed %d: building the bridge: %v", w.options.Seed, err)
	}
	w.bridge = b
}

func (w *world) close() {
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
	w.told++
	w.t.Errorf("seed %d, step %d: %s", w.options.Seed, w.report.Steps, fmt.Sprintf(format, args...))
}

// A deed is one kind of step, as likely as its weight.
type deed struct {
	weight int
	stormy bool // not in Options.Calm
	do     func(*world)
}

var deeds = []deed{
	{8, false, func(w *world) { w.any().add() }},
	{16, false, func(w *world) { w.any().edit() }},
	{8, false, func(w *world) { w.any().editDay() }},
	{4, false, func(w *world) { w.any().remove() }},
	{24, false, func(w *world) { w.any().sync() }},
	{10, false, func(w *world) { w.any().syncOne() }},
	{2, false, func(w *world) { w.any().folderSync() }},
	{2, false, func(w *world) { w.any().forget() }},
	{4, false, (*world).together},
	{5, false, (*world).desktopAdds},
	{14, false, (*world).desktopActs},
	{2, false, (*world).sleep},
	{2, true, (*world).restart},
	{2, true, func(w *world) { w.wire.late() }},
	{2, true, (*world).stumble},
}

// step does one thing.
func (w *world) step() {
	w.count(func(r *Report) { r.Steps++ })
	sum := 0
	for _, d := range deeds {
		sum += d.weight
	}
	n := w.rng.IntN(sum)
	for _, d := range deeds {
		if n -= d.weight; n < 0 {
			if !d.stormy || !w.options.Calm {
				d.do(w)
			}
			return
		}
	}
}

func (w *world) any() *handset { return w.phones[w.rng.IntN(len(w.phones))] }

// sleep lets the clock jump, so that filters move over items and what is
// remembered for a while is forgotten.
func (w *world) sleep() {
	spans := []time.Duration{time.Minute, time.Hour, 20 * time.Hour, 5 * 24 * time.Hour}
	span := spans[w.rng.IntN(len(spans))]
	w.note("%v pass", span)
	w.pass(span)
}

func (w *world) pass(span time.Duration) {
	if !w.options.Awake {
		time.Sleep(span)
	}
}

// stumble lets the shelf's worst happen.
func (w *world) stumble() {
	if what := w.shelf.Stumble(); what != "" {
		w.fault("%s", what)
	}
}

// together lets several phones and the desktop act all at once.
func (w *world) together() {
	some := slices.Clone(w.phones)
	w.rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	some = some[:2+w.rng.IntN(len(some)-1)]
	w.note("%d phones at once", len(some))
	w.weather.crowd(+1)
	var running sync.WaitGroup
	judge := make([]func(), len(some))
	for i, h := range some {
		running.Go(func() {
			events, err := h.phone.Sync(w.t.Context())
			judge[i] = func() { h.synced(events, err) }
		})
	}
	for range w.rng.IntN(3) {
		w.desktopActs()
	}
	running.Wait()
	w.weather.crowd(-1)
	for _, f := range judge {
		f()
	}
}
