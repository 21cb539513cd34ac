package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

func (f *adminFlags) device() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "device USER DEVICE", Short: "Say everything that is known of a phone",
		Long: "Says how a phone is and why, what it says of itself, what it has of each folder, what\n" +
			"is asked of it, how long it may wait, what wakes it, and what administrators did\n" +
			"about it.",
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.DevicePage, error) {
		return admin.OpDevice.Ask(ctx, c, admin.PhoneRequest{User: args[0], Device: args[1]})
	}, printDevice)
}

func (f *adminFlags) rename() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "rename USER DEVICE [NAME]", Short: "Give a name to a phone, in place of what it says of itself",
		Long: "Gives a phone a name that people know it by; without a name it is called again what\n" +
			"it says of itself.",
		Args: cobra.RangeArgs(2, 3),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
		return admin.OpRename.Ask(ctx, c, admin.RenameRequest{User: args[0], Device: args[1], Name: optional(args, 2)})
	}, printDone)
}

func printDevice(w io.Writer, p admin.DevicePage) {
	d := p.Device
	t := newTable(w)
	t.row("health", d.Health+": "+d.Why)
	t.row("type", d.Type)
	says := d.Says
	if says == nil {
		says = new(admin.Says)
	}
	for _, line := range [][2]string{{"called", d.Called}, {"model", d.Model}, {"name", d.Name}, {"system", d.System}, {"user agent", d.UserAgent},
		{"language", says.Language}, {"number", says.PhoneNumber}, {"operator", says.Operator}, {"IMEI", says.IMEI}} {
		if line[1] != "" {
			t.row(line[0], line[1])
		}
	}
	t.row("protocol", d.Version)
	t.row("first seen", moment(d.FirstSeen))
	t.row("last seen", moment(d.LastSeen))
	t.row("remarks", standing(d))
	t.row("waking", p.Push.Text)
	if n := p.Heartbeat.Networks; len(n) > 0 {
		t.row("longest wait", (time.Duration(n[0].Lived)*time.Second).String()+" in the network where it was last")
	}
	if d.Revealed != nil {
		t.row("password", "shown to "+d.Revealed.By+" at "+moment(d.Revealed.When))
	}
	t.Flush()
	if len(p.Folders) > 0 {
		fmt.Fprintln(w)
		t = newTable(w, "FOLDER", "NAME", "KIND", "ITEMS", "NEWS")
		for _, f := range p.Folders {
			t.row(strconv.FormatInt(f.ID, 10), f.Name, f.Kind, fmt.Sprintf("%d of %d", f.Items, f.Of), yes(f.Behind))
		}
		t.Flush()
	}
	if p.Policy != nil && p.Policy.Required {
		fmt.Fprintln(w)
		printResult(w, *p.Policy)
	}
	if len(p.Timeline) > 0 {
		fmt.Fprintln(w)
		printAudit(w, p.Timeline)
	}
}
