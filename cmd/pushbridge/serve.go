package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
)

func newServe() *cobra.Command {
	var path string
	var check bool
	c := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the worker behind a web server",
		Long: "Runs the worker that a web server talks to over FastCGI. It ends on SIGTERM,\n" +
			"SIGINT or SIGHUP, after answering the phones that wait.\n\n" +
			"A mistake in the configuration ends it with status 2 and all complaints at once.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			file, err := loadConfig(path)
			if err != nil {
				return err
			}
			return serve(c.Context(), file, check, c.ErrOrStderr())
		},
	}
	c.Flags().StringVarP(&path, "config", "c", "/etc/pushbridge.toml", "the configuration `FILE`")
	c.Flags().BoolVar(&check, "check", false, "start everything, say whether it works, and end")
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

// serve runs the worker until the context ends.
func serve(ctx context.Context, file config.File, check bool, stderr io.Writer) error {
	logger, err := telemetry.New(stderr, file.Log.Level, file.Log.Format)
	if err != nil {
		return err
	}
	b, err := bridge.New(ctx, bridge.Options{Config: file, Logger: logger, Version: version()})
	if err != nil {
		return err
	}
	defer func() {
		if err := b.Close(); err != nil {
			logger.Error("ending", "error", err)
		}
	}()
	l, err := b.Listen()
	if check && errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintf(stderr, "Note: %v. That may well be the pushbridge that runs already.\n", err)
		err = nil
	}
	if err != nil {
		return err
	}
	if check {
		l.Close()
		if err := b.Check(ctx, true); err != nil {
			return err
		}
		fmt.Fprintln(stderr, "The configuration is fine: the plugins start, their servers answer, and the state opens.")
		return nil
	}
	var checking sync.WaitGroup
	checking.Go(func() { // beside the service, which does not wait for servers
		if err := b.Check(ctx, false); err != nil && ctx.Err() == nil {
			logger.Warn("a backend is not there; phones are told to come back later", "error", err)
		}
	})
	defer checking.Wait()
	return b.Serve(ctx, l)
}
