package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

// errNotConfirmed means that nobody typed what was asked for.
var errNotConfirmed = errors.New("not confirmed: nothing was done")

func (f *adminFlags) wipe() *cobra.Command {
	var account, cancel, sure, second bool
	c := &cobra.Command{
		Use: "wipe USER DEVICE", Short: "Have a phone erase itself, or this account on it",
		Long: "Tells a phone to erase itself, at its next request or at once if it waits:\n" +
			"everything that is on it, private things too, as if it had just been bought. With\n" +
			"--account-only it erases this account alone, which phones can that speak version\n" +
			"16.1. Nothing is changed at the servers. Afterwards the phone is blocked until\n" +
			"\"admin allow\". What came of it stands in \"admin devices\".\n\n" +
			"It asks for the DEVICE once more, unless --yes is given.",
		Args: cobra.ExactArgs(2),
	}
	flags := c.Flags()
	flags.BoolVar(&account, "account-only", false, "erase this account alone")
	flags.BoolVar(&cancel, "cancel", false, "take the order back, as long as the phone has not done it")
	flags.BoolVar(&second, "confirm", false, "be the second person, where two have to want it")
	flags.BoolVar(&sure, "yes", false, "do not ask")
	return ask(f, c, func(ctx context.Context, client *admin.Client, args []string) (admin.Done, error) {
		if second && (cancel || account) {
			return admin.Done{}, fmt.Errorf("%w: --confirm is for the order that there is, without --cancel and --account-only", errUsage)
		}
		if cancel && account {
			return admin.Done{}, fmt.Errorf("%w: --cancel takes back whichever order there is, without --account-only", errUsage)
		}
		if !cancel && !sure {
			if err := confirm(c, args[0], args[1], account); err != nil {
				return admin.Done{}, err
			}
		}
		if second {
			return admin.OpConfirmWipe.Ask(ctx, client, admin.PhoneRequest{User: args[0], Device: args[1]})
		}
		return client.Wipe(ctx, admin.WipeRequest{User: args[0], Device: args[1], AccountOnly: account, Cancel: cancel})
	}, printDone)
}

// confirm says what is about to happen, and has the device named once more.
func confirm(c *cobra.Command, user, device string, account bool) error {
	what := "EVERYTHING on it is erased, private pictures and messages too; it will be as if it had just been bought."
	if account {
		what = "This account is erased on it, with its contacts, calendars, tasks, notes and mail; everything else stays."
	}
	fmt.Fprintf(c.ErrOrStderr(), "Phone %s of %s is about to be told to erase itself.\n%s\nType %s to go on: ", harmless(device), harmless(user), what, harmless(device))
	line, err := bufio.NewReader(io.LimitReader(c.InOrStdin(), 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the confirmation: %w", err)
	}
	if strings.TrimSpace(line) != device {
		fmt.Fprintln(c.ErrOrStderr())
		return errNotConfirmed
	}
	return nil
}

func (f *adminFlags) block() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "block USER DEVICE", Short: "Keep a phone out",
		Long: "Keeps a phone out until \"admin allow\": it gets nothing more, and what it has stays\n" +
			"on it. A phone that waits is sent away at once.",
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
		return c.Block(ctx, admin.AdmissionRequest{User: args[0], Device: args[1]})
	}, printDone)
}

func (f *adminFlags) allow() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "allow USER DEVICE", Short: "Let a phone in that was blocked, or that erased itself",
		Args: cobra.ExactArgs(2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
		return c.Allow(ctx, admin.AdmissionRequest{User: args[0], Device: args[1]})
	}, printDone)
}

func (f *adminFlags) policy() *cobra.Command {
	c := ask(f, &cobra.Command{
		Use: "policy", Short: "Say what is asked of phones, and change it",
		Long: "Says what phones have to do and may not do before they are served, where no policy is\n" +
			"for some of them alone: what the table [policy] of the configuration has, and the\n" +
			"policies for everyone. \"admin policy result\" says it of one phone.",
		Args: cobra.NoArgs,
	}, func(ctx context.Context, c *admin.Client, _ []string) (admin.Policy, error) { return c.Policy(ctx) }, printPolicy)
	c.AddCommand(f.policyCommands()...)
	return c
}

func printPolicy(w io.Writer, p admin.Policy) {
	switch {
	case !p.Required:
		fmt.Fprintln(w, "Nothing is asked of phones.")
	case len(p.Settings) == 0:
		fmt.Fprintln(w, "Phones have to accept a policy that asks nothing of them.")
	default:
		t := newTable(w, "SETTING", "VALUE", "MEANS")
		for _, s := range p.Settings {
			t.row(s.Name, fmt.Sprint(s.Value), s.Means)
		}
		t.Flush()
	}
	for _, r := range p.Rules {
		fmt.Fprintln(w, harmless(r)+".")
	}
}

// standing says in a few words what is odd about a phone.
func standing(d admin.Device) string {
	var words []string
	if w := d.Wipe; w != nil {
		what := "erase"
		if w.AccountOnly {
			what = "erase this account"
		}
		when := w.Ordered
		for _, t := range []*time.Time{w.Sent, w.Ended} {
			if t != nil {
				when = *t
			}
		}
		words = append(words, fmt.Sprintf("order to %s: %s since %s", what, w.State, moment(when)))
	}
	if d.Blocked != "" {
		words = append(words, "blocked: "+d.Blocked)
	}
	if d.Quarantine != "" {
		words = append(words, "in quarantine: "+d.Quarantine)
	}
	if d.Policy != "" {
		words = append(words, "policy: "+d.Policy)
	}
	return strings.Join(words, "; ")
}
