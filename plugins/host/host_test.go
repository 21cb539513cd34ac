package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/backend/backendtest"
	"github.com/pushbridge/pushbridge/plugins/backend/memory"
	"github.com/pushbridge/pushbridge/plugins/host"
	"github.com/pushbridge/pushbridge/plugins/sdk"
)

// roleKey makes this test's binary play another part: a plugin, or a host.
const roleKey = "PUSHBRIDGE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleKey); role {
	case "":
		os.Exit(m.Run())
	case "memory":
		sdk.Main("memory", memory.Open)
	case "shelf":
		sdk.Main("shelf", openShelf)
	case "mute":
		select {}
	case "babbler":
		fmt.Fprintln(os.Stderr, "the disk is full")
		fmt.Println("hello, I am no plugin")
		os.Exit(3)
	case "host":
		playHost()
	default:
		panic(role)
	}
}

var ann = backend.Credentials{User: "ann", Password: "secret"}

// settings are those of the memory backend.
var settings = backend.Settings{"users": map[string]any{"ann": "secret"}}

// spec starts this binary in a role.
func spec(t testing.TB, role string, s backend.Settings) host.Spec {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return host.Spec{Command: []string{exe}, Env: []string{roleKey + "=" + role}, Settings: s}
}

// start starts a host with one plugin.
func start(t testing.TB, o host.Options, s host.Spec) *host.Plugin {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := host.New(o)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	p, err := h.Start(t.Context(), "store", s)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return p
}

func TestConformance(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "memory", settings))
	backendtest.Run(t, backendtest.Suite{Backend: p, Credentials: ann})
}

func TestInfo(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "memory", settings))
	info := p.Info()
	if info.Name != "memory" || len(info.Extras) != 10 || info.PID <= 0 {
		t.Errorf("Info() = %+v, want the name memory, its extras and a process", info)
	}
	if p.Restarts() != 0 {
		t.Errorf("Restarts() = %d, want 0", p.Restarts())
	}
	if got := backend.Extras(p.Session(ann)); len(got) != 10 {
		t.Errorf("a session that was not opened offers %v, want what the plugin declared", got)
	}
}

func TestSettings(t *testing.T) {
	tests := []struct {
		name     string
		settings backend.Settings
		want     string
	}{
		{"unknown and missing", backend.Settings{"user": "ann"}, `store: user is not known; did you mean "users"?; users must be set`},
		{"mistyped", backend.Settings{"users": "ann"}, "store: users is a text, want a table"},
		{"nested", backend.Settings{"users": map[string]any{"ann": int64(3)}}, "store: users.ann is 3, want a text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler)})
			defer h.Close()
			_, err := h.Start(t.Context(), "store", spec(t, "memory", test.settings))
			if _, ok := errors.AsType[*host.ConfigError](err); !ok || err.Error() != test.want {
				t.Errorf("Start: error = %v (%T), want a *ConfigError %q", err, err, test.want)
			}
		})
	}
}

func TestStartFails(t *testing.T) {
	tests := []struct {
		name string
		spec host.Spec
		want []string
	}{
		{"no command", host.Spec{}, []string{"store", "no command"}},
		{"no such program", host.Spec{Command: []string{"/nonexistent/plugin"}}, []string{"store", "/nonexistent/plugin", "no such file"}},
		{"no plugin", spec(t, "babbler", nil), []string{"store", "hello, I am no plugin", "the disk is full"}},
		{"never ready", spec(t, "mute", nil), []string{"store", "deadline exceeded"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler), StartTimeout: 10 * time.Second})
			defer h.Close()
			ctx := t.Context()
			if test.name == "never ready" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
			}
			_, err := h.Start(ctx, "store", test.spec)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Start: error = %v, want it to mention %q", err, want)
				}
			}
		})
	}
}

func TestKilledPluginComesBack(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "memory", settings))
	s := p.Session(ann)
	for round := range 3 {
		kill(t, p)
		list, err := s.Collections(t.Context())
		if err != nil || len(list) != 5 {
			t.Errorf("round %d: Collections after a kill: %d collections, error %v; want all and a delay", round, len(list), err)
		}
	}
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	if got := p.Restarts(); got != 3 {
		t.Errorf("Restarts() = %d, want 3", got)
	}
}

