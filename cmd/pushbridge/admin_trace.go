package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/trace"
)

const (
	// traceStep is how often what was recorded is fetched.
	traceStep = time.Second

	// traceEnd bounds the farewell of a recording that is broken off.
	traceEnd = 5 * time.Second
)

func (f *adminFlags) trace() *cobra.Command {
	var length time.Duration
	var content bool
	var output string
	c := &cobra.Command{
		Use: "trace USER DEVICE", Short: "Record what a phone and the server say to each other",
		Long: "Records what one phone and the server say to each other, decoded to XML, from now on\n" +
			"for some time or until it is interrupted. The structure, ids, keys and statuses can\n" +
			"be read; what people wrote (names, texts, addresses, dates) is masked, \"(12)\"\n" +
			"standing for 12 characters. --with-content shows it: ask the phone's owner first.\n" +
			"Headers and passwords are never recorded. The file is for its owner only.\n\n" +
			"A request is recorded when it is answered: one that waits, after its heartbeat.",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if length < time.Second || length > trace.MaxTime {
				return fmt.Errorf("%w: --for takes from a second to %v", errUsage, trace.MaxTime)
			}
			client, err := f.client()
			if err != nil {
				return err
			}
			r := admin.TraceRequest{User: args[0], Device: args[1], Seconds: int(length / time.Second), Content: content}
			return writeTrace(c.Context(), client, r, output, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().DurationVar(&length, "for", 10*time.Minute, "how long")
	c.Flags().BoolVar(&content, "with-content", false, "do not mask what people wrote")
	c.Flags().StringVarP(&output, "output", "o", "", "the `FILE` to write; standard output if empty")
	return c
}

// writeTrace records into a file, or to standard output.
func writeTrace(ctx context.Context, client *admin.Client, r admin.TraceRequest, output string, stdout, stderr io.Writer) (err error) {
	w := stdout
	if output != "" {
		file, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("%w: --output: %w", errUsage, err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		w = file
	}
	if _, err := client.Trace(ctx, r); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "Recording phone %s of %s for %v; interrupt to end it before.\n", harmless(r.Device), harmless(r.User), time.Duration(r.Seconds)*time.Second)
	exchanges := 0
	tick := time.NewTicker(traceStep)
	defer tick.Stop()
	for over := false; !over; {
		ask, end := ctx, context.CancelFunc(func() {})
		stop := false
		select {
		case <-tick.C:
		case <-ctx.Done():
			stop = true
			ask, end = context.WithTimeout(context.WithoutCancel(ctx), traceEnd)
		}
		piece, err := client.Fetch(ask, admin.FetchRequest{User: r.User, Device: r.Device, Stop: stop})
		end()
		if err != nil && !stop && ctx.Err() != nil {
			continue // interrupted just now: fetch the rest
		}
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, piece.Text); err != nil {
			return err
		}
		exchanges += strings.Count(piece.Text, "\n== ")
		over = piece.Over
	}
	fmt.Fprintf(stderr, "Recorded %d requests.\n", exchanges)
	return nil
}
