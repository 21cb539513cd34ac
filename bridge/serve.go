package bridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os/user"
	"sync"
	"syscall"
	"time"

	"github.com/pushbridge/pushbridge/bridge/graceful"
	"github.com/pushbridge/pushbridge/bridge/notify"
	"github.com/pushbridge/pushbridge/fcgi"
)

const (
	// DrainTime bounds how long the end of the program waits for requests
	// under way. Waiting phones are answered at once; a write to a backend
	// takes seconds.
	DrainTime = 20 * time.Second

	// portionsTime is the part of it in which phones that wait behind a web
	// server are answered in portions. Whose turn has not come by then is
	// answered at once.
	portionsTime = DrainTime / 2
)

// Listeners are where requests come from.
type Listeners struct {
	FastCGI net.Listener // nil means none
	HTTP    net.Listener // nil means none
	Admin   net.Listener // the control door; nil means none
	Metrics net.Listener // for Prometheus; nil means none

	Notify *notify.Listener // for storage hooks; nil means none

	// Who was accepted already; nil means nobody.
	cameFastCGI, cameHTTP *cameBefore
}

// Listen opens the listeners that the configuration names, or takes over those
// of the worker that was in this process before.
func (b *Bridge) Listen() (l Listeners, err error) {
	passed, err := takePassed()
	if err != nil {
		return l, err
	}
	take := func(name string) (net.Listener, *cameBefore) {
		taken := passed[name]
		delete(passed, name)
		if len(taken.came) == 0 {
			return taken.listener, nil
		}
		return taken.listener, newCameBefore(taken.listener, taken.came)
	}
	l.FastCGI, l.cameFastCGI = take(passedFastCGI + b.config.Listen)
	l.HTTP, l.cameHTTP = take(passedHTTP + b.config.HTTP)
	l.Admin, _ = take(passedAdmin + AdminListen(b.config))
	l.Metrics, _ = take(passedMetrics + b.config.Metrics)
	for _, moved := range passed {
		moved.close() // before the path is opened anew in another way
	}
	if err := b.listen(&l); err != nil {
		l.Close()
		return Listeners{}, err
	}
	if l.Notify, err = b.listenNotify(); err != nil {
		l.Close()
		return l, fmt.Errorf("bridge: notify: %w%s", err, listenRemedy(err))
	}
	return l, nil
}

// listen opens those listeners that are not there yet.
func (b *Bridge) listen(l *Listeners) (err error) {
	if b.config.Listen != "" && l.FastCGI == nil {
		if l.FastCGI, err = fcgi.Listen(b.config.Listen); err != nil {
			return fmt.Errorf("bridge: %w%s", err, listenRemedy(err))
		}
	}
	if b.config.HTTP != "" && l.HTTP == nil {
		if l.HTTP, err = net.Listen("tcp", b.config.HTTP); err != nil {
			return fmt.Errorf("bridge: http = %q: %w%s", b.config.HTTP, err, listenRemedy(err))
		}
	}
	if l.FastCGI == nil && l.HTTP == nil {
		return faulty(`bridge: nothing to listen on; set listen = "unix:/run/pushbridge/pushbridge.sock" for a web server, or http = "127.0.0.1:8080" for a trial`)
	}
	if l.Admin == nil {
		if l.Admin, err = b.listenAdmin(); err != nil {
			return fmt.Errorf("bridge: admin: %w%s", err, listenRemedy(err))
		}
	}
	if b.config.Metrics != "" && l.Metrics == nil {
		if l.Metrics, err = net.Listen("tcp", b.config.Metrics); err != nil {
			return fmt.Errorf("bridge: metrics = %q: %w%s", b.config.Metrics, err, listenRemedy(err))
		}
	}
	return nil
}

// listenRemedy says what to do about a listener that cannot be opened, behind
// a semicolon.
func listenRemedy(err error) string {
	var group user.UnknownGroupError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "; create the directory, owned by the user that pushbridge runs as"
	case errors.As(err, &group):
		return "; name the group of the web server, which is www-data on Debian, nginx on others"
	case errors.Is(err, fs.ErrPermission):
		return "; the user that pushbridge runs as has to own the directory, and be a member of the group"
	case errors.Is(err, syscall.EADDRINUSE):
		return "; end the program that listens there, or choose another address"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "; this computer has no such address: choose 127.0.0.1 or one of its own"
	}
	return ""
}

