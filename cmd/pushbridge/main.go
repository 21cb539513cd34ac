// Command pushbridge serves the contacts, calendars, tasks and notes of open servers to phones over Exchange ActiveSync, with Direct Push.
//
// A file per subcommand; the table of contents is in [newRoot].
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/plugins/host"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	// A closed terminal ends every command, unless nohup says otherwise. A
	// service has no terminal; see reloads.
	if !signal.Ignored(syscall.SIGHUP) && hasTerminal() {
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// hasTerminal tells whether a terminal can hang up on us.
func hasTerminal() bool {
	f, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// The exit statuses.
const (
	exitOK      = 0
	exitFailure = 1 // something did not work
	exitUsage   = 2 // the command line or the configuration is wrong
)

// errUsage marks errors in the command line.
var errUsage = errors.New("usage")

// run is main without the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil, errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "pushbridge: %s\nTry \"pushbridge help\".\n", harmlessLines(err.Error()))
		return exitUsage
	}
	fmt.Fprintf(stderr, "pushbridge: %s\n", harmlessLines(err.Error()))
	if isConfiguration(err) {
		return exitUsage
	}
	return exitFailure
}

// isConfiguration tells whether an administrator has to change the
// configuration before it makes sense to try again.
func isConfiguration(err error) bool {
	_, complaints := errors.AsType[config.Complaints](err)
	_, plugin := errors.AsType[*host.ConfigError](err)
	_, file := errors.AsType[unreadable](err)
	return complaints || plugin || file || errors.Is(err, bridge.ErrConfig)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "pushbridge",
		Short: "Exchange ActiveSync with Direct Push for CalDAV and CardDAV servers",
		Long: "pushbridge gives phones the contacts, calendars, tasks and notes of open servers\n" +
			"through the account type that every phone has built in, and pushes every change.\n\n" +
			"Exit status: 0 if all went well, 1 if something did not work, 2 if the command\n" +
			"line or the configuration is wrong.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(newDemo(), newServe(), newCGI(), newDoctor(), newAdmin(), newPhone(), newNotify(), newPlugin())
	markUsage(root)
	return root
}

// version is what the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value
		}
	}
	return v
}

// markUsage makes wrong arguments of a command and its children usage errors.
func markUsage(c *cobra.Command) {
	check := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if check == nil {
			check = cobra.NoArgs
		}
		if err := check(c, args); err != nil {
			return fmt.Errorf("%w: %w; it is called as %q", errUsage, err, c.UseLine())
		}
		return nil
	}
	for _, child := range c.Commands() {
		markUsage(child)
	}
}
