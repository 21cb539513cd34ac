package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/doctor"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// doctorFlags are what "pushbridge doctor" is told.
type doctorFlags struct {
	options      doctor.Options
	config       string
	passwordFile string
	quick, json  bool
}

// errFound ends the doctor where something is wrong; what it is has been said.
var errFound = errors.New("phones stumble over what is marked FAILED above")

func newDoctor() *cobra.Command {
	f := new(doctorFlags)
	c := &cobra.Command{
		Use:   "doctor --url URL --user NAME | doctor --config FILE",
		Short: "Find out what is wrong, and say how to mend it",
		Long: "With --url it plays a phone from outside: name, certificate, web server, login,\n" +
			"headers, long bodies, limits, Autodiscover, folders, and a wait of 8 minutes\n" +
			"(--quick: 65 seconds, just beyond what web servers cut after by default).\n" +
			"With --config, on the server, as root, it looks at the socket, the state, the\n" +
			"limits and the backends. Nobody's data is changed.\n\n" +
			"The password is taken from --password-file, the environment variable\n" +
			passwordVariable + ", or asked for. It is not sent to a server whose certificate is\n" +
			"wrong, unless --insecure.\n\n" +
			"Exit status: 0 if phones can work, be it with advice, 1 if something is FAILED,\n" +
			"2 if the command line or the configuration is wrong.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr()) },
	}
	flags := c.Flags()
	flags.StringVar(&f.options.URL, "url", "", "the server's `URL`, such as https://mail.example.org")
	flags.StringVar(&f.options.User, "user", "", "the user's `NAME`")
	flags.StringVar(&f.options.Email, "email", "", "the user's mail `ADDRESS`, for Autodiscover")
	flags.StringVar(&f.passwordFile, "password-file", "", "a `FILE` that holds the password")
	flags.StringVarP(&f.config, "config", "c", "", "the worker's configuration `FILE`, to look at the server's side")
	flags.DurationVar(&f.options.Wait, "wait", doctor.DefaultWait, "how long a phone has to be allowed to wait")
	flags.BoolVar(&f.quick, "quick", false, "wait for 65 seconds only")
	flags.BoolVar(&f.options.Insecure, "insecure", false, "go on with a wrong certificate (for trials)")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return c
}

func (f *doctorFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	switch {
	case f.options.URL == "" && f.config == "":
		return fmt.Errorf("%w: say what to look at: --url URL --user NAME, or --config FILE on the server", errUsage)
	case f.options.URL != "" && f.options.User == "":
		return fmt.Errorf("%w: --user is missing", errUsage)
	case f.options.URL != "" && !strings.HasPrefix(f.options.URL, "http://") && !strings.HasPrefix(f.options.URL, "https://"):
		return fmt.Errorf("%w: --url %q has to begin with https:// (or http:// for a trial)", errUsage, f.options.URL)
	case f.options.Wait <= 0:
		return fmt.Errorf("%w: --wait has to be longer than nothing", errUsage)
	}
	if f.quick {
		f.options.Wait = doctor.QuickWait
	}
	if err := f.password(stderr); err != nil {
		return err
	}
	tell := func(finding doctor.Finding) {
		if !f.json {
			finding.Line(stdout)
		}
	}
	var report doctor.Report
	if f.config != "" {
		file, err := loadConfig(f.config)
		if err != nil {
			return err
		}
		f.options.Events = eventsOf(file)
		report = append(report, f.inspect(ctx, file, tell)...)
	}
	if f.options.URL != "" {
		f.options.Tell = tell
		if !f.json {
			fmt.Fprintf(stderr, "The last step waits for %v.\n", f.options.Wait.Round(time.Second))
		}
		visited, err := doctor.Visit(ctx, f.options)
		if err != nil {
			return err
		}
		report = append(report, visited...)
	}
	if f.json {
		if err := report.JSON(stdout); err != nil {
			return err
		}
	}
	if report.Failed() > 0 {
		return errFound
	}
	return nil
}

// password finds the password where a user is named.
func (f *doctorFlags) password(stderr io.Writer) error {
	switch {
	case f.options.User == "":
		return nil
	case f.passwordFile != "":
		text, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return fmt.Errorf("%w: --password-file: %w", errUsage, err)
		}
		f.options.Password = strings.TrimRight(string(text), "\r\n")
		return nil
	case os.Getenv(passwordVariable) != "":
		f.options.Password = os.Getenv(passwordVariable)
		return nil
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return fmt.Errorf("%w: the password is missing; use --password-file or the environment variable %s", errUsage, passwordVariable)
	}
	fmt.Fprintf(stderr, "Password of %s: ", f.options.User)
	text, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(stderr)
	if err != nil {
		return fmt.Errorf("the password: %w", err)
	}
	f.options.Password = string(text)
	return nil
}

// inspect looks at the server's side. The plugins that it starts are its own,
// and the state is left to the worker.
func (f *doctorFlags) inspect(ctx context.Context, file config.File, tell func(doctor.Finding)) doctor.Report {
	state := file.State
	return doctor.Inspect(ctx, doctor.Inspection{Listen: file.Listen, State: state, Tell: tell, Events: eventsOf(file),
		Backends: func(ctx context.Context) (list []doctor.Backend, err error) {
			file.State = bridge.Memory
			b, err := bridge.New(ctx, bridge.Options{Config: file, Logger: slog.New(slog.DiscardHandler), Version: version()})
			if err != nil {
				return nil, err
			}
			defer func() { err = errors.Join(err, b.Close()) }()
			return b.Abilities(ctx, backend.Credentials{User: f.options.User, Password: f.options.Password}), nil
		}})
}

// eventsOf says who may tell the worker of changes.
func eventsOf(file config.File) doctor.Events {
	e := doctor.Events{Notify: bridge.NotifySocket(file), Push: file.WebDAVPush}
	for _, h := range file.Hooks {
		e.Hooks = append(e.Hooks, doctor.Hook{Name: h.Name, Kind: h.Kind, Backend: h.Backend})
	}
	return e
}