// Close closes the listeners that there are.
func (l Listeners) Close() {
	if l.FastCGI != nil {
		l.FastCGI.Close()
	}
	if l.HTTP != nil {
		l.HTTP.Close()
	}
	if l.Admin != nil {
		l.Admin.Close()
	}
	if l.Metrics != nil {
		l.Metrics.Close()
	}
	if l.Notify != nil {
		l.Notify.Close()
	}
	for _, came := range []*cameBefore{l.cameFastCGI, l.cameHTTP} {
		if came != nil {
			came.Close()
		}
	}
}

// Serve answers requests until the context ends, and then lets those under way
// finish: phones that wait are answered "no change" and come back.
func (b *Bridge) Serve(ctx context.Context, l Listeners) error {
	defer l.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	worker := &fcgi.Server{Handler: b.handler, Logger: b.logger}
	b.worker.Store(worker)
	door := graceful.New(b.door.Serving())
	trial := graceful.New(plainServer(b.handler))
	var servers sync.WaitGroup
	serve := func(what string, run func() error) {
		servers.Go(func() {
			if err := run(); err != nil && !errors.Is(err, fcgi.ErrServerClosed) && !errors.Is(err, http.ErrServerClosed) {
				stop(fmt.Errorf("bridge: serving %s: %w", what, err))
			}
		})
	}
	if l.FastCGI != nil {
		b.logger.Info("listening for a web server", "fastcgi", l.FastCGI.Addr().String())
		serve("FastCGI", func() error { return worker.Serve(l.FastCGI) })
	}
	if came := l.cameFastCGI; came != nil {
		serve("FastCGI to those who came before", func() error { return worker.Serve(came) })
	}
	if came := l.cameHTTP; came != nil {
		serve("HTTP to those who came before", func() error { return trial.Serve(came) })
	}
	if l.HTTP != nil {
		b.logger.Info("listening for phones", "http", l.HTTP.Addr().String())
		serve("HTTP", func() error { return trial.Serve(l.HTTP) })
	}
	if l.Admin != nil {
		b.logger.Info("listening for administrators", "admin", l.Admin.Addr().String())
		serve("administrators", func() error { return door.Serve(l.Admin) })
	}
	scraped := b.metrics.Server(b.ready, b.logger)
	if l.Metrics != nil {
		b.logger.Info("listening for Prometheus", "metrics", l.Metrics.Addr().String())
		serve("metrics", func() error { return scraped.Serve(l.Metrics) })
	}
	if l.Notify != nil {
		b.logger.Info("listening for hooks", "notify", l.Notify.Addr().String())
		serve("notices", func() error {
			err := l.Notify.Serve(ctx, b.logger, func(n notify.Notice) { b.sources.take(sourceNotify, []notify.Notice{n}) })
			if ctx.Err() != nil && errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		})
		context.AfterFunc(ctx, func() { l.Notify.Close() })
	}
	servers.Go(func() { b.collecting(ctx) })
	if b.notices != nil {
		servers.Go(func() { b.notices.Run(ctx) })
	}
	<-ctx.Done()
	b.ending.Store(true)
	if b.console != nil {
		b.console.End()
	}
	b.logger.Info("ending", "waiting_phones", b.Waiting())
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), DrainTime)
	defer cancel()
	// The worker lets its phones go in portions. Those who wait elsewhere, or
	// still, go at once.
	portions, enough := context.WithTimeout(limit, portionsTime)
	worker.Shutdown(portions) // whatever is left is the next one's
	enough()
	b.accounts.EndQueue() // in the time that is left they would not be answered
	b.hub.Shutdown()
	errs := []error{worker.Shutdown(limit), trial.End(limit), door.End(limit)}
	errs = append(errs, scraped.End(limit)) // last, as it says that the worker is ending
	servers.Wait()
	if b.notices != nil {
		b.notices.Keep(context.WithoutCancel(ctx)) // what the last requests had to tell included
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		errs = append(errs, cause)
	}
	return errors.Join(errs...)
}
