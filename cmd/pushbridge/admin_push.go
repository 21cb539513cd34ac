package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

func (f *adminFlags) heartbeat() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "heartbeat USER DEVICE", Short: "Say how long a phone's waits live in each network",
		Long: "Says how long a phone's waits live in each network that it came from, and what the\n" +
			"longest is that is believed to live there. With heartbeat_learn = true a phone is\n" +
			"not granted a longer one; otherwise phones find out for themselves.",
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Heartbeat, error) {
		return c.Heartbeat(ctx, args[0], args[1])
	}, printHeartbeat)
}

func printHeartbeat(w io.Writer, h admin.Heartbeat) {
	seconds := func(n int) string {
		if n == 0 {
			return "-"
		}
		return (time.Duration(n) * time.Second).String()
	}
	fmt.Fprintf(w, "Phone %s of %s may wait from %s to %s", harmless(h.Device), harmless(h.User), seconds(h.Min), seconds(h.Max))
	if h.Learn {
		fmt.Fprint(w, ", or to the cap of the network that it is in")
	}
	fmt.Fprintln(w, ".")
	if len(h.Networks) == 0 {
		fmt.Fprintln(w, "Nothing was seen yet of waits of a minute or more.")
		return
	}
	t := newTable(w, "NETWORK", "LIVED", "CUT", "IN A ROW", "EVER", "CAP", "BECAUSE", "UNTIL")
	for _, n := range h.Networks {
		until := ""
		if n.Cap > 0 {
			until = moment(n.Until)
		}
		t.row(n.Net, seconds(n.Lived), seconds(n.Cut), strconv.Itoa(n.Losses), strconv.Itoa(n.Cuts), seconds(n.Cap), n.Because, until)
	}
	t.Flush()
}

func (f *adminFlags) push() *cobra.Command {
	var folders, quiet, zone string
	c := &cobra.Command{
		Use: "push USER DEVICE", Short: "Say, or set, what may wake a phone and when",
		Long: "Without flags it says what may wake a phone. What may not wake it is not lost: the\n" +
			"phone is told at the end of its heartbeat, with other news, or when the quiet hours\n" +
			"are over.\n\n" +
			"    pushbridge admin push ann ABC123 --folders events --quiet 22:00-07:00 --zone Europe/Berlin\n" +
			"    pushbridge admin push ann ABC123 --folders all --quiet off",
		Args: cobra.ExactArgs(2),
	}
	c.Flags().StringVar(&folders, "folders", "", "only these `FOLDERS` wake it: numbers (admin folders) and kinds (contacts, events, tasks, notes), separated by commas; all or none")
	c.Flags().StringVar(&quiet, "quiet", "", "nothing wakes it during these `HOURS`, such as 22:00-07:00; off ends them")
	c.Flags().StringVar(&zone, "zone", "", "the time `ZONE` of the quiet hours, such as Europe/Berlin; UTC if never named")
	return ask(f, c, func(ctx context.Context, client *admin.Client, args []string) (admin.Push, error) {
		changed := c.Flags().Changed
		if !changed("folders") && !changed("quiet") && !changed("zone") {
			return client.Push(ctx, args[0], args[1])
		}
		r := admin.PushRequest{User: args[0], Device: args[1], Zone: zone, SetFolders: changed("folders"), SetQuiet: changed("quiet")}
		if quiet != "off" {
			r.Quiet = quiet
		}
		if r.SetQuiet && quiet == "" {
			return admin.Push{}, fmt.Errorf("%w: --quiet wants hours such as 22:00-07:00, or off", errUsage)
		}
		switch folders {
		case "all":
			r.All = true
		case "none", "":
		default:
			for name := range strings.SplitSeq(folders, ",") {
				name = strings.TrimSpace(name)
				if n, err := strconv.ParseInt(name, 10, 64); err == nil {
					r.Folders = append(r.Folders, n)
				} else {
					r.Kinds = append(r.Kinds, name)
				}
			}
		}
		if r.SetFolders && folders == "" {
			return admin.Push{}, fmt.Errorf("%w: --folders wants numbers or kinds of folders, or all, or none", errUsage)
		}
		return client.SetPush(ctx, r)
	}, func(w io.Writer, p admin.Push) {
		fmt.Fprintf(w, "Phone %s of %s: %s.\n", harmless(p.Device), harmless(p.User), harmless(p.Text))
	})
}
