package main

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// completeTime is how long a person who pressed the tabulator waits for a worker.
const completeTime = 2 * time.Second

// complete lets a shell ask for the users and phones that a command's arguments
// may be, as the line that shows how it is called names them.
func (f *adminFlags) complete(c *cobra.Command) {
	names := argumentsOf(c)
	if slices.Contains(names, "USER") && c.ValidArgsFunction == nil {
		c.ValidArgsFunction = func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) >= len(names) {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return f.known(c.Context(), names[len(args)], args, slices.Index(names, "USER")), cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, child := range c.Commands() {
		f.complete(child)
	}
}

// argumentsOf are the names of a command's arguments: USER and DEVICE of
// "folders USER [DEVICE]".
func argumentsOf(c *cobra.Command) []string {
	words := strings.Fields(c.Use)
	if len(words) == 0 {
		return nil
	}
	names := words[1:]
	for i := range names {
		names[i] = strings.Trim(names[i], "[].")
	}
	return names
}

// known are the users, or the phones of the user that was typed. A worker that
// cannot be asked knows none.
func (f *adminFlags) known(ctx context.Context, what string, args []string, userAt int) (list []cobra.Completion) {
	client, err := f.client()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	user := ""
	if what == "DEVICE" && userAt < len(args) {
		user = args[userAt]
	}
	devices, err := client.Devices(ctx, user)
	if err != nil {
		return nil
	}
	for _, d := range devices {
		switch {
		case what == "USER" && typeable(d.User):
			list = append(list, d.User)
		case what == "DEVICE" && typeable(d.Device):
			list = append(list, cobra.CompletionWithDesc(d.Device, summary(d)))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// summary says which phone it is.
func summary(d admin.Device) string {
	return harmless(cmp.Or(d.Called, d.Name, d.Model, d.Type))
}

// typeable tells whether a name can be put on a command line: phones and people
// choose them, and no shell shall be given what it would understand otherwise.
func typeable(name string) bool {
	return name != "" && !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@._-+", r)
	})
}
