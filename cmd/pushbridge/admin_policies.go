package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
)

// scopeWords say how scopes are written.
const scopeWords = `"everyone", "group NAME", "user NAME" or "device USER DEVICE"`

// parseScope reads a scope.
func parseScope(words []string) (rsop.Scope, error) {
	switch {
	case len(words) == 1 && words[0] == string(rsop.Everyone):
		return rsop.Scope{Kind: rsop.Everyone}, nil
	case len(words) == 2 && words[0] == string(rsop.Group):
		return rsop.Scope{Kind: rsop.Group, Name: words[1]}, nil
	case len(words) == 2 && words[0] == string(rsop.User):
		return rsop.Scope{Kind: rsop.User, Name: words[1]}, nil
	case len(words) == 3 && words[0] == string(rsop.Device):
		return rsop.Scope{Kind: rsop.Device, Name: words[1], Device: words[2]}, nil
	}
	return rsop.Scope{}, fmt.Errorf("%w: %.80q names no phones; write %s", errUsage, strings.Join(words, " "), scopeWords)
}

// parseScopeText reads a scope of a file, in which names may have spaces.
func parseScopeText(text string) (rsop.Scope, error) {
	kind, rest, _ := strings.Cut(text, " ")
	words := []string{kind}
	if i := strings.LastIndexByte(rest, ' '); kind == string(rsop.Device) && i > 0 {
		words = append(words, rest[:i], rest[i+1:])
	} else if rest != "" {
		words = append(words, rest)
	}
	return parseScope(words)
}

func (f *adminFlags) policyCommands() []*cobra.Command {
	return []*cobra.Command{f.policyList(), f.policySet(), f.policyDelete(), f.policyLink(), f.policyUnlink(), f.policyBlock(),
		f.policyResult(), f.policyApply(), f.policyExport(), f.policySettings()}
}

func (f *adminFlags) policyList() *cobra.Command {
	return ask(f, &cobra.Command{Use: "list", Short: "List the policies, and whom they are for", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) (admin.Policies, error) {
			return admin.OpPolicies.Ask(ctx, c, admin.Nothing{})
		}, printPolicies)
}

func printPolicies(w io.Writer, p admin.Policies) {
	if len(p.Policies) == 0 {
		fmt.Fprintln(w, "There are no policies beside that of the configuration.")
		return
	}
	t := newTable(w, "POLICY", "SETTINGS", "FOR", "ORDER", "ENFORCED")
	for _, y := range p.Policies {
		name, settings, linked := y.Name, settingsText(y.Settings), false
		for _, l := range p.Links {
			if l.Policy == y.Name {
				t.row(name, settings, l.Scope.String(), strconv.Itoa(l.Order), yes(l.Enforced))
				name, settings, linked = "", "", true
			}
		}
		if !linked {
			t.row(name, settings, "nobody", "", "")
		}
	}
	t.Flush()
	for _, b := range p.Blocks {
		fmt.Fprintf(w, "%s inherits nothing that is not enforced.\n", harmless(b.String()))
	}
}

// settingsText writes settings in the order of their names.
func settingsText(settings map[string]any) string {
	var words []string
	for _, name := range rsop.Names {
		if v, ok := settings[name]; ok {
			words = append(words, fmt.Sprintf("%s=%v", name, v))
		}
	}
	return strings.Join(words, " ")
}

func (f *adminFlags) policySet() *cobra.Command {
	var description string
	return describe(ask(f, &cobra.Command{
		Use: "set POLICY SETTING=VALUE ...", Short: "Make a policy, or change one",
		Long: "Gives a policy these settings; others that it has stay. SETTING= without a value\n" +
			"takes one out. \"admin policy settings\" lists them.",
		Args: cobra.MinimumNArgs(1),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
		p := &admin.PolicyText{Description: description, Settings: map[string]any{}, Keep: true}
		for _, a := range args[1:] {
			name, value, ok := strings.Cut(a, "=")
			switch {
			case !ok:
				return admin.Edited{}, fmt.Errorf("%w: %.80q is no setting; write SETTING=VALUE", errUsage, a)
			case value == "":
				p.Settings[name] = nil
			default:
				p.Settings[name] = value
			}
		}
		return admin.OpPolicyEdit.Ask(ctx, c, admin.PolicyEdit{Policies: map[string]*admin.PolicyText{args[0]: p}})
	}, printEdited), &description)
}

