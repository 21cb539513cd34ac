package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/phone"
)

// with is command for one that has arguments.
func (f *phoneFlags) with(use, short string, n int, do func(ctx context.Context, w io.Writer, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(n),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			return do(c.Context(), c.OutOrStdout(), args)
		},
	}
}

// folder is "phone folder create|rename|delete".
func (f *phoneFlags) folder() *cobra.Command {
	c := &cobra.Command{
		Use: "folder", Short: "Make, rename and delete folders, as people do on phones",
		Long: "Makes, renames and deletes folders, as people do on phones. FOLDER is a folder's id,\n" +
			"as \"pushbridge phone sync\" shows it, or its name where only one has it.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	kinds := slices.Sorted(maps.Keys(phone.FolderClasses))
	parent := ""
	create := f.with("create KIND NAME", "Make a folder; KIND is one of "+strings.Join(kinds, ", "), 2,
		func(ctx context.Context, w io.Writer, args []string) error {
			if _, ok := phone.FolderClasses[args[0]]; !ok {
				return fmt.Errorf("%w: a folder is for one of %s, not for %q", errUsage, strings.Join(kinds, ", "), args[0])
			}
			return phone.CreateFolder(ctx, w, f.config, args[0], args[1], parent)
		})
	create.Flags().StringVar(&parent, "in", "", "the `FOLDER` inside of which it is made; at the top if empty")
	c.AddCommand(create,
		f.with("rename FOLDER NAME", "Give a folder another name", 2, func(ctx context.Context, w io.Writer, args []string) error {
			return phone.RenameFolder(ctx, w, f.config, args[0], args[1])
		}),
		f.with("delete FOLDER", "Delete a folder with all that is in it", 1, func(ctx context.Context, w io.Writer, args []string) error {
			return phone.DeleteFolder(ctx, w, f.config, args[0])
		}),
	)
	return c
}

// move is "phone move ITEM FOLDER".
func (f *phoneFlags) move() *cobra.Command {
	c := f.with("move ITEM FOLDER", "Move something to another folder", 2, func(ctx context.Context, w io.Writer, args []string) error {
		return phone.MoveItem(ctx, w, f.config, args[0], args[1])
	})
	c.Long = "Moves something to another folder. ITEM is its id, as \"pushbridge phone sync\" shows\n" +
		"it, or its title, and FOLDER a folder's id or name, where only one has it."
	return c
}
