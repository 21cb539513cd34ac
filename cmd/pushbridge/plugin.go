package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/plugins/builtin"
	"github.com/pushbridge/pushbridge/plugins/sdk"
)

func newPlugin() *cobra.Command {
	return &cobra.Command{
		Use:   "plugin NAME",
		Short: "Run a built-in adapter as a plugin process; started by the worker, not by people",
		Long: "Runs one of the built-in adapters as a plugin process: " + strings.Join(builtin.Names(), ", ") + ".\n" +
			"The worker starts these processes by itself.",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			open, ok := builtin.Lookup(args[0])
			if !ok {
				return fmt.Errorf("%w: there is no adapter %q; there are %s", errUsage, args[0], strings.Join(builtin.Names(), ", "))
			}
			sdk.Main(args[0], open)
			return nil
		},
	}
}
