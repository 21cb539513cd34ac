package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/admin"
)

// adminFlags are what all of the administration's subcommands have in common.
type adminFlags struct {
	config string
	socket string
	json   bool

	url, tokenFile, caFile string
}

func newAdmin() *cobra.Command {
	f := new(adminFlags)
	c := &cobra.Command{
		Use:   "admin",
		Short: "Ask a running worker, and order it to do things",
		Long: "Asks the worker that runs with a configuration, through a socket that only its\n" +
			"user and root may open (and a group, if the key \"admin\" names one). With --url it\n" +
			"asks over the web, as an administrator's token allows: see \"admin token new\".\n\n" +
			"Exit status: 0 if all went well, 1 if something did not work, such as if there\n" +
			"is no such phone or no worker, 2 if the command line or the configuration is wrong.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	flags := c.PersistentFlags()
	flags.StringVarP(&f.config, "config", "c", "/etc/pushbridge.toml", "the worker's configuration `FILE`")
	flags.StringVar(&f.socket, "socket", "", "the `PATH` of the worker's admin socket, in place of what the configuration says")
	flags.StringVar(&f.url, "url", "", "the `URL` of a worker to be asked over the web, in place of a socket; or the environment variable "+urlVariable)
	flags.StringVar(&f.tokenFile, "token-file", "", "a `FILE` with the token that is shown there; or the environment variable "+tokenVariable)
	flags.StringVar(&f.caFile, "ca-file", "", "a `FILE` of authorities, in PEM, that its certificate may be of, in place of the system's")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	c.AddCommand(f.status(), f.top(), f.devices(), f.device(), f.rename(), f.folders(), f.brake(), f.resync(), f.problems(), f.forget(),
		f.choose("show", "Show folders on a person's phones", false), f.choose("hide", "Hide folders from a person's phones", true), f.choices(), f.trace(), f.heartbeat(), f.push(),
		f.wipe(), f.block(), f.allow(), f.policy(), f.audit(), f.group(), f.admission(), f.people(), f.blockList(), f.recovery(),
		f.administrator(), f.token(), f.session())
	f.complete(c)
	return c
}

// client finds the worker's socket, or its place on the web.
func (f *adminFlags) client() (*admin.Client, error) {
	if url := cmp.Or(f.url, os.Getenv(urlVariable)); url != "" && f.socket == "" {
		return f.remote(url)
	}
	if f.socket != "" {
		return admin.NewClient(f.socket), nil
	}
	file, err := loadConfig(f.config)
	if _, ok := errors.AsType[unreadable](err); ok {
		err = fmt.Errorf("%w, or the worker's admin socket with --socket PATH", err)
	}
	if err != nil {
		return nil, err
	}
	path := bridge.AdminSocket(file)
	if path == "" {
		return nil, fmt.Errorf(`%w: %s says admin = "off", so that the worker cannot be asked; name a socket there, and restart it`, errUsage, f.config)
	}
	return admin.NewClient(path), nil
}

// ask makes a subcommand that asks the worker and prints the answer: as JSON,
// or as table does for people.
func ask[T any](f *adminFlags, c *cobra.Command, call func(context.Context, *admin.Client, []string) (T, error), table func(io.Writer, T)) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		client, err := f.client()
		if err != nil {
			return err
		}
		answer, err := call(c.Context(), client, args)
		if e, ok := errors.AsType[*admin.Error](err); ok && e.Kind == admin.Invalid {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		if err != nil {
			return err
		}
		return f.print(c, answer, func(w io.Writer) { table(w, answer) })
	}
	return c
}

// print prints an answer: as JSON, or as table does for people.
func (f *adminFlags) print(c *cobra.Command, answer any, table func(io.Writer)) error {
	if !f.json {
		table(c.OutOrStdout())
		return nil
	}
	out := json.NewEncoder(c.OutOrStdout())
	out.SetIndent("", "  ")
	return out.Encode(answer)
}

func (f *adminFlags) status() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "status", Short: "Say how the worker and its backends are",
	}, func(ctx context.Context, c *admin.Client, _ []string) (admin.Status, error) { return c.Status(ctx) }, printStatus)
}

func (f *adminFlags) devices() *cobra.Command {
	var user string
	c := ask(f, &cobra.Command{
		Use: "devices", Short: "List the phones",
		Long: "Lists the phones that ever came, those of a person together, the one seen last first.",
	}, func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Device, error) {
		return c.Devices(ctx, user)
	}, printDevices)
	c.Flags().StringVar(&user, "user", "", "only those of this `USER`")
	return c
}

func (f *adminFlags) folders() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "folders USER [DEVICE]", Short: "List a person's folders, and what each phone has of them",
		Args: cobra.RangeArgs(1, 2),
	}, func(ctx context.Context, c *admin.Client, args []string) ([]admin.Folder, error) {
		return c.Folders(ctx, args[0], optional(args, 1))
	}, printFolders)
}

func (f *adminFlags) brake() *cobra.Command {
	c := &cobra.Command{
		Use: "brake", Short: "List and release deletions that look like a mishap",
		Long: "When a large part of a folder is suddenly missing, the phones are not told before\n" +
			"a later listing says the same (the table [brake] says how much and when), or\n" +
			"somebody releases the deletion here.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		ask(f, &cobra.Command{Use: "list", Short: "List what is held"},
			func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Hold, error) { return c.Holds(ctx) }, printHolds),
		ask(f, &cobra.Command{Use: "release USER FOLDER", Short: "Tell the phones that it is gone", Args: cobra.ExactArgs(2)},
			func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
				folder, err := folderNumber(args[1])
				if err != nil {
					return admin.Done{}, err
				}
				return c.Release(ctx, admin.ReleaseRequest{User: args[0], Folder: folder})
			}, printDone),
	)
	return c
}

func (f *adminFlags) resync() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "resync USER DEVICE [FOLDER]", Short: "Make a phone load a folder anew, or everything",
		Long: "Makes a phone load a folder, or everything, anew at its next request; a phone that\n" +
			"waits is woken. Nothing is changed at the servers.",
		Args: cobra.RangeArgs(2, 3),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
		r := admin.ResyncRequest{User: args[0], Device: args[1]}
		var err error
		if len(args) > 2 {
			r.Folder, err = folderNumber(args[2])
		}
		if err != nil {
			return admin.Done{}, err
		}
		return c.Resync(ctx, r)
	}, printDone)
}

func (f *adminFlags) problems() *cobra.Command {
	var user string
	c := ask(f, &cobra.Command{
		Use: "problems", Short: "List objects that cannot be shown to phones, and why",
		Long: "Lists objects that cannot be shown to phones, because they cannot be read, are too\n" +
			"large, or the server does not give them out. They are left as they are. One that\n" +
			"is mended or deleted leaves the list when a phone next asks for the folder.",
	}, func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Problem, error) {
		return c.Problems(ctx, user)
	}, printProblems)
	c.Flags().StringVar(&user, "user", "", "only those of this `USER`")
	return c
}

func (f *adminFlags) forget() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "forget USER DEVICE", Short: "Drop what is known of a phone",
		Long: "Drops what is known of a phone, such as one that was given away. Should it come\n" +
			"again, it begins anew. Nothing is changed at the servers, nor on the phone.",
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
		return c.Forget(ctx, admin.ForgetRequest{User: args[0], Device: args[1]})
	}, printDone)
}

func optional(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// folderNumber reads the number of a folder.
func folderNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%w: %q is not the number of a folder; \"pushbridge admin folders USER\" lists them", errUsage, s)
	}
	return n, nil
}
