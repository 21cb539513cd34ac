package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/audit"
)

// errUnsound means that the audit is not what was written. What is wrong has been
// printed.
var errUnsound = errors.New("the audit is not what was written")

func (f *adminFlags) audit() *cobra.Command {
	c := &cobra.Command{
		Use: "audit", Short: "Say what administrators did",
		Long: "Everything that is ordered or changed stands in the audit: who, from where, what,\n" +
			"what was before and what after. Each entry has a hash over itself and the one\n" +
			"before, so that \"admin audit verify\" notices if one was changed or taken out.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(f.auditList(), f.auditExport(), f.auditVerify())
	return c
}

func (f *adminFlags) auditList() *cobra.Command {
	var most int
	var before int64
	c := ask(f, &cobra.Command{Use: "list", Short: "List what was done, the newest first", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) ([]audit.Record, error) {
			return admin.OpAudit.Ask(ctx, c, admin.AuditRequest{Before: before, Most: most})
		}, printAudit)
	c.Flags().IntVar(&most, "most", 50, "at most `N` entries")
	c.Flags().Int64Var(&before, "before", 0, "only those before entry `N`")
	return c
}

func printAudit(w io.Writer, list []audit.Record) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nothing was done yet.")
		return
	}
	t := newTable(w, "ENTRY", "TIME", "WHO", "FROM", "WHAT", "WHOM", "OUTCOME")
	for _, r := range list {
		outcome := string(r.Outcome)
		if r.Detail != "" {
			outcome += ": " + strings.Join(strings.Fields(r.Detail), " ") // in one line
		}
		t.row(strconv.FormatInt(r.Number, 10), moment(r.Time), r.Actor, r.Address, r.Action, r.Object, outcome)
	}
	t.Flush()
}

func (f *adminFlags) auditExport() *cobra.Command {
	var to string
	var after int64
	c := &cobra.Command{
		Use: "export", Short: "Write the whole audit, a JSON object in each line", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			client, err := f.client()
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			if to != "" {
				file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, file.Close()) }()
				out = file
			}
			return export(c.Context(), client, out, after)
		},
	}
	c.Flags().StringVarP(&to, "output", "o", "", "write to `FILE`")
	c.Flags().Int64Var(&after, "after", 0, "only those behind entry `N`")
	return c
}

func export(ctx context.Context, client *admin.Client, out io.Writer, after int64) error {
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(true) // as it was hashed
	for {
		list, err := admin.OpAuditExport.Ask(ctx, client, admin.ExportRequest{After: after})
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := lines.Encode(r); err != nil {
				return fmt.Errorf("writing the export: %w", err)
			}
			after = r.Number
		}
		if len(list) < admin.MostEntries {
			return nil
		}
	}
}

func (f *adminFlags) auditVerify() *cobra.Command {
	var anchor, file string
	c := &cobra.Command{
		Use: "verify", Short: "Look whether the audit is what was written",
		Long: "Looks through the whole audit, or through one that was exported from its first\n" +
			"entry on, and says number and hash of the last entry. Noted elsewhere and given\n" +
			"as --anchor later, they show that nothing up to there was cut off or written anew.\n\n" +
			"Exit status: 0 if it is, 1 if it is not.",
		Args: cobra.NoArgs,
	}
	verify := func(c *cobra.Command) (audit.Finding, error) {
		link, err := parseLink(anchor)
		if err != nil {
			return audit.Finding{}, err
		}
		if file != "" {
			return verifyFile(c.Context(), file, link)
		}
		client, err := f.client()
		if err != nil {
			return audit.Finding{}, err
		}
		q := admin.AnchorRequest{}
		if link != nil {
			q.Number, q.Hash = link.Number, link.Hash
		}
		return admin.OpAuditVerify.Ask(c.Context(), client, q)
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		found, err := verify(c)
		if err != nil {
			return err
		}
		if err := f.print(c, found, func(w io.Writer) { printFinding(w, found) }); err != nil {
			return err
		}
		if !found.Sound {
			return errUnsound
		}
		return nil
	}
	c.Flags().StringVar(&anchor, "anchor", "", "`NUMBER:HASH` of an entry as an earlier call said")
	c.Flags().StringVar(&file, "file", "", "look at this export in place of the worker's audit")
	return c
}

func parseLink(text string) (*audit.Link, error) {
	if text == "" {
		return nil, nil
	}
	number, hash, ok := strings.Cut(text, ":")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 1 || len(hash) != 64 {
		return nil, fmt.Errorf("%w: %.80q is no anchor; \"admin audit verify\" prints one, NUMBER:HASH", errUsage, text)
	}
	return &audit.Link{Number: n, Hash: hash}, nil
}

func printFinding(w io.Writer, f audit.Finding) {
	if !f.Sound {
		fmt.Fprintf(w, "The audit is not what was written: %s.\n", harmless(f.Fault))
		return
	}
	fmt.Fprintf(w, "%s, all as written.\n", count(int(f.Entries), "entry", "entries"))
	if f.Entries > 0 {
		fmt.Fprintf(w, "anchor: %d:%s\n", f.Last.Number, f.Last.Hash)
	}
}

// exported is an audit that was exported.
type exported struct{ *os.File }

// verifyFile verifies an export.
func verifyFile(ctx context.Context, path string, anchor *audit.Link) (audit.Finding, error) {
	file, err := os.Open(path)
	if err != nil {
		return audit.Finding{}, err
	}
	defer file.Close()
	return audit.New(&exported{file}).Verify(ctx, anchor)
}

// After implements audit.Store; Verify asks in order.
func (e *exported) After(ctx context.Context, number int64, _ int) ([]audit.Record, error) {
	if number > 0 {
		return nil, nil // the first answer had everything
	}
	var list []audit.Record
	lines := json.NewDecoder(bufio.NewReader(e))
	for n := 1; ctx.Err() == nil; n++ {
		var r audit.Record
		switch err := lines.Decode(&r); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("%s: entry %d of the export: %w", e.Name(), n, err)
		}
		list = append(list, r)
	}
	return nil, context.Cause(ctx)
}

// Before implements audit.Store.
func (e *exported) Before(context.Context, int64, int) ([]audit.Record, error) {
	return nil, errors.ErrUnsupported
}

// Append implements audit.Store.
func (e *exported) Append(context.Context, func(audit.Link) (audit.Record, error)) (audit.Record, error) {
	return audit.Record{}, errors.ErrUnsupported
}