func kill(t *testing.T, p *host.Plugin) {
	t.Helper()
	if err := syscall.Kill(p.Info().PID, syscall.SIGKILL); err != nil {
		t.Fatalf("kill: %v", err)
	}
}

func TestKillEndsWatchAsTransient(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "memory", settings))
	w, ok := backend.As[backend.Watcher](p.Session(ann))
	if !ok {
		t.Fatal("the session is not a Watcher")
	}
	err := w.Watch(t.Context(), []backend.CollectionID{"contacts"}, func() { kill(t, p) }, func(backend.CollectionID) {})
	if backend.KindOf(err) != backend.Transient {
		t.Errorf("Watch when the plugin dies: error = %v, want kind Transient\nThe waiting phone stays waiting on this kind.", err)
	}
	again, cancel := context.WithCancel(t.Context())
	err = w.Watch(again, []backend.CollectionID{"contacts"}, cancel, func(backend.CollectionID) {})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Watch after that: error = %v, want it to work until it is cancelled", err)
	}
}

func TestClosedHost(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "memory", settings))
	if err := p.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	_, err := p.Open(t.Context(), ann)
	if backend.KindOf(err) != backend.Transient {
		t.Errorf("Open of a closed plugin: error = %v, want kind Transient", err)
	}
	if err := p.Ready(t.Context()); err == nil {
		t.Error("Ready of a closed plugin succeeds")
	}
}

func TestRuntimeDirIsRemoved(t *testing.T) {
	base, err := os.MkdirTemp("", "pb")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	stale := base + "/pushbridge-plugins-999999999-1"
	if err := os.Mkdir(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Options{Logger: slog.New(slog.DiscardHandler), RuntimeDir: base})
	if _, err := h.Start(t.Context(), "store", spec(t, "memory", settings)); err != nil {
		t.Fatalf("Start: %v", err)
	}
	entries, _ := os.ReadDir(base)
	if len(entries) != 1 {
		t.Errorf("the runtime directory has %v, want one directory; that of a dead host goes", entries)
	} else if info, err := entries[0].Info(); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the sockets' directory has the mode %v, want 0700", info.Mode())
	}
	if err := h.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if entries, _ := os.ReadDir(base); len(entries) > 0 {
		t.Errorf("after Close there is %v, want nothing", entries)
	}
}

func TestPluginLog(t *testing.T) {
	var out lockedBuffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	p := start(t, host.Options{Logger: log}, spec(t, "shelf", nil))
	p.Open(t.Context(), backend.Credentials{User: "panic"})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"level=WARN msg=\"a warning\" plugin=store shelf=3", "level=ERROR msg=\"panic in a backend's method\"", "msg=\"a plain line\""} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A waiting is somebody who is followed.
type waiting struct{ ready, ended chan error }

func (w waiting) Ready()                       { w.ready <- nil }
func (w waiting) Changed(backend.CollectionID) {}
func (w waiting) Ended(err error)              { w.ended <- err }

// TestKillEndsFollowing has several people followed when the plugin dies: all
// hear of it, and all are followed again by the next process.
func TestKillEndsFollowing(t *testing.T) {
	p := start(t, host.Options{}, spec(t, "memory", settings))
	w, _ := backend.As[backend.Watcher](p.Session(ann))
	f, ok := w.(backend.Follower)
	if !ok {
		t.Fatal("the session is not a Follower")
	}
	for round := range 2 {
		var all []waiting
		for range 5 {
			w := waiting{make(chan error, 1), make(chan error, 1)}
			all = append(all, w)
			if _, ok := f.Follow([]backend.CollectionID{"contacts"}, w); !ok {
				t.Fatalf("round %d: the session does not follow", round)
			}
		}
		for _, w := range all {
			select {
			case <-w.ready:
			case err := <-w.ended:
				t.Fatalf("round %d: Follow ended with %v", round, err)
			}
		}
		kill(t, p)
		for _, w := range all {
			if err := <-w.ended; backend.KindOf(err) != backend.Transient {
				t.Errorf("round %d: Follow when the plugin dies: error = %v, want kind Transient", round, err)
			}
		}
	}
}