// describe adds the flag for a description.
func describe(c *cobra.Command, text *string) *cobra.Command {
	c.Flags().StringVar(text, "description", "", "what it is for, in `WORDS`")
	return c
}

func (f *adminFlags) policyDelete() *cobra.Command {
	return ask(f, &cobra.Command{Use: "delete POLICY", Short: "Delete a policy; it is for nobody any more", Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			return admin.OpPolicyEdit.Ask(ctx, c, admin.PolicyEdit{Policies: map[string]*admin.PolicyText{args[0]: nil}})
		}, printEdited)
}

func (f *adminFlags) policyLink() *cobra.Command {
	var order int
	var enforced bool
	c := ask(f, &cobra.Command{
		Use: "link POLICY SCOPE ...", Short: "Say that a policy is for some phones",
		Long: "Says that a policy is for phones: " + scopeWords + ".\n" +
			"A narrower scope decides over a wider one, a nearer group over a farther one; of\n" +
			"equally near ones the lowest order. With --enforced no narrower scope can change\n" +
			"what the policy says.",
		Args: cobra.RangeArgs(2, 4),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
		s, err := parseScope(args[1:])
		if err != nil {
			return admin.Edited{}, err
		}
		return admin.OpPolicyEdit.Ask(ctx, c, admin.PolicyEdit{Links: []rsop.Link{{Policy: args[0], Scope: s, Order: order, Enforced: enforced}}})
	}, printEdited)
	c.Flags().IntVar(&order, "order", 0, "its place among equally near ones, `N`")
	c.Flags().BoolVar(&enforced, "enforced", false, "no narrower scope can change what it says")
	return c
}

func (f *adminFlags) policyUnlink() *cobra.Command {
	return ask(f, &cobra.Command{Use: "unlink POLICY SCOPE ...", Short: "Take that back", Args: cobra.RangeArgs(2, 4)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
			s, err := parseScope(args[1:])
			if err != nil {
				return admin.Edited{}, err
			}
			return admin.OpPolicyEdit.Ask(ctx, c, admin.PolicyEdit{Unlinks: []rsop.Link{{Policy: args[0], Scope: s}}})
		}, printEdited)
}

func (f *adminFlags) policyBlock() *cobra.Command {
	var back bool
	c := ask(f, &cobra.Command{
		Use: "block-inheritance SCOPE ...", Short: "Keep out what wider scopes say and do not enforce", Args: cobra.RangeArgs(1, 3),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Edited, error) {
		s, err := parseScope(args)
		if err != nil {
			return admin.Edited{}, err
		}
		e := admin.PolicyEdit{Blocks: []rsop.Scope{s}}
		if back {
			e = admin.PolicyEdit{Unblocks: []rsop.Scope{s}}
		}
		return admin.OpPolicyEdit.Ask(ctx, c, e)
	}, printEdited)
	c.Flags().BoolVar(&back, "undo", false, "let it in again")
	return c
}

func (f *adminFlags) policyResult() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "result USER [DEVICE]", Short: "Say what is asked of a phone, where it comes from, and what it overrode",
		Long: "Computes the resulting set of policy of a phone, which need not be known, or of a\n" +
			"person's phones of which nothing else is said.",
		Args: cobra.RangeArgs(1, 2),
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.PolicyResult, error) {
		return admin.OpPolicyResult.Ask(ctx, c, admin.PhoneRequest{User: args[0], Device: optional(args, 1)})
	}, printResult)
}

