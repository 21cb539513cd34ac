package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

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
		Long: "Runs the worker that a web server talks to over FastCGI. It ends on SIGTERM or\n" +
			"SIGINT, after answering the phones that wait.\n\n" +
			"A mistake in the configuration ends it with status 2 and all complaints at once.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			file, err := config.Load(path)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: %w; name the file with --config", errUsage, err)
			}
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

// serve runs the worker until the context ends.
func serve(ctx context.Context, file config.File, check bool, stderr io.Writer) error {
	logger, err := telemetry.New(stderr, file.Log.Level, file.Log.Format)
	if err != nil {
		return err
	}
	b, err := bridge.New(ctx, bridge.Options{Config: file, Logger: logger})
	if err != nil {
		return err
	}
	defer func() {
		if err := b.Close(); err != nil {
			logger.Error("ending", "error", err)
		}
	}()
	l, err := b.Listen()
	if err != nil {
		return err
	}
	if check {
		l.Close()
		fmt.Fprintln(stderr, "The configuration is fine; the plugins start and the state opens.")
		return nil
	}
	return b.Serve(ctx, l)
}
