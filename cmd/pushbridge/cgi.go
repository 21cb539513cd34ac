package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/fcgi/cgi"
)

// errReaderGone is the web server having closed the program's output.
var errReaderGone = errors.New("the web server closed the pipe")

func newCGI() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "cgi --socket PATH",
		Short: "Hand one CGI request to the worker",
		Long: "Hands one CGI request (RFC 3875) to the worker that \"pushbridge serve\" runs, over\n" +
			"its FastCGI socket, and ends with the answer. A web server calls it, one process\n" +
			"for each phone that waits; FastCGI directly is better where it can be had, and\n" +
			"nginx is better still. If no worker can be reached, the answer is 503 with\n" +
			"Retry-After, and standard error says why.\n\n" +
			"Authorization has to be passed to it: in Apache by \"CGIPassAuth On\".",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			addr, err := workerAddress(socket)
			if err != nil {
				return err
			}
			return runCGI(c.Context(), addr, os.Stdin, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&socket, "socket", "/run/pushbridge/pushbridge.sock", "the `PATH` of the worker's FastCGI socket, or tcp:HOST:PORT")
	return c
}

// workerAddress makes an address of what the configuration's "listen" says, or
// of a path.
func workerAddress(socket string) (string, error) {
	path, isUnix := strings.CutPrefix(socket, "unix:")
	path, _, _ = strings.Cut(path, "?")
	switch {
	case strings.HasPrefix(socket, "tcp:"):
		return socket, nil
	case isUnix && path != "", strings.HasPrefix(path, "/"), strings.HasPrefix(path, "@"):
		return "unix:" + path, nil
	}
	return "", fmt.Errorf("%w: --socket %q is neither the path of a socket nor tcp:HOST:PORT", errUsage, socket)
}

// runCGI carries one request out, and hangs up when the web server does.
func runCGI(ctx context.Context, addr string, stdin *os.File, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if out, ok := stdout.(*os.File); ok {
		stop, err := cgi.WatchReader(out, func() { cancel(errReaderGone) })
		if err != nil {
			return err
		}
		defer stop()
	}
	err := cgi.Handle(ctx, cgi.Request{Addr: addr, Env: os.Environ(), Stdin: cgi.Interruptible(stdin), Stdout: stdout, Stderr: stderr})
	if errors.Is(err, errReaderGone) {
		return nil // its phone left, which is no failure
	}
	return err
}
