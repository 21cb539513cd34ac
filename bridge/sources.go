package bridge

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/davpush"
	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/bridge/telemetry/metrics"
	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/bridge/webhook"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// The names of sources of events.
const (
	sourceNotify = "notify"
	sourceHook   = "hook "  // and its name
	sourceOwn    = "events" // those of the backend itself
	sourcePush   = "webdav-push"
)

// notifySocket is the socket for notices inside the state directory, unless the
// configuration names another one or none.
const (
	notifySocket = "notify.sock"
	notifyOff    = "off"
)

// NotifyListen says where a configuration wants notices, as notify.Listen takes
// it; empty means nowhere.
func NotifyListen(f config.File) string {
	switch {
	case f.Notify == notifyOff, f.Notify == "" && f.State == Memory:
		return ""
	case f.Notify == "":
		return "unixgram:" + filepath.Join(f.State, notifySocket) + "?mode=0600"
	}
	return f.Notify
}

// NotifySocket is the path of the socket for notices, or empty if there is none.
func NotifySocket(f config.File) string { return notify.Path(NotifyListen(f)) }

// listenNotify opens it. One that nobody asked for by name and that cannot be
// opened is done without: phones matter more.
func (b *Bridge) listenNotify() (*notify.Listener, error) {
	spec := NotifyListen(b.config)
	if spec == "" {
		return nil, nil
	}
	l, err := notify.Listen(spec)
	if err != nil && b.config.Notify == "" {
		b.logger.Warn(`hooks cannot send notices; say where they may: notify = "unixgram:/run/pushbridge/notify.sock?group=radicale", or notify = "off"`, "error", err)
		return nil, nil
	}
	return l, err
}

// sources hear of changes, tell the desk, and know when each was heard last.
type sources struct {
	desk     *watch.Desk
	logger   *slog.Logger
	backends []string // their names
	metrics  *metrics.Metrics

	mu    sync.Mutex
	heard map[heardKey]time.Time
}

// A heardKey is a source and what it spoke of; an empty backend means any.
type heardKey struct{ source, backend string }

// take passes notices on. Names of backends that there are not are nobody's
// business.
func (s *sources) take(source string, notices []notify.Notice) {
	for _, n := range notices {
		if n.Backend != "" && !slices.Contains(s.backends, n.Backend) {
			s.logger.LogAttrs(context.Background(), slog.LevelDebug, "a notice names a backend that there is not", slog.String("source", source), slog.String("backend", n.Backend))
			continue
		}
		s.hear(source, n.Backend)
		h := watch.Hint{Source: source, Backend: n.Backend, Path: n.Path}
		if n.Path == "" {
			h.User = n.User // else it is who did it, and what it concerns may be seen by others, too
		}
		s.desk.Hint(h)
	}
}

// hear notes that a source was heard.
func (s *sources) hear(source, backend string) {
	s.metrics.Heard(source, backend)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard == nil {
		s.heard = make(map[heardKey]time.Time)
	}
	s.heard[heardKey{source, backend}] = time.Now()
}

// last is when a source was last heard of a backend, or of any; zero if never.
func (s *sources) last(source, backend string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.heard[heardKey{source, backend}]
	if any := s.heard[heardKey{source, ""}]; any.After(at) {
		at = any
	}
	return at
}

// webhooks answers the hooks that the configuration names.
func (b *Bridge) webhooks() http.Handler {
	hooks := make([]webhook.Hook, len(b.config.Hooks))
	for i, h := range b.config.Hooks {
		hooks[i] = webhook.Hook{Name: h.Name, Kind: webhook.Kind(h.Kind), Backend: h.Backend, Secret: h.Secret}
	}
	return webhook.New(webhook.Options{Hooks: hooks, Logger: b.logger, Take: func(hook string, n []notify.Notice) {
		b.sources.take(sourceHook+hook, n)
	}})
}

// sourcesOf lists the sources that a backend has, for administrators.
func (b *Bridge) sourcesOf(named account.Named) []admin.Source {
	list := []admin.Source{}
	add := func(name string, heard time.Time, relied bool) {
		s := admin.Source{Name: name, Relied: relied}
		if !heard.IsZero() {
			s.Heard = &heard
		}
		list = append(list, s)
	}
	if slices.Contains(backend.Declared(named.Backend), backend.ExtraWatch) {
		at := b.desk.OwnEvent(named.Name)
		add(sourceOwn, at, !at.IsZero())
	}
	told := func(name string, always bool) {
		if at := b.sources.last(name, named.Name); always || !at.IsZero() {
			add(name, at, b.desk.Relied(named.Name, name))
		}
	}
	told(sourceNotify, b.config.Notify != "" && b.config.Notify != notifyOff)
	if b.pushes != nil && slices.Contains(backend.Declared(named.Backend), backend.ExtraSubscribe) {
		add(sourcePush, b.sources.last(sourcePush, named.Name), b.pushes.Subscribed(named.Name) > 0)
	}
	for _, h := range b.config.Hooks {
		if h.Backend == "" || h.Backend == named.Name {
			told(sourceHook+h.Name, true)
		}
	}
	return list
}

// openPushes prepares for the pushes of servers, if the configuration says where
// they can reach us.
func (b *Bridge) openPushes(ctx context.Context) (err error) {
	if b.config.WebDAVPush == "" {
		return nil
	}
	b.pushes, err = davpush.Open(ctx, davpush.Options{
		Store: b.store.Pushes(), URL: b.config.WebDAVPush, Logger: b.logger,
		Take: func(n notify.Notice) {
			b.sources.hear(sourcePush, n.Backend)
			// Who is subscribed is vouched for, collection by collection; the
			// source as a whole may leave some out.
			b.desk.Hint(watch.Hint{Backend: n.Backend, User: n.User, Path: n.Path})
		},
		Vouch: func(name, user string, c backend.CollectionID, span time.Duration) {
			b.desk.Vouch(watch.Hint{Backend: name, User: user, Path: string(c)}, span)
		},
	})
	return err
}

// subscribe is what easserver is given to have servers push; nil if they cannot
// reach us.
func (b *Bridge) subscribe() func(context.Context, string, string, backend.CollectionID, backend.Session) {
	if b.pushes == nil {
		return nil
	}
	return b.pushes.Ensure
}
