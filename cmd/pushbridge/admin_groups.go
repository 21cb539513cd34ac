package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

func (f *adminFlags) group() *cobra.Command {
	c := &cobra.Command{
		Use: "group", Short: "Keep groups of people, which policies and rules can be for",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	list := ask(f, &cobra.Command{Use: "list", Short: "List the groups and their members", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Group, error) {
			return admin.OpGroups.Ask(ctx, c, admin.Nothing{})
		}, printGroups)
	of := ask(f, &cobra.Command{Use: "of USER", Short: "List the groups that a person belongs to, the nearest first", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) ([]admin.Membership, error) {
			return admin.OpMemberships.Ask(ctx, c, admin.UserRequest{User: args[0]})
		}, printMemberships)
	c.AddCommand(list, of, f.groupCreate(), f.groupMembers("add", "Make people, or groups, members of a group", false),
		f.groupMembers("remove", "Take members out of a group", true), f.groupDelete())
	return c
}

func (f *adminFlags) groupCreate() *cobra.Command {
	var description string
	return describe(ask(f, &cobra.Command{Use: "create GROUP [USER ...]", Short: "Make a group", Args: cobra.MinimumNArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			return admin.OpGroupEdit.Ask(ctx, c, admin.GroupRequest{Name: args[0], Create: true, Description: &description, AddUsers: args[1:]})
		}, printEdited), &description)
}

func (f *adminFlags) groupMembers(use, short string, remove bool) *cobra.Command {
	var groups []string
	c := ask(f, &cobra.Command{Use: use + " GROUP [USER ...]", Short: short, Args: cobra.MinimumNArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			if len(args) == 1 && len(groups) == 0 {
				return admin.Edited{}, fmt.Errorf("%w: say who: USER, or --group GROUP", errUsage)
			}
			r := admin.GroupRequest{Name: args[0], AddUsers: args[1:], AddGroups: groups}
			if remove {
				r = admin.GroupRequest{Name: args[0], RemoveUsers: args[1:], RemoveGroups: groups}
			}
			return admin.OpGroupEdit.Ask(ctx, c, r)
		}, printEdited)
	c.Flags().StringArrayVar(&groups, "group", nil, "a `GROUP` whose people are meant; may be given several times")
	return c
}

func (f *adminFlags) groupDelete() *cobra.Command {
	return ask(f, &cobra.Command{Use: "delete GROUP", Short: "Delete a group that no policy and no rule is for", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			return admin.OpGroupEdit.Ask(ctx, c, admin.GroupRequest{Name: args[0], Delete: true})
		}, printEdited)
}

func printGroups(w io.Writer, list []admin.Group) {
	if len(list) == 0 {
		fmt.Fprintln(w, "There are no groups.")
		return
	}
	t := newTable(w, "GROUP", "PEOPLE", "GROUPS IN IT", "DESCRIPTION")
	for _, g := range list {
		t.row(g.Name, strings.Join(g.Users, ", "), strings.Join(g.Groups, ", "), g.Description)
	}
	t.Flush()
}

func printMemberships(w io.Writer, list []admin.Membership) {
	if len(list) == 0 {
		fmt.Fprintln(w, "In no group.")
		return
	}
	t := newTable(w, "GROUP", "THROUGH")
	for _, m := range list {
		t.row(m.Group, strings.Join(m.Through, ", "))
	}
	t.Flush()
}
