package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/phone/soak"
)

// soak is "phone soak".
func (f *phoneFlags) soak() *cobra.Command {
	var s soak.Config
	c := &cobra.Command{
		Use: "soak", Short: "Play thousands of phones against a server of your own, and measure",
		Long: "Plays thousands of phones, each at an address of its own (127.x), which wait in\n" +
			"Pings and are brought what changes. Somebody's card is edited so many times a\n" +
			"second, and it is measured how soon each of that person's phones hears of it. At\n" +
			"the end a table says how it was. It ends by itself.\n\n" +
			"A worker with 200 people in one terminal, and 2000 phones in another:\n\n" +
			"    pushbridge demo --people 200 --dir /tmp/soak\n" +
			"    pushbridge phone soak --url http://127.0.0.1:8080 --user person{n} --password demo --people 200 \\\n" +
			"        --phones 2000 --rate 10 --for 3m --edit-dir /tmp/soak/data --admin /tmp/soak/state/admin.sock\n\n" +
			"Edits are made by one more phone of each person, unless --edit-dir or --edit-dav\n" +
			"says otherwise. In bytes a day it counts what the connections carried: HTTP\n" +
			"without TCP, with TLS if there is any. One of the phones waits for a minute at a\n" +
			"time, so that some heartbeats pass; without a heartbeat flag the others begin with\n" +
			"eight minutes.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			s.URL, s.User, s.Password, s.Version, s.Insecure = f.config.URL, f.config.User, f.config.Password, f.config.Version, f.insecure
			out := c.OutOrStdout()
			if file, ok := out.(*os.File); ok {
				if info, err := file.Stat(); err == nil {
					s.Live = info.Mode()&os.ModeCharDevice != 0
				}
			}
			if err := soak.Check(s); err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			return soak.Run(c.Context(), out, s)
		},
	}
	flags := c.Flags()
	flags.IntVar(&s.Phones, "phones", 100, "how `MANY` phones, of all people together")
	flags.IntVar(&s.People, "people", 1, "how `MANY` people; {n} in --user and --edit-dav is the number of each")
	flags.Float64Var(&s.Rate, "rate", 1, "so many `EDITS` a second")
	flags.DurationVar(&s.For, "for", time.Minute, "how `LONG`, from when all phones wait")
	flags.StringVar(&s.EditDir, "edit-dir", "", "edit files in `DIR`, that of a localdir backend")
	flags.StringVar(&s.EditDAV, "edit-dav", "", "edit by PUT in this collection's `URL`, http://127.0.0.1:5232/{user}/contacts/")
	flags.DurationVar(&s.Heartbeat.Default, "heartbeat-default", 0, "`HOW LONG` the first Ping of each waits; 8m if nothing is said")
	flags.DurationVar(&s.Heartbeat.Min, "heartbeat-min", 0, "`HOW LONG` a Ping waits at least")
	flags.DurationVar(&s.Heartbeat.Max, "heartbeat-max", 0, "`HOW LONG` a Ping waits at most")
	flags.IntVar(&s.AtOnce, "at-once", 0, "how `MANY` phones set up their accounts at a time; 0 means 32")
	flags.IntSliceVar(&s.PIDs, "pid", nil, "`PROCESSES` to measure, such as the worker and nginx's, separated by commas")
	flags.StringVar(&s.Admin, "admin", "", "the worker's admin socket, a `PATH`: measures the process behind it")
	flags.StringVar(&s.Plot, "plot", "", "draw latency and memory over time into this PNG `FILE`")
	flags.BoolVar(&s.Mine, "yes-this-is-my-server", false, "play them against another computer than this one, too")
	return c
}
