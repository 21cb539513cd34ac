package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pushbridge/pushbridge/bridge/admin"
)

const (
	// leastInterval and mostInterval bound how often the worker is asked.
	leastInterval = 200 * time.Millisecond
	mostInterval  = time.Minute

	// stateInterval is how often the backends are asked whether they are there, for
	// which the worker has to ask their servers.
	stateInterval = 15 * time.Second
)

func (f *adminFlags) top() *cobra.Command {
	var interval time.Duration
	var once bool
	c := &cobra.Command{
		Use: "top", Short: "Show what the worker does, as it does it",
		Long: "Shows what the worker does, as it does it: how many phones wait and are answered,\n" +
			"what woke them and how soon they heard, requests, backends, and the last lines of the\n" +
			"log that say more than that a request was answered as it should be. q or Ctrl-C ends it.\n\n" +
			"Where the output is no terminal, and with --json, it prints the same again and again;\n" +
			"with --once, once, about the time of one --interval.\n\n" +
			"Exit status: 0 if it was ended, 1 if the worker cannot be asked, 2 if the command\n" +
			"line or the configuration is wrong.",
		RunE: func(c *cobra.Command, _ []string) error {
			if interval < leastInterval || interval > mostInterval {
				return fmt.Errorf("%w: --interval is %v, want %v to %v", errUsage, interval, leastInterval, mostInterval)
			}
			client, err := f.client()
			if err != nil {
				return err
			}
			t := &top{ask: client, interval: interval}
			out, file := c.OutOrStdout().(*os.File)
			if file && !once && !f.json && term.IsTerminal(int(out.Fd())) {
				return t.live(c.Context(), os.Stdin, out)
			}
			return t.print(c.Context(), c.OutOrStdout(), once, f.json)
		},
	}
	c.Flags().DurationVarP(&interval, "interval", "n", 2*time.Second, "how often to ask")
	c.Flags().BoolVar(&once, "once", false, "print it once, and end")
	return c
}

// A top watches a worker.
type top struct {
	ask      *admin.Client
	interval time.Duration

	mu     sync.Mutex
	status admin.Status // as of the last time that the backends were asked
	asked  bool         // and answered
}

// print prints what the worker does, until the context ends or only once.
func (t *top) print(ctx context.Context, w io.Writer, once, asJSON bool) error {
	if err := t.state(ctx); err != nil {
		return err
	}
	seen, last := samples{}, time.Now()
	if err := t.sample(ctx, &seen); err != nil {
		return err
	}
	for tick := time.NewTicker(t.interval); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := t.sample(ctx, &seen); err != nil {
			return err
		}
		if time.Since(last) >= stateInterval {
			if err := t.state(ctx); err != nil {
				return err
			}
			last = time.Now()
		}
		shown := t.figures(&seen)
		var err error
		if asJSON {
			err = json.NewEncoder(w).Encode(shown)
		} else {
			_, err = io.WriteString(w, lines(shown.view(plainWidth, plainEvents), "\n")+"\n")
		}
		if err != nil || once {
			return err
		}
		seen.forgetEvents() // they were printed
	}
}

// sample asks what the worker does.
func (t *top) sample(ctx context.Context, seen *samples) error {
	now, err := admin.OpTop.Ask(ctx, t.ask, admin.TopRequest{After: seen.event})
	if err != nil {
		return err
	}
	seen.add(now)
	return nil
}

// state asks how the backends are.
func (t *top) state(ctx context.Context) error {
	st, err := t.ask.Status(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status, t.asked = st, true
	return nil
}

func (t *top) figures(seen *samples) figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	return seen.figures(t.status, t.asked)
}

// live draws the view upon a terminal until the context ends or somebody presses q.
func (t *top) live(ctx context.Context, in, out *os.File) error {
	seen := samples{}
	if err := t.sample(ctx, &seen); err != nil {
		return err
	}
	s, err := openScreen(in, out)
	if err != nil {
		return err
	}
	defer s.close() // when nobody reads from it any more
	ctx, stop := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer stop()
	others.Go(func() { s.keys(ctx, stop) })
	others.Go(func() { // which may take seconds, where a backend is away
		for tick := time.NewTicker(stateInterval); ctx.Err() == nil; {
			_ = t.state(ctx) // the view says why the worker cannot be asked
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	tick := time.NewTicker(t.interval)
	defer tick.Stop()
	trouble := ""
	for {
		shown := t.figures(&seen)
		shown.Trouble = trouble
		if err := s.draw(shown); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		trouble = ""
		if err := t.sample(ctx, &seen); err != nil {
			trouble = err.Error() // it may be restarting
		}
	}
}
