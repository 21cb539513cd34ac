package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/notify"
)

// radicaleHook is the module for Radicale's [hook] type.
//
//go:embed radicale_hook.py
var radicaleHook string

const notifyLong = `Tells the worker that something may have changed. It is for a storage's hook:
it waits for nobody, and its exit status is 0 whatever happens, since a hook
that fails would fail the change. With -v it says what did not work.

    pushbridge notify --socket PATH --user NAME [--path PATH] [--to-path PATH]

Radicale up to 3.5.0 (section [storage]) knows who changed something:
    hook = pushbridge notify --socket=/run/pushbridge/notify.sock --user=%(user)s

From 3.5.5 on it knows what, too:
    hook = pushbridge notify --socket=/run/pushbridge/notify.sock --user=%(user)s
           --cwd=%(cwd)s --path=%(path)s --to-path=%(to_path)s
(in one line). From 3.2 on a module spares it the process; it is printed by
    pushbridge notify --radicale-hook
`

func newNotify() *cobra.Command {
	return &cobra.Command{
		Use:                "notify --socket PATH --user NAME [--path PATH]",
		Short:              "Tell the worker of a change, from a storage's hook",
		Long:               notifyLong,
		DisableFlagParsing: true, // a mistake in a flag must not fail the change
		Args:               cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			notifyMain(args, c.OutOrStdout(), c.ErrOrStderr())
			return nil
		},
	}
}

// notifyFlags are the command line of "pushbridge notify".
type notifyFlags struct {
	config, socket                    string
	backend, user, cwd, file, movedTo string
	verbose, printHook, help          bool
}

func (f *notifyFlags) set() *pflag.FlagSet {
	s := pflag.NewFlagSet("notify", pflag.ContinueOnError)
	s.SetOutput(io.Discard)
	s.StringVarP(&f.config, "config", "c", "/etc/pushbridge.toml", "the worker's configuration `FILE`, which says where its socket is")
	s.StringVar(&f.socket, "socket", "", "the `PATH` of the worker's notify socket, in place of what the configuration says")
	s.StringVar(&f.backend, "backend", "", "only this backend of the worker's (its `NAME` in the configuration)")
	s.StringVar(&f.user, "user", "", "`NAME` of who changed it, %(user)s")
	s.StringVar(&f.file, "path", "", "`PATH` of what changed: %(path)s, or one from the storage's root")
	s.StringVar(&f.movedTo, "to-path", "", "`PATH` of where it was moved, %(to_path)s; empty means nowhere")
	s.StringVar(&f.cwd, "cwd", "", "`DIR` of the storage, %(cwd)s")
	s.BoolVarP(&f.verbose, "verbose", "v", false, "say what did not work")
	s.BoolVar(&f.printHook, "radicale-hook", false, "print the module for Radicale's [hook] type, and end")
	s.BoolVarP(&f.help, "help", "h", false, "print this, and end")
	return s
}

// notifyMain is the command. Nothing that it does may fail or delay a change.
func notifyMain(args []string, stdout, stderr io.Writer) {
	var f notifyFlags
	set := f.set()
	err := set.Parse(args)
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("%q is superfluous", set.Arg(0))
	}
	switch {
	case f.help:
		fmt.Fprintf(stdout, "%s\nFlags:\n%s", notifyLong, set.FlagUsages())
		return
	case f.printHook:
		io.WriteString(stdout, radicaleHook)
		return
	case err == nil:
		err = f.send()
	}
	if err != nil && f.verbose {
		fmt.Fprintf(stderr, "pushbridge notify: %v\n", err)
	}
}

// send sends a datagram for each path, or one for the user alone.
func (f *notifyFlags) send() error {
	socket := f.socket
	if socket == "" {
		file, err := loadConfig(f.config)
		if err != nil {
			return err
		}
		if socket = bridge.NotifySocket(file); socket == "" {
			return fmt.Errorf("%s says that the worker takes no notices: notify = \"off\"", f.config)
		}
	}
	var errs []error
	paths := []string{f.path(f.file)}
	if moved := f.path(f.movedTo); moved != "" {
		paths = append(paths, moved)
	}
	for _, path := range paths {
		errs = append(errs, notify.Send(socket, notify.Notice{Backend: f.backend, User: f.user, Path: path}))
	}
	return errors.Join(errs...)
}

// path is where something is from the storage's root. Radicale gives a file's
// name; what is none of Radicale's is taken as it is.
func (f *notifyFlags) path(s string) string {
	if p := notify.RadicalePath(f.cwd, s); p != "" || f.cwd != "" {
		return p
	}
	if s != "" && !strings.HasPrefix(s, "/") {
		s = "/" + s
	}
	return s
}
