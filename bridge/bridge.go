package bridge

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/console"
	"github.com/pushbridge/pushbridge/bridge/admin/gate"
	"github.com/pushbridge/pushbridge/bridge/admin/notice"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
	"github.com/pushbridge/pushbridge/bridge/autodiscover"
	"github.com/pushbridge/pushbridge/bridge/choice"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/davpush"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
	"github.com/pushbridge/pushbridge/bridge/directory"
	"github.com/pushbridge/pushbridge/bridge/easserver"
	"github.com/pushbridge/pushbridge/bridge/hub"
	"github.com/pushbridge/pushbridge/bridge/mailer"
	"github.com/pushbridge/pushbridge/bridge/outbox"
	"github.com/pushbridge/pushbridge/bridge/placeholder"
	"github.com/pushbridge/pushbridge/bridge/problem"
	"github.com/pushbridge/pushbridge/bridge/profile"
	"github.com/pushbridge/pushbridge/bridge/store/sqlstore"
	"github.com/pushbridge/pushbridge/bridge/syncengine"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/bridge/telemetry/latency"
	"github.com/pushbridge/pushbridge/bridge/telemetry/metrics"
	"github.com/pushbridge/pushbridge/bridge/trace"
	"github.com/pushbridge/pushbridge/bridge/translate/tz"
	"github.com/pushbridge/pushbridge/bridge/watch"
	"github.com/pushbridge/pushbridge/fcgi"
)

// ErrConfig marks errors that only another configuration mends.
var ErrConfig = errors.New("bridge: the configuration is wrong")

// A configError says in full what to write, so that ErrConfig need not be
// printed.
type configError struct{ error }

func (e configError) Unwrap() error        { return e.error }
func (e configError) Is(target error) bool { return target == ErrConfig }

// faulty makes an error that is ErrConfig.
func faulty(format string, args ...any) error { return configError{fmt.Errorf(format, args...)} }

// Options tell New what to build with.
type Options struct {
	Config config.File
	Logger *slog.Logger // nil means slog.Default

	// Backends are served in place of those that the configuration names, and
	// no plugin is started. For tests, and for programs with backends of their
	// own.
	Backends []account.Named

	// Adapter answers the command line that starts a built-in adapter as a
	// plugin. Nil means this executable with "plugin NAME".
	Adapter func(name string) ([]string, error)

	// Store, if it is not nil, comes between the sync engine and its database.
	// For tests of what happens when the disk is full.
	Store func(syncengine.Store) syncengine.Store

	// Roots are the authorities that certificates for mail are judged by. Nil
	// means those of the configuration.
	Roots *x509.CertPool

	// SearchTime is easserver's. For tests.
	SearchTime time.Duration

	// Version is that of the program, for administrators.
	Version string

	// Linger is how long a folder is watched after its last phone left; 0 means
	// the hub's default.
	Linger hub.Options

	// Remember is account's Linger. For tests.
	Remember time.Duration
}

// A Bridge is the whole gateway.
type Bridge struct {
	logger   *slog.Logger
	config   config.File
	store    *sqlstore.DB
	plugins  *plugins
	accounts *account.Accounts
	hub      *hub.Hub
	desk     *watch.Desk
	sources  *sources
	pushes   *davpush.Receiver // nil if servers cannot reach us
	engine   *syncengine.Engine
	devices  *device.Register
	rules    *rulebook.Book
	problems *problem.Register
	choices  *choice.Choices
	door     *admin.Server
	roster   *roster.Roster
	gate     *gate.Gate       // nil if the administration is not on the web
	console  *console.Console // nil likewise
	notices  *notice.Notices  // nil if nobody is told by mail
	mailer   *mailer.Mailer   // as notices
	handler  http.Handler
	backends []account.Named // without the placeholder
	profiles *profile.Table
	tracer   *trace.Tracer
	people   *directory.Directory
	metrics  *metrics.Metrics
	latency  latency.Hour
	recent   telemetry.Recent // lines of the log
	worker   atomic.Pointer[fcgi.Server]
	ending   atomic.Bool
}

