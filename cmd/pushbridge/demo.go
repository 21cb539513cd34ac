package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir/sample"
)

// demoPassword is no secret: the demonstration listens on this machine only,
// unless somebody says otherwise.
const demoPassword = "demo"

func newDemo() *cobra.Command {
	var address, dir string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Try it: everything in one go, with sample data, user demo, password demo",
		Long: "Starts a worker with a plain HTTP listener upon a directory of sample contacts,\n" +
			"events, tasks and notes. Whatever changes in the directory is pushed.\n\n" +
			"Without --dir the directory is a temporary one that is removed at the end.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return demo(c.Context(), address, dir, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&address, "http", "127.0.0.1:8080", "`ADDRESS` to listen on")
	c.Flags().StringVar(&dir, "dir", "", "keep the data in `DIR`; sample data is written if it does not exist")
	return c
}

// demo runs until the context ends.
func demo(ctx context.Context, address, dir string, stdout, stderr io.Writer) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "pushbridge-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		if err := sample.Write(data, time.Now()); err != nil {
			return fmt.Errorf("writing sample data: %w", err)
		}
	}
	file := config.Default()
	file.HTTP, file.State = address, filepath.Join(dir, "state")
	file.Login.Address = "{user}@example.org"
	file.Backends = []config.Backend{{Name: "files", Plugin: "localdir", Settings: backend.Settings{
		"dir": data, "users": map[string]any{sample.User: demoPassword},
	}}}
	logger, err := telemetry.New(stderr, "info", "text")
	if err != nil {
		return err
	}
	b, err := bridge.New(ctx, bridge.Options{Config: file, Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	l, err := b.Listen()
	if err != nil {
		return fmt.Errorf("%w\nAnother program listens there; name another address: --http 127.0.0.1:8081", err)
	}
	explainDemo(stdout, l.HTTP.Addr(), data)
	return b.Serve(ctx, l)
}

// explainDemo tells a person what to do next.
func explainDemo(w io.Writer, a net.Addr, data string) {
	_, port, _ := net.SplitHostPort(a.String())
	me := invocation()
	fmt.Fprintf(w, `pushbridge is running. Press Ctrl-C to end it.

See a push, in a second terminal:

    %[1]s phone watch --url http://%[2]s --user %[3]s --password %[4]s

and in a third one, change something:

    printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:first-push\r\nFN:First Push\r\nN:Push;First;;;\r\nTEL;TYPE=CELL:+49 30 1234567\r\nEND:VCARD\r\n' > %[5]s

What a phone would hold:

    %[1]s phone sync --url http://%[2]s --user %[3]s --password %[4]s

A real phone: add an account of the type Exchange (ActiveSync).
    E-mail     %[3]s@example.org (anything will do)
    Server     the address of this computer, port %[6]s
    User       %[3]s        Domain: empty
    Password   %[4]s
    SSL/TLS    off
Phones reach this computer only if you start the demo with --http 0.0.0.0:%[6]s;
many phones refuse to go without TLS: then put nginx before it (README).

The files are in %[7]s

`, me, a, sample.User, demoPassword, filepath.Join(data, sample.User, "contacts", "first-push.vcf"), port, data)
}

// invocation is how this program was called, so that what we print can be
// typed.
func invocation() string {
	self, err := os.Executable()
	if err == nil && strings.Contains(self, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/pushbridge"
	}
	return os.Args[0]
}
