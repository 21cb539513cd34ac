package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/phone"
)

// passwordVariable names a variable of the environment with the password, so
// that it need not stand in the command line where others can see it.
const passwordVariable = "PUSHBRIDGE_PASSWORD"

// phoneFlags are what all of the phone's subcommands have in common.
type phoneFlags struct {
	config       phone.Config
	version      string
	passwordFile string
	insecure     bool
	json         bool
}

func newPhone() *cobra.Command {
	c := &cobra.Command{
		Use:   "phone",
		Short: "Play a phone against any ActiveSync server",
		Long: "Plays a phone against any ActiveSync server, this one or another.\n\n" +
			"The password is taken from --password, --password-file or the environment\n" +
			"variable " + passwordVariable + ".",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	f := new(phoneFlags)
	flags := c.PersistentFlags()
	flags.StringVar(&f.config.URL, "url", "", "the server's `URL`, such as https://mail.example.org")
	flags.StringVar(&f.config.User, "user", "", "the user's `NAME`")
	flags.StringVar(&f.config.Password, "password", "", "the password")
	flags.StringVar(&f.passwordFile, "password-file", "", "a `FILE` that holds the password")
	flags.StringVar(&f.version, "eas", "", "the protocol `VERSION` to speak, such as 14.1; the highest common one if empty")
	flags.StringVar(&f.config.DeviceID, "device", "", "the `DEVICEID`; if empty one for each user, server and subcommand")
	flags.IntVar(&f.config.WindowSize, "window", 0, "most items in one answer; 0 means 100")
	flags.BoolVar(&f.config.Base64Query, "base64", false, "send the query in base64, as newer phones do")
	flags.BoolVar(&f.insecure, "insecure", false, "accept any certificate (for trials)")
	sync := f.command("sync", "Print what a phone would hold", func(ctx context.Context, w io.Writer) error {
		return phone.PrintSync(ctx, w, f.config, f.json)
	})
	sync.Flags().BoolVar(&f.json, "json", false, "print JSON")
	watch := f.command("watch", "Wait in Pings and print changes as they come", func(ctx context.Context, w io.Writer) error {
		return phone.Watch(ctx, w, f.config)
	})
	h := &f.config.Heartbeat
	watch.Flags().DurationVar(&h.Default, "heartbeat-default", phone.HeartbeatDefault, "`HOW LONG` the first Ping waits")
	watch.Flags().DurationVar(&h.Increment, "heartbeat-increment", phone.HeartbeatIncrement, "by `HOW MUCH` longer it waits when a Ping came back by itself")
	watch.Flags().DurationVar(&h.Min, "heartbeat-min", phone.HeartbeatMin, "`HOW LONG` a Ping waits at least")
	watch.Flags().DurationVar(&h.Max, "heartbeat-max", phone.HeartbeatMax, "`HOW LONG` a Ping waits at most")
	c.AddCommand(
		f.command("probe", "Walk through what a phone asks first, and say what the server answers", func(ctx context.Context, w io.Writer) error {
			return phone.Probe(ctx, w, f.config)
		}),
		sync,
		watch,
		f.soak(),
		f.find(),
		f.mail(),
		f.send(),
		f.availability(),
		f.folder(),
		f.move(),
	)
	return c
}

// find is "phone find NAME".
func (f *phoneFlags) find() *cobra.Command {
	return &cobra.Command{
		Use: "find NAME", Short: "Look for people in the server's directory", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			return phone.FindPeople(c.Context(), c.OutOrStdout(), f.config, strings.Join(args, " "))
		},
	}
}

// availability is "phone availability NAME ...".
func (f *phoneFlags) availability() *cobra.Command {
	from, span := "", time.Duration(0)
	c := &cobra.Command{
		Use: "availability NAME ...", Short: "Ask when people are free, each by name or address", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			start := time.Now()
			if from != "" {
				var err error
				if start, err = time.ParseInLocation("2006-01-02 15:04", from, time.Local); err != nil {
					return fmt.Errorf("%w: --from %q has to be written as 2026-12-01 09:00", errUsage, from)
				}
			}
			return phone.PrintAvailability(c.Context(), c.OutOrStdout(), f.config, start, span, args)
		},
	}
	c.Flags().StringVar(&from, "from", "", "the first `TIME`, such as \"2026-12-01 09:00\"; now if empty")
	c.Flags().DurationVar(&span, "for", 24*time.Hour, "how `LONG`, half an hour to 42 days")
	return c
}

func (f *phoneFlags) command(use, short string, do func(context.Context, io.Writer) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			return do(c.Context(), c.OutOrStdout())
		},
	}
}

// complete checks the flags and fills in what they imply. given tells whether
// there was a --password, be it empty.
func (f *phoneFlags) complete(given bool) error {
	for _, want := range []struct{ flag, value string }{{"--url", f.config.URL}, {"--user", f.config.User}} {
		if want.value == "" {
			return fmt.Errorf("%w: %s is missing", errUsage, want.flag)
		}
	}
	if !strings.HasPrefix(f.config.URL, "http://") && !strings.HasPrefix(f.config.URL, "https://") {
		return fmt.Errorf("%w: --url %q has to begin with https:// (or http:// for a trial)", errUsage, f.config.URL)
	}
	if f.version != "" {
		v, err := eas.ParseVersion(f.version)
		if err != nil {
			return fmt.Errorf("%w: --eas: %w", errUsage, err)
		}
		f.config.Version = v
	}
	if f.passwordFile != "" {
		text, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return fmt.Errorf("%w: --password-file: %w", errUsage, err)
		}
		f.config.Password = strings.TrimRight(string(text), "\r\n")
	}
	if f.config.Password == "" {
		f.config.Password = os.Getenv(passwordVariable)
	}
	if f.config.Password == "" && !given {
		return fmt.Errorf("%w: the password is missing; use --password, --password-file or the environment variable %s", errUsage, passwordVariable)
	}
	if f.insecure {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		f.config.HTTP = &http.Client{Transport: transport}
	}
	return nil
}
