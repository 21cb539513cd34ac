package host

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/internal/wire"
)

// Info is what a plugin says of itself.
type Info struct {
	Name         string          // "carddav"
	Extras       []backend.Extra // that its sessions may have
	MinorVersion int             // of the protocol
	PID          int             // of the present process
}

// A Plugin is a backend in a process of its own. It is restarted when it dies;
// calls meanwhile wait a moment, and fail as Transient if that is not enough.
// What a call was in the middle of when the process died fails as Transient,
// unless it changes nothing and has told its caller nothing yet: that is asked
// again.
type Plugin struct {
	host *Host
	name string
	spec Spec
	dir  string
	log  *slog.Logger

	gate     *gate
	client   *wire.Client
	info     atomic.Pointer[Info]
	restarts atomic.Int64

	stop    context.CancelFunc
	closing sync.Once
	done    chan struct{}
}

var (
	_ backend.Backend  = (*Plugin)(nil)
	_ backend.Declarer = (*Plugin)(nil)
)

func newPlugin(h *Host, name string, spec Spec, dir string) *Plugin {
	g := newGate(name, h.options)
	return &Plugin{
		host: h, name: name, spec: spec, dir: dir, log: h.options.Logger.With("plugin", name),
		gate: g, client: wire.NewClient(name, g), done: make(chan struct{}),
	}
}

// String names the plugin and hides its settings.
func (p *Plugin) String() string { return "plugin " + p.name }

// GoString hides them from %#v, too.
func (p *Plugin) GoString() string { return "host.Plugin{" + p.name + "}" }

// Info answers what the plugin said when it started last.
func (p *Plugin) Info() Info { return *p.info.Load() }

// Extras lists the extras that sessions may have.
func (p *Plugin) Extras() []backend.Extra { return p.info.Load().Extras }

// Restarts answers how often the plugin was started after the first time.
func (p *Plugin) Restarts() int { return int(p.restarts.Load()) }

// Ready waits until the plugin runs.
func (p *Plugin) Ready(ctx context.Context) error {
	for {
		_, err := p.gate.connection(ctx)
		if err == nil {
			return nil
		}
		p.gate.mu.Lock()
		change, closed := p.gate.change, p.gate.closed
		p.gate.mu.Unlock()
		if closed || ctx.Err() != nil {
			return err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return backend.E(backend.Transient, "plugin "+p.name, ctx.Err())
		}
	}
}

// Open asks the store whether the credentials are right.
func (p *Plugin) Open(ctx context.Context, c backend.Credentials) (backend.Session, error) {
	return p.client.Open(ctx, c)
}

// Session answers a person's session without asking anyone; if the credentials
// are wrong, its calls are Denied. It offers the extras that the plugin
// declared.
func (p *Plugin) Session(c backend.Credentials) backend.Session {
	return p.client.Session(c, p.info.Load().Extras)
}

// Close ends the plugin and waits for it.
func (p *Plugin) Close() error {
	p.closing.Do(p.stop)
	<-p.done
	p.client.Close()
	p.host.forget(p)
	return nil
}

// supervise keeps the plugin running from now on.
func (p *Plugin) supervise(first *process) {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.admit(first)
	go func() {
		defer close(p.done)
		defer p.gate.close()
		for pr, deaths := first, 0; pr != nil; {
			p.attend(ctx, pr)
			if ctx.Err() != nil {
				p.gate.close()
				pr.kill()
				return
			}
			if time.Since(pr.since) >= stable {
				deaths = 0
			}
			pr, deaths = p.revive(ctx, pr, deaths)
		}
	}()
}

// admit lets calls through to a process.
func (p *Plugin) admit(pr *process) {
	p.info.Store(&Info{
		Name: pr.info.Name, Extras: pr.info.Extras, MinorVersion: pr.info.MinorVersion, PID: pr.child.running().Pid,
	})
	p.gate.open(pr.conn)
}

const (
	// stable is how long a process must have lived for its death to be taken
	// as an accident rather than a habit.
	stable = time.Minute

	// firstDelay and maxDelay bound the wait before another attempt. The
	// first restart of a stable plugin does not wait at all.
	firstDelay = 250 * time.Millisecond
	maxDelay   = 30 * time.Second

	// pulseEvery is how often a plugin is asked whether it is well, and pulseTime
	// how long it may take to say so; one that misses two in a row hangs.
	pulseEvery = 30 * time.Second
	pulseTime  = 10 * time.Second

	// exitTime is how long a process that dropped its connection may take to
	// end by itself.
	exitTime = time.Second
)

// attend returns when the process has ended, has lost its connection, hangs,
// or is to be stopped.
func (p *Plugin) attend(ctx context.Context, pr *process) {
	tick := time.NewTicker(p.host.pulseEvery)
	defer tick.Stop()
	missed := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-pr.child.exited:
			return
		case <-p.gate.suspect:
			select {
			case <-pr.child.exited:
			case <-time.After(exitTime):
				p.log.Warn("the plugin closed its connection and does not end")
			case <-ctx.Done():
			}
			return
		case <-tick.C:
		}
		if pr.well(ctx, p.host.pulseTime) {
			missed = 0
		} else if missed++; missed == 2 {
			p.log.Error("the plugin hangs")
			return
		}
	}
}

func (pr *process) well(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	in := &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName}
	_, err := grpc_health_v1.NewHealthClient(pr.conn).Check(ctx, in)
	return err == nil
}

// revive replaces a process until one runs, with growing pauses. It answers
// nil if the plugin is to be stopped.
func (p *Plugin) revive(ctx context.Context, dead *process, deaths int) (*process, int) {
	wait := delay(deaths)
	p.gate.shut(time.Now().Add(wait))
	dead.child.Kill(ctx) // lest go-plugin waits for politeness
	dead.kill()
	p.log.Error("the plugin has ended", "lived", time.Since(dead.since).Round(time.Millisecond), "error", dead.child.err, "restart_in", wait)
	for {
		deaths++
		select {
		case <-ctx.Done():
			return nil, deaths
		case <-time.After(wait):
		}
		pr, err := p.launch(ctx)
		if err == nil {
			p.restarts.Add(1)
			select {
			case <-p.gate.suspect: // it was about the dead one
			default:
			}
			p.admit(pr)
			p.log.Info("the plugin runs again", "pid", pr.child.ID())
			return pr, deaths
		}
		wait = delay(deaths)
		p.gate.shut(time.Now().Add(wait))
		if ctx.Err() == nil {
			p.log.Error("the plugin does not start", "error", err, "retry_in", wait)
		}
	}
}

// delay doubles with each death and is spread by half of itself, lest the
// plugins of several workers start in step.
func delay(deaths int) time.Duration {
	if deaths == 0 {
		return 0
	}
	d := min(firstDelay<<min(deaths-1, 10), maxDelay)
	return d/2 + rand.N(d)
}
