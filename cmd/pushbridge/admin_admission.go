package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/rulebook"
)

func (f *adminFlags) admission() *cobra.Command {
	c := ask(f, &cobra.Command{
		Use: "admission", Short: "Say which phones may come in",
		Long: "Says which phones may come in: the first rule that fits a phone allows it, blocks\n" +
			"it, or puts it into quarantine, where it gets the list of folders and a message, and\n" +
			"nothing else, until \"admin allow\". What \"admin allow\" and \"admin block\" said of a phone\n" +
			"goes before the rules.",
		Args: cobra.NoArgs,
	}, func(ctx context.Context, c *admin.Client, _ []string) (admin.Admission, error) {
		return admin.OpAdmission.Ask(ctx, c, admin.Nothing{})
	}, printAdmission)
	queue := ask(f, &cobra.Command{Use: "queue", Short: "List the phones that wait to be let in", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Device, error) {
			return admin.OpQueue.Ask(ctx, c, admin.Nothing{})
		}, printQueue)
	c.AddCommand(queue, f.admissionDefault(), f.admissionAdd(), f.admissionRemove(), f.admissionMost())
	return c
}

func printAdmission(w io.Writer, a admin.Admission) {
	for i, r := range a.Rules {
		fmt.Fprintf(w, "%d. %s\n", i+1, harmless(r.String()))
	}
	switch {
	case a.Default == "" || a.Default == rulebook.Allow:
		fmt.Fprintln(w, "Other phones are allowed.")
	case a.Everybody:
		fmt.Fprintf(w, "Other phones: %s.\n", a.Default)
	default:
		fmt.Fprintf(w, "Other phones that come for the first time since %s: %s.\n", moment(a.Since), a.Default)
	}
	most := a.MaxDevices
	if most == 0 {
		most = device.MaxPhones
	}
	fmt.Fprintf(w, "A person may have %s.\n", count(most, "phone", "phones"))
}

func printQueue(w io.Writer, list []admin.Device) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No phone waits to be let in.")
		return
	}
	t := newTable(w, "USER", "DEVICE", "TYPE", "MODEL", "SYSTEM", "FIRST SEEN", "WHY")
	for _, d := range list {
		t.row(d.User, d.Device, d.Type, d.Model, d.System, moment(d.FirstSeen), d.Quarantine)
	}
	t.Flush()
}

func (f *adminFlags) admissionDefault() *cobra.Command {
	var everybody bool
	c := ask(f, &cobra.Command{
		Use: "default allow|block|quarantine", Short: "Say what becomes of phones that no rule fits",
		Long: "Says what becomes of phones that no rule fits, and that come for the first time from\n" +
			"now on; with --everybody of those that came before, too.",
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
		a := rulebook.Action(args[0])
		return admin.OpSetAdmission.Ask(ctx, c, admin.AdmissionChange{Default: &a, Everybody: everybody})
	}, printEdited)
	c.Flags().BoolVar(&everybody, "everybody", false, "also of phones that came before")
	return c
}

func (f *adminFlags) admissionAdd() *cobra.Command {
	var r rulebook.Rule
	var at int
	c := ask(f, &cobra.Command{
		Use: "add allow|block|quarantine", Short: "Add a rule",
		Long: "Adds a rule for phones that everything fits that is named. In patterns * stands for\n" +
			"any text, and ? for one character. A phone that has not said what its system is, as\n" +
			"many do in their first requests and some never, fits neither --os nor --os-below.",
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
		r.Action = rulebook.Action(args[0])
		return admin.OpSetAdmission.Ask(ctx, c, admin.AdmissionChange{Insert: &r, At: at})
	}, printEdited)
	flags := c.Flags()
	flags.StringVar(&r.User, "user", "", "`PATTERN` of names of people")
	flags.StringVar(&r.Group, "group", "", "a `GROUP` of people")
	flags.StringVar(&r.Device, "device", "", "`PATTERN` of DeviceIds")
	flags.StringVar(&r.Type, "type", "", "`PATTERN` of DeviceTypes, such as \"iPhone\"")
	flags.StringVar(&r.Agent, "agent", "", "`PATTERN` of user agents")
	flags.StringVar(&r.OS, "os", "", "`PATTERN` of what phones say of their system, such as \"Android*\"")
	flags.StringVar(&r.OSBelow, "os-below", "", "systems before `VERSION`")
	flags.StringVar(&r.Note, "note", "", "why, in `WORDS`")
	flags.IntVar(&at, "at", 0, "as rule number `N`; without it behind the others")
	return c
}

