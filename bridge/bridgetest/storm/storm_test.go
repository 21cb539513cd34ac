package storm_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/bridge/bridgetest/storm"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/host"
	"github.com/pushbridge/pushbridge/plugins/localdir"
	"github.com/pushbridge/pushbridge/plugins/sdk"
)

var (
	mail  = flag.Bool("storm.mail", false, "with mail; otherwise one seed in four has some, and of those with processes one in three")
	seed  = flag.Uint64("storm.seed", 0, "play this seed alone")
	steps = flag.Int("storm.steps", storm.DefaultSteps, "play so many steps")
	span  = flag.Duration("storm.for", 0, "how long TestLong goes on")
)

// mailed tells whether a storm has mail.
func mailed(seed uint64) bool { return *mail || seed%4 == 0 }

func play(t *testing.T, o storm.Options) (r storm.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { r = storm.Run(t, o) })
	return r
}

func TestStorm(t *testing.T) {
	if *seed != 0 {
		t.Log(play(t, storm.Options{Seed: *seed, Steps: *steps, Mail: mailed(*seed)}))
		return
	}
	for n := range uint64(seeds) {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Parallel()
			t.Log(play(t, storm.Options{Seed: n + 1, Steps: *steps, Mail: mailed(n + 1)}))
		})
	}
}

// Nothing is wrong with the script itself.
func TestCalm(t *testing.T) {
	for n := range uint64(calmSeeds) {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Log(play(t, storm.Options{Seed: n + 1, Steps: *steps, Calm: true, Mail: n%2 == 1}))
		})
	}
}

// A shelf of files, served by a plugin process that gets killed.
type plugin struct {
	storm.Directory
	*host.Plugin
}

func (p plugin) Backend() backend.Backend { return p.Plugin }

func (plugin) Forget(backend.CollectionID) {}

func (p plugin) Stumble() string {
	if err := syscall.Kill(p.Info().PID, syscall.SIGKILL); err != nil {
		return ""
	}
	return "the plugin is killed"
}

func (p plugin) Recover() error { return p.Ready(context.Background()) }

// makeDrawers is a directory with the directories of one person's collections.
func makeDrawers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, c := range []string{"contacts", "calendar", "tasks", "notes"} {
		if err := os.MkdirAll(filepath.Join(dir, bridgetest.User, c), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func startPlugin(t *testing.T) plugin {
	t.Helper()
	dir := makeDrawers(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	p, err := h.Start(t.Context(), "localdir", host.Spec{
		Command:  []string{self, "plugin"},
		Settings: backend.Settings{"dir": dir, "users": map[string]any{bridgetest.User: bridgetest.Password}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return plugin{storm.Directory(filepath.Join(dir, bridgetest.User)), p}
}

// workshop is a directory for what all tests share.
var workshop string

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "plugin" {
		sdk.Main("localdir", localdir.Open)
		return
	}
	os.Exit(inWorkshop(m))
}

func inWorkshop(m *testing.M) int {
	dir, err := os.MkdirTemp("", "storm")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	workshop = dir
	return m.Run()
}

func TestPlugin(t *testing.T) {
	for n := range uint64(pluginSeeds) {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			t.Log(storm.Run(t, storm.Options{Seed: n + 1, Steps: *steps, Shelf: startPlugin(t), Awake: true}))
		})
	}
}

func TestLong(t *testing.T) {
	long(t, func(*testing.T) storm.Options { return storm.Options{} }, func(t *testing.T, o storm.Options) storm.Report {
		o.Mail = mailed(o.Seed)
		return play(t, o)
	})
}

// long plays one storm after the other for as long as was asked for, and says
// every now and then how far it is.
func long(t *testing.T, world func(*testing.T) storm.Options, run func(*testing.T, storm.Options) storm.Report) {
	t.Helper()
	if *span == 0 {
		t.Skip("-storm.for is not set")
	}
	var sum storm.Report
	begin, told, seeds, wrong := time.Now(), time.Now(), uint64(0), 0
	tell := func() {
		told = time.Now()
		fmt.Printf("%s: %d seeds in %v, %d of them wrong: %v\n", t.Name(), seeds, time.Since(begin).Round(time.Second), wrong, sum)
	}
	for first := max(*seed, 1000); time.Since(begin) < *span && wrong < enoughWrong; {
		ok := t.Run(fmt.Sprint(first+seeds), func(t *testing.T) {
			o := world(t)
			o.Seed, o.Steps, o.Tell = first+seeds, *steps, sum.Add
			run(t, o)
		})
		if seeds++; !ok {
			wrong++
		}
		if time.Since(told) >= tellEvery {
			tell()
		}
	}
	tell()
}

const (
	// tellEvery is how much time lies between two lines of a long run.
	tellEvery = time.Minute

	// enoughWrong seeds end a long run.
	enoughWrong = 10
)