// New starts the plugins, opens the store and joins the rooms. What is wrong
// with the configuration comes back as one error that names every fault.
func New(ctx context.Context, o Options) (_ *Bridge, err error) {
	b := &Bridge{config: o.Config}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	b.logger = slog.New(b.recent.Handler(o.Logger.Handler()))
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.profiles, err = openProfiles(o.Config.Profiles); err != nil {
		return nil, err
	}
	if b.store, err = openStore(ctx, o.Config.State); err != nil {
		return nil, err
	}
	backends := o.Backends
	if backends == nil {
		if b.plugins, err = startPlugins(ctx, o, b.logger); err != nil {
			return nil, err
		}
		backends = b.plugins.backends
	}
	b.backends = backends
	if err := b.join(ctx, o, backends); err != nil {
		return nil, err
	}
	return b, nil
}

// join builds the rooms upon the store and the backends.
func (b *Bridge) join(ctx context.Context, o Options, backends []account.Named) (err error) {
	f := o.Config
	backends = append(backends[:len(backends):len(backends)], account.Named{Name: placeholder.Name, Backend: placeholder.Backend{}})
	b.accounts, err = account.New(account.Options{
		Backends: backends, Verify: f.Login.Verify,
		Rule:     account.Rule{User: f.Login.Rule, Domains: f.Login.Domains, Domain: f.Login.Domain, Lower: f.Login.Lower, Address: f.Login.Address},
		Throttle: limits(f.Throttle), Linger: o.Remember,
	})
	if err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	lingering := o.Linger
	lingering.Report = func(err error) { b.logger.Error("watching", "error", err) }
	b.hub = hub.New(lingering)
	b.desk = &watch.Desk{Share: float64(f.PollShare) / 100}
	b.metrics = b.newMetrics(o.Version)
	b.desk.Counts = looks{b.metrics}
	b.sources = &sources{desk: b.desk, logger: b.logger, metrics: b.metrics}
	for _, named := range b.backends {
		b.sources.backends = append(b.sources.backends, named.Name)
	}
	if err := b.openPushes(ctx); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	table, err := folderRules(f.Folders)
	if err != nil {
		return err
	}
	b.choices = choice.New(table, b.store.Phones())
	var mirror syncengine.Store = b.store.Sync()
	if o.Store != nil {
		mirror = o.Store(mirror)
	}
	zone, ok := tz.Location(f.TimeZone)
	if !ok && f.TimeZone != "" {
		return fmt.Errorf("bridge: nobody knows the time zone %q", f.TimeZone)
	}
	b.engine = syncengine.New(syncengine.Options{
		Store: mirror, Describe: easserver.DescribeIn(zone), Zone: easserver.ZoneIn(zone), Floats: easserver.Floats, Ages: easserver.Ages,
		Changed: func(user string, f syncengine.FolderID) { b.hub.Publish(hub.Topic{User: user, Folder: int64(f)}) },
		Brake:   syncengine.Brake{Share: f.Brake.Share, Count: f.Brake.Count, Pause: f.Brake.Pause},
		Braked:  b.braked,
		Prefer:  b.choices.Main,
	})
	if b.problems, err = problem.Open(ctx, b.store.Problems(), b.engine); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	if b.people, err = b.openDirectory(f.Directory, backends); err != nil {
		return err
	}
	roots := o.Roots
	if roots == nil {
		if roots, err = openRoots(f.CertificatesCA); err != nil {
			return err
		}
	}
	if b.rules, err = rulebook.Open(ctx, b.store.Documents(), rulebook.Config{Policy: f.Policy.Policy, NeverFullWipe: f.Policy.NeverFullWipe}); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	box := b.recoveryKeys()
	b.devices = device.New(device.Options{Store: b.store.Phones(), Rules: b.rules, NeverFullWipe: f.Policy.NeverFullWipe,
		TwoPersons: f.Policy.WipeTwoPersons, WipeExpires: f.Policy.WipeExpires, Expire: b.expire, Looping: b.looping, Arrived: b.arrived, Box: box})
	b.tracer = new(trace.Tracer)
	b.roster = b.newRoster(box)
	b.door = b.newDoor(o.Version)
	if b.notices, err = b.newNotices(ctx); err != nil {
		return err
	}
	if b.gate, err = b.newGate(); err != nil {
		return err
	}
	b.handler = b.routes(easserver.New(easserver.Options{
		Elsewhere: f.Redirects.For,
		Accounts:  b.accounts, Devices: b.devices, Engine: b.engine, Hub: b.hub, Desk: b.desk, Subscribe: b.subscribe(), Problems: b.problems, Choices: b.choices,
		PollMin: f.PollMin, PollMax: f.PollMax, Zone: zone, Placeholder: placeholder.Name, Profiles: b.profiles,
		Outbox:    outbox.New(b.store.Letters(), b.logger),
		Directory: b.people, InDirectory: inDirectory(f.Directory), Roots: roots, SearchTime: o.SearchTime,
		Heartbeat: b.bounds(),
		Logger:    b.logger, Tracer: b.tracer, Counts: counting{b.metrics, &b.latency},
	}), b.logged(autodiscover.New(autodiscover.Options{URL: f.AutodiscoverURL, Login: b.person, Elsewhere: f.Redirects.For, Note: noted})), b.webhooks())
	return nil
}