func (f *adminFlags) admissionRemove() *cobra.Command {
	return ask(f, &cobra.Command{Use: "remove N", Short: "Remove rule number N", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			n, err := whole(args[0])
			if err != nil {
				return admin.Edited{}, err
			}
			return admin.OpSetAdmission.Ask(ctx, c, admin.AdmissionChange{Remove: n})
		}, printEdited)
}

func (f *adminFlags) admissionMost() *cobra.Command {
	return ask(f, &cobra.Command{Use: "max-devices N", Short: "Say how many phones a person may have; 0 for as many as there may be", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			n, err := whole(args[0])
			if err != nil {
				return admin.Edited{}, err
			}
			return admin.OpSetAdmission.Ask(ctx, c, admin.AdmissionChange{MaxDevices: &n})
		}, printEdited)
}

func whole(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: %.40q is no number", errUsage, text)
	}
	return n, nil
}

func (f *adminFlags) people() *cobra.Command {
	c := ask(f, &cobra.Command{Use: "people [USER]", Short: "List people, their groups, and how many phones they have and may have", Args: cobra.MaximumNArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) ([]admin.Person, error) {
			return admin.OpPeople.Ask(ctx, c, admin.UserRequest{User: optional(args, 0)})
		}, printPeople)
	c.AddCommand(f.personSwitch("off", "Serve none of a person's phones", true), f.personSwitch("on", "Serve a person's phones again", false), f.personMost())
	return c
}

func (f *adminFlags) personSwitch(use, short string, off bool) *cobra.Command {
	var why string
	c := ask(f, &cobra.Command{Use: use + " USER", Short: short, Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			return admin.OpSetPerson.Ask(ctx, c, admin.PersonRequest{User: args[0], Off: &off, Why: why})
		}, printEdited)
	if off {
		c.Flags().StringVar(&why, "why", "", "the reason, in `WORDS`")
	}
	return c
}

func (f *adminFlags) personMost() *cobra.Command {
	return ask(f, &cobra.Command{Use: "max-devices USER N", Short: "Say how many phones a person may have; 0 for as many as everybody", Args: cobra.ExactArgs(2)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			n, err := whole(args[1])
			if err != nil {
				return admin.Edited{}, err
			}
			return admin.OpSetPerson.Ask(ctx, c, admin.PersonRequest{User: args[0], MaxDevices: &n})
		}, printEdited)
}

func printPeople(w io.Writer, list []admin.Person) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nobody has used a phone here.")
		return
	}
	t := newTable(w, "USER", "PHONES", "MOBILE ACCESS", "GROUPS")
	for _, p := range list {
		access := "on"
		if p.Off {
			access = "off"
			if p.Since != nil {
				access += " since " + moment(*p.Since)
			}
			if p.Why != "" {
				access += ": " + p.Why
			}
		}
		t.row(p.User, fmt.Sprintf("%d of %d", p.Phones, p.MaxPhones), access, fmt.Sprint(p.Groups))
	}
	t.Flush()
}

func (f *adminFlags) blockList() *cobra.Command {
	c := ask(f, &cobra.Command{
		Use: "blocklist", Short: "List DeviceIds that are refused, whoever uses them, before a password is looked at", Args: cobra.NoArgs,
	}, func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Listed, error) {
		return admin.OpBlockList.Ask(ctx, c, admin.Nothing{})
	}, printListed)
	var why string
	add := ask(f, &cobra.Command{Use: "add DEVICE", Short: "Put a DeviceId on the list", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			return admin.OpSetListed.Ask(ctx, c, admin.ListRequest{Device: args[0], Why: why})
		}, printEdited)
	add.Flags().StringVar(&why, "why", "", "the reason, in `WORDS`")
	c.AddCommand(add, ask(f, &cobra.Command{Use: "remove DEVICE", Short: "Take it off", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			return admin.OpSetListed.Ask(ctx, c, admin.ListRequest{Device: args[0], Remove: true})
		}, printEdited))
	return c
}

func printListed(w io.Writer, list []admin.Listed) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nothing is on the list.")
		return
	}
	t := newTable(w, "DEVICE", "SINCE", "BY", "WHY")
	for _, l := range list {
		t.row(l.Device, moment(l.When), l.By, l.Why)
	}
	t.Flush()
}
