package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

func (f *adminFlags) recovery() *cobra.Command {
	c := ask(f, &cobra.Command{
		Use: "recovery USER DEVICE", Short: "Show the password with which somebody gets into their phone again who forgot theirs",
		Long: "Shows the recovery password that a phone handed in, as a policy asks for with\n" +
			"password_recovery_enabled. That it was shown stands in the audit, and at the phone\n" +
			"for its owner to see.",
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Recovered, error) {
		return admin.OpRecover.Ask(ctx, c, admin.PhoneRequest{User: args[0], Device: args[1]})
	}, func(w io.Writer, r admin.Recovered) {
		fmt.Fprintf(w, "%s\nIt was handed in at %s.\n", harmless(r.Password), moment(r.HandedIn))
	})
	c.AddCommand(ask(f, &cobra.Command{
		Use: "rekey", Short: "Encrypt the recovery passwords with the first key of the file",
		Long: "Encrypts all recovery passwords that can be read with the first key of the file that\n" +
			"policy.recovery_keys names. To change the key, put a new one in front of the others,\n" +
			"restart the worker, and run this; then the others can be taken out.",
		Args: cobra.NoArgs,
	}, func(ctx context.Context, c *admin.Client, _ []string) (admin.Rekeyed, error) {
		return admin.OpRekey.Ask(ctx, c, admin.Nothing{})
	}, func(w io.Writer, r admin.Rekeyed) { fmt.Fprintln(w, harmless(r.Text)) }))
	return c
}