// folderRules reads the rules that say which folders are shown.
func folderRules(f config.Folders) (t choice.Table, err error) {
	for _, k := range []struct {
		texts []string
		rules *[]choice.Rule
	}{{f.Show, &t.Show}, {f.Hide, &t.Hide}, {f.Main, &t.Main}} {
		for _, text := range k.texts {
			r, err := choice.ParseRule(text)
			if err != nil {
				return t, faulty("[folders]: %w", err)
			}
			*k.rules = append(*k.rules, r)
		}
	}
	return t, nil
}

// openProfiles reads the rules for sorts of phones; the built-in ones, if no
// file of others is named.
func openProfiles(path string) (*profile.Table, error) {
	if path == "" {
		return profile.Default(), nil
	}
	t, err := profile.Load(path)
	if _, ok := errors.AsType[profile.Complaints](err); ok {
		return nil, configError{err}
	}
	if err != nil {
		return nil, faulty("profiles = %q: %w; name a file that the user that pushbridge runs as may read, or remove the line", path, err)
	}
	return t, nil
}

// braked says in the log that many items are missing, and what came of it.
func (b *Bridge) braked(h syncengine.Hold, what syncengine.HoldEvent) {
	level, text := slog.LevelInfo, "a large deletion is no longer held: "+string(what)
	if what == syncengine.HoldBegan {
		level, text = slog.LevelWarn, "a large deletion is held until it is confirmed or released"
	}
	b.logger.LogAttrs(context.Background(), level, text, slog.String("user", h.User), slog.Int64("folder", int64(h.Folder)),
		slog.String("name", h.Name), slog.Int("items", h.Items), slog.Int("of", h.Of),
		slog.Time("since", h.Since), slog.Time("until", h.Until))
}

// limits are those of the configuration, where 0 means none.
func limits(t config.Throttle) account.Limits {
	none := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	return account.Limits{User: none(t.User), Device: none(t.Device), Address: none(t.Address), Window: t.Window}
}

// String says what it is and hides the settings, which may hold passwords.
func (b *Bridge) String() string { return "bridge.Bridge" }

// GoString hides them from %#v, too.
func (b *Bridge) GoString() string { return b.String() }

// person verifies a login for Autodiscover.
func (b *Bridge) person(ctx context.Context, login, password string) (autodiscover.Person, error) {
	acct, err := b.accounts.LoginFrom(ctx, login, password, account.Caller{Address: addressOf(ctx)})
	if err != nil {
		return autodiscover.Person{}, err
	}
	if event := telemetry.From(ctx); event != nil {
		event.User = acct.Name()
	}
	return autodiscover.Person{Name: acct.Name(), Address: acct.Address()}, nil
}

// Handler answers every request that pushbridge is for.
func (b *Bridge) Handler() http.Handler { return b.handler }

// Door answers what administrators ask.
func (b *Bridge) Door() *admin.Server { return b.door }

// Desk is where word arrives of changes at the backends.
func (b *Bridge) Desk() *watch.Desk { return b.desk }

// Waiting is the number of phones that wait for a change.
func (b *Bridge) Waiting() int { return b.hub.Waiting() }

// Close ends everything that New started. Requests under way should have
// ended before.
func (b *Bridge) Close() error {
	var errs []error
	if b.hub != nil {
		b.hub.Shutdown()
		b.hub.Close()
	}
	if b.desk != nil {
		b.desk.Close()
	}
	if b.people != nil && b.people.Shared() != nil {
		errs = append(errs, b.people.Shared().Close())
	}
	if b.accounts != nil {
		errs = append(errs, b.accounts.Close())
	}
	if b.plugins != nil {
		errs = append(errs, b.plugins.Close())
	}
	if b.store != nil {
		errs = append(errs, b.store.Close())
	}
	return errors.Join(errs...)
}
