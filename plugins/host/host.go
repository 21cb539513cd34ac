// Package host is our side of plugins: it starts them, restarts them, limits them and hands out people's sessions.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
)

// Options tell New what to build with. The zero value works.
type Options struct {
	// Logger takes what plugins write and what becomes of them; nil means
	// slog.Default.
	Logger *slog.Logger

	// RuntimeDir is where the directory with the plugins' sockets is made;
	// empty means the system's directory for temporary files.
	RuntimeDir string

	// MaxCalls is how many calls may be in a plugin at a time, those of Watch
	// apart; 0 means 64. More of them wait.
	MaxCalls int

	// CallTimeout is how long a plugin may be silent in a call, Watch apart;
	// 0 means two minutes, more than stores take that will answer at all.
	CallTimeout time.Duration

	// Patience is how long a call waits for a dead plugin to come back, or for
	// one of the MaxCalls places; 0 means five seconds. Most plugins are back
	// in a tenth of that, and the phone notices nothing but a delay; when the
	// next attempt is further away, the phone had better be told at once.
	Patience time.Duration

	// StartTimeout is how long a plugin may take to start and to accept its
	// settings; 0 means 20 seconds.
	StartTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxCalls == 0 {
		o.MaxCalls = 64
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = 2 * time.Minute
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 20 * time.Second
	}
	return o
}

// A Spec says which process to start and what to tell it.
type Spec struct {
	// Command is the program, looked up in PATH if it has no slash, and its
	// arguments. Required.
	Command []string

	// Env are further variables, as "NAME=value". Of the host's own ones a
	// plugin sees only those that say where things are, for the others may
	// hold secrets.
	Env []string

	// Settings go to the plugin untouched.
	Settings backend.Settings
}

// A ConfigError is what a plugin says against its settings.
type ConfigError struct {
	Plugin string // the name given to Start
	Text   string // for the person who wrote the settings
}

// Error names the plugin and repeats what it says.
func (e *ConfigError) Error() string { return e.Plugin + ": " + e.Text }

// A Host runs plugins. Make one with New, and Close it.
type Host struct {
	options    Options
	starter    starter
	pulseEvery time.Duration // constants, except for tests
	pulseTime  time.Duration

	mu      sync.Mutex
	dir     string // with the sockets; empty until the first Start
	plugins []*Plugin
	closed  bool
}

// New answers a host without plugins.
func New(o Options) *Host {
	return &Host{options: o.withDefaults(), pulseEvery: pulseEvery, pulseTime: pulseTime}
}

var errClosed = errors.New("the host is closed")

// Start starts a plugin and keeps it running until Close. It answers when the
// plugin has accepted its settings; if it refuses them with a *ConfigError.
// name is the backend's name in the configuration, for the log and for errors.
func (h *Host) Start(ctx context.Context, name string, spec Spec) (*Plugin, error) {
	if len(spec.Command) == 0 {
		return nil, fmt.Errorf("host: %s: no command", name)
	}
	dir, err := h.socketDir()
	if err != nil {
		return nil, err
	}
	p := newPlugin(h, name, spec, dir)
	first, err := p.launch(ctx)
	if complaint, ok := errors.AsType[*wire.Complaint](err); ok {
		return nil, &ConfigError{Plugin: name, Text: complaint.Text}
	}
	if err != nil {
		return nil, fmt.Errorf("host: %s: %w", name, err)
	}
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		first.kill()
		return nil, fmt.Errorf("host: %s: %w", name, errClosed)
	}
	h.plugins = append(h.plugins, p)
	p.supervise(first)
	h.mu.Unlock()
	return p, nil
}

// Close ends all plugins and waits for them.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	plugins, dir := h.plugins, h.dir
	h.plugins = nil
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range plugins {
		wg.Go(func() { p.Close() })
	}
	wg.Wait()
	h.starter.close()
	if dir != "" {
		return os.RemoveAll(dir)
	}
	return nil
}

// forget drops a plugin that was closed by itself.
func (h *Host) forget(p *Plugin) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plugins = slices.DeleteFunc(h.plugins, func(o *Plugin) bool { return o == p })
}

const (
	dirPrefix = "pushbridge-plugins-"

	// maxBaseDir is how long the runtime directory's name may be: a socket's
	// path has at most 107 bytes (unix(7)), and ours adds up to 60.
	maxBaseDir = 45
)

// socketDir makes a directory that nobody else can enter, and clears away
// those of hosts that were killed.
func (h *Host) socketDir() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return "", errClosed
	}
	if h.dir != "" {
		return h.dir, nil
	}
	base := h.options.RuntimeDir
	if base == "" || len(base) > maxBaseDir {
		base = os.TempDir()
	}
	removeStale(base)
	dir, err := os.MkdirTemp(base, dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", fmt.Errorf("host: a directory for sockets: %w", err)
	}
	h.dir = dir
	return dir, nil
}

// removeStale removes the directories of hosts that are no more. What cannot
// be removed belongs to somebody else and stays.
func removeStale(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, dirPrefix+"*-*"))
	for _, dir := range dirs {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		n, err := strconv.Atoi(pid)
		if err == nil && n > 1 && errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
			os.RemoveAll(dir)
		}
	}
}
