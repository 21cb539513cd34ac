package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/fcgi"
)

func newServe() *cobra.Command {
	w := service{}
	var printService, printSocket bool
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the worker behind a web server",
		Long: "Runs the worker that a web server talks to over FastCGI. It ends on SIGTERM and\n" +
			"SIGINT, after answering the phones that wait.\n\n" +
			"SIGHUP makes it read its configuration again, and run the program as it now lies\n" +
			"on the disk, in the same process and without a closed door: the phones that wait\n" +
			"are answered, and new requests wait for the moment. If anything is wrong with the\n" +
			"new configuration it says so in the log and goes on with the old one. (Where it\n" +
			"runs in a terminal, SIGHUP ends it, since that is how a closed one says so.)\n\n" +
			"A mistake in the configuration ends it with status 2 and all complaints at once.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, unit := range []struct {
				wanted bool
				text   string
			}{{printService, serviceUnit}, {printSocket, socketUnit}} {
				if unit.wanted {
					_, err := io.WriteString(c.OutOrStdout(), unit.text)
					return err
				}
			}
			w.stderr = c.ErrOrStderr()
			return w.run(c.Context())
		},
	}
	c.Flags().StringVarP(&w.path, "config", "c", "/etc/pushbridge.toml", "the configuration `FILE`")
	c.Flags().BoolVar(&w.check, "check", false, "start everything, say whether it works, and end")
	c.Flags().BoolVar(&printService, "print-service", false, "print the unit for systemd, and end")
	c.Flags().BoolVar(&printSocket, "print-socket", false, "print the unit for a socket that systemd opens, and end")
	c.Flags().BoolVar(&w.checkStart, "check-start", false, "start everything, say whether it starts, whatever the servers behind it do, and end")
	return c
}

// loadConfig reads the configuration, and says what to do if it cannot.
func loadConfig(path string) (config.File, error) {
	file, err := config.Load(path)
	_, complaints := errors.AsType[config.Complaints](err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = unreadable{fmt.Errorf("%w; let the user that pushbridge runs as read it", err)}
	case err != nil && !complaints:
		err = unreadable{fmt.Errorf("%w; write one as the README shows, or name another one with --config FILE", err)}
	}
	return file, err
}

// unreadable is a configuration that is not there, or not for us.
type unreadable struct{ error }

func (e unreadable) Unwrap() error { return e.error }

// A service is what "pushbridge serve" runs.
type service struct {
	path              string // of the configuration
	check, checkStart bool
	stderr            io.Writer
}

// run runs the worker until the context ends. Where it is to begin again, that
// happens in this process, and run does not return.
func (w *service) run(ctx context.Context) error {
	file, err := loadConfig(w.path)
	if err != nil {
		return err
	}
	logger, err := telemetry.New(w.stderr, file.Log.Level, file.Log.Format)
	if err != nil {
		return err
	}
	next, err := w.serve(ctx, file, logger)
	if err != nil || next == nil {
		return err
	}
	return next.begin(ctx)
}

// tidy gives back what starting took: reading the database's migrations takes 8 MB,
// which a pool holds for two collections of garbage. What serving may take until the
// next one is reckoned by what is held.
func tidy() {
	runtime.GC()
	debug.FreeOSMemory()
}

// serve starts everything, and ends it. It answers a successor if the worker
// was asked to begin again.
func (w *service) serve(ctx context.Context, file config.File, logger *slog.Logger) (next *successor, err error) {
	b, err := bridge.New(ctx, bridge.Options{Config: file, Logger: logger, Version: version()})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := b.Close(); err != nil {
			logger.Error("ending", "error", err)
		}
	}()
	l, err := b.Listen()
	checks := w.check || w.checkStart
	switch {
	case checks && errors.Is(err, syscall.EADDRINUSE):
		fmt.Fprintf(w.stderr, "Note: %v. That may well be the pushbridge that runs already.\n", err)
		err = nil
	case checks && errors.Is(err, fcgi.ErrNotPassed):
		fmt.Fprintf(w.stderr, "Note: %v. That is as it should be in a trial.\n", err)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if checks {
		l.Close()
		return nil, w.checked(ctx, b)
	}
	tidy()
	var checking sync.WaitGroup
	checking.Go(func() { // beside the service, which does not wait for servers
		if err := b.Check(ctx, false); err != nil && ctx.Err() == nil {
			logger.Warn("a server is not there; until it is, phones that need it are told to come back later, and notices wait", "error", err)
		}
	})
	defer checking.Wait()
	resting, stop := context.WithCancel(ctx)
	defer stop()
	checking.Go(func() { newGiver().run(resting) })
	r := w.reloads(ctx, logger, func() (*successor, error) { return newSuccessor(b, l) })
	tellSystemd(logger, "READY=1")
	err = b.Serve(r.serving, l)
	tellSystemd(logger, "STOPPING=1")
	return r.stop(), err
}

// checked says whether everything works, as far as that was asked.
func (w *service) checked(ctx context.Context, b *bridge.Bridge) error {
	if !w.check {
		fmt.Fprintln(w.stderr, "The configuration is fine: the plugins start and the state opens.")
		return nil
	}
	if err := b.Check(ctx, true); err != nil {
		return err
	}
	fmt.Fprintln(w.stderr, "The configuration is fine: the plugins start, their servers answer, and the state opens.")
	return nil
}
