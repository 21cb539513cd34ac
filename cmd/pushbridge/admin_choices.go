package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// choose makes the subcommand that shows folders, or hides them.
func (f *adminFlags) choose(use, short string, hide bool) *cobra.Command {
	var back bool
	c := ask(f, &cobra.Command{
		Use: use + " USER [DEVICE] FOLDER", Short: short,
		Long: short + ": those whose name fits FOLDER, in which * stands for any\n" +
			"text and ? for one character, or whose kind and name do, such as \"events/Work*\".\n" +
			"DEVICE is a DeviceId or a DeviceType; without it all phones of USER are meant. Of\n" +
			"several that fit the last one decides, and it goes before the configuration.",
		Args: cobra.RangeArgs(2, 3),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
		r := admin.ChoiceRequest{User: args[0], Choice: admin.Choice{Pattern: args[len(args)-1], Hide: hide}}
		if len(args) > 2 {
			r.Device = args[1]
		}
		if back {
			return c.Unchoose(ctx, r)
		}
		return c.Choose(ctx, r)
	}, printDone)
	c.Flags().BoolVar(&back, "undo", false, "take the choice back")
	return c
}

func (f *adminFlags) choices() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "choices USER", Short: "List what was said by show and hide", Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, c *admin.Client, args []string) ([]admin.Choice, error) {
		return c.Choices(ctx, args[0])
	}, printChoices)
}

func printChoices(w io.Writer, list []admin.Choice) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nothing was chosen: the configuration says which folders are shown.")
		return
	}
	t := newTable(w, "CHOICE", "PHONES", "FOLDERS")
	for _, c := range list {
		what, phones := "show", c.Device
		if c.Hide {
			what = "hide"
		}
		if phones == "" {
			phones = "all"
		}
		t.row(what, phones, c.Pattern)
	}
	t.Flush()
}
