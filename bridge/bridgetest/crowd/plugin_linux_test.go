package crowd_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/pushbridge/pushbridge/bridge/bridgetest"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/host"
)

const (
	// pluginVariable has the test's own program play a plugin.
	pluginVariable = "PUSHBRIDGE_CROWD_PLUGIN"

	// quietMallocs is how many allocations go on while nothing happens.
	quietMallocs = 5000
)

// newPluginTown is newTown with a backend in a process of its own, which tells
// of changes itself.
func newPluginTown(t testing.TB, phones, people int) *town {
	t.Helper()
	w := &town{t: t, people: people, heartbeat: 3540, dir: t.TempDir(), pings: make([][]byte, phones), bodies: make([][]byte, phones)}
	users := make(map[string]any, people)
	for i := range people {
		users[userOf(i, people)] = bridgetest.Password
		for _, c := range []string{"contacts", "calendar"} {
			if err := os.MkdirAll(filepath.Join(w.dir, userOf(i, people), c), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("Close of the host: %v", err)
		}
	})
	p, err := h.Start(t.Context(), "memory", host.Spec{
		Command: []string{self}, Env: []string{pluginVariable + "=1"},
		Settings: backend.Settings{"dir": w.dir, "users": users},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.build(p)
	return w
}

// write writes a file of somebody's, whole.
func (w *town) write(user, collection, name, body string) {
	w.t.Helper()
	dir := filepath.Join(w.dir, user, collection)
	hidden := filepath.Join(dir, "."+name)
	if err := os.WriteFile(hidden, []byte(body), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(hidden, filepath.Join(dir, name)); err != nil {
		w.t.Fatal(err)
	}
}