func printResult(w io.Writer, r admin.PolicyResult) {
	if !r.Required {
		fmt.Fprintln(w, "Nothing is asked of it.")
	}
	if r.Standing != "" {
		fmt.Fprintf(w, "It stands with that: %s.\n", harmless(r.Standing))
	}
	if len(r.Values) > 0 {
		t := newTable(w, "SETTING", "VALUE", "POLICY", "FOR", "OVERRODE", "REMARKS")
		for _, v := range r.Values {
			var over []string
			for _, o := range v.Overrides {
				over = append(over, fmt.Sprintf("%v of %s for %s", o.Value, o.From.Policy, o.From.Scope))
			}
			remarks := v.Idle
			if remarks != "" {
				remarks = "no effect: " + remarks
			}
			if v.From.Enforced {
				remarks = strings.TrimPrefix(remarks+"; enforced", "; ")
			}
			t.row(v.Name, fmt.Sprint(v.Value), v.From.Policy, v.From.Scope.String(), strings.Join(over, ", "), remarks)
		}
		t.Flush()
	}
	for _, c := range r.Candidates {
		if c.Out != "" {
			fmt.Fprintf(w, "%s for %s says nothing: %s.\n", harmless(c.Policy), harmless(c.Scope.String()), harmless(c.Out))
		}
	}
}

func (f *adminFlags) policyApply() *cobra.Command {
	var add, dry bool
	c := &cobra.Command{
		Use: "apply FILE", Short: "Make the policies what a file says",
		Long: "Makes the policies, whom they are for, and who inherits nothing, what a TOML file\n" +
			"says; \"admin policy export\" writes one. Policies that it does not name are deleted,\n" +
			"unless --add. If anything is wrong with it, everything is said at once, and nothing\n" +
			"is changed. With --what-if nothing is changed either: it says for which phones what\n" +
			"would be different.",
		Args: cobra.ExactArgs(1),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		edit, err := parsePolicyFile(text)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", errUsage, args[0], err)
		}
		edit.Replace = !add
		if dry {
			return ask(f, &cobra.Command{}, func(ctx context.Context, client *admin.Client, _ []string) (admin.WhatIf, error) {
				return admin.OpPolicyWhatIf.Ask(ctx, client, admin.WhatIfRequest{Edit: edit})
			}, printWhatIf).RunE(c, nil)
		}
		return ask(f, &cobra.Command{}, func(ctx context.Context, client *admin.Client, _ []string) (admin.Edited, error) {
			return admin.OpPolicyEdit.Ask(ctx, client, edit)
		}, printEdited).RunE(c, nil)
	}
	c.Flags().BoolVar(&add, "add", false, "keep the policies and links that the file does not name")
	c.Flags().BoolVar(&dry, "what-if", false, "change nothing, and say what would be different")
	return c
}

func printWhatIf(w io.Writer, i admin.WhatIf) {
	fmt.Fprintf(w, "It would change what is asked of %s out of %d.\n", count(i.Phones, "phone", "phones"), i.Of)
	if i.Phones == 0 {
		return
	}
	t := newTable(w, "USER", "DEVICE", "SETTING", "BEFORE", "AFTER", "POLICY")
	for _, p := range i.First {
		user, device := p.User, p.Device
		if !p.Requires {
			t.row(user, device, "nothing is asked any more", "", "", "")
			continue
		}
		for _, s := range p.Settings {
			from := ""
			if s.From != nil {
				from = s.From.Policy + " for " + s.From.Scope.String()
			}
			t.row(user, device, s.Name, said(s.Before), said(s.After), from)
			user, device = "", ""
		}
	}
	t.Flush()
	if n := i.Phones - len(i.First); n > 0 {
		fmt.Fprintf(w, "and %d more\n", n)
	}
}

// said writes a value, or that there is none.
func said(v any) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(v)
}

func (f *adminFlags) policyExport() *cobra.Command {
	return ask(f, &cobra.Command{Use: "export", Short: "Write the policies as a file for \"admin policy apply\"", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) (admin.Policies, error) {
			return admin.OpPolicies.Ask(ctx, c, admin.Nothing{})
		}, func(w io.Writer, p admin.Policies) { io.WriteString(w, policyFile(p)) })
}

func (f *adminFlags) policySettings() *cobra.Command {
	return &cobra.Command{
		Use: "settings", Short: "List what a policy can say", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			t := newTable(c.OutOrStdout(), "SETTING", "ELEMENT", "MEANS")
			for _, name := range rsop.Names {
				s, _ := rsop.Find(name)
				t.row(s.Name, s.Element, s.Does)
			}
			return t.Flush()
		},
	}
}

func printEdited(w io.Writer, e admin.Edited) { fmt.Fprintln(w, harmless(e.Text)) }
