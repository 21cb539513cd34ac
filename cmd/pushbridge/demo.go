package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge"
	"github.com/pushbridge/pushbridge/bridge/config"
	"github.com/pushbridge/pushbridge/bridge/telemetry"
	"github.com/pushbridge/pushbridge/plugins/backend"
	"github.com/pushbridge/pushbridge/plugins/localdir/sample"
)

// demoPassword is no secret: the demonstration listens on this machine only,
// unless somebody says otherwise.
const demoPassword = "demo"

func newDemo() *cobra.Command {
	var d demonstration
	c := &cobra.Command{
		Use:   "demo",
		Short: "Try it: everything in one go, with sample data, user demo, password demo",
		Long: "Starts a worker with a plain HTTP listener upon a directory of sample contacts,\n" +
			"events, tasks and notes. Whatever changes in the directory is pushed.\n\n" +
			"Without --dir the directory is a temporary one that is removed at the end.\n\n" +
			"With --people N there are also person1, person2 and so on, with the same password\n" +
			"and next to nothing, for a soak: see \"pushbridge phone soak --help\".",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return d.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&d.address, "http", "127.0.0.1:8080", "`ADDRESS` to listen on")
	c.Flags().StringVar(&d.dir, "dir", "", "keep the data in `DIR`; sample data is written if it does not exist")
	c.Flags().IntVar(&d.people, "people", 0, "add so `MANY` people for a soak, and log only what is wrong")
	c.Flags().StringVar(&d.listen, "listen", "", "listen for FastCGI, too, at this `ADDRESS`, such as unix:/run/pushbridge/pushbridge.sock?group=www-data")
	return c
}

// maxDemoPeople bounds the people of a demonstration: each is three directories.
const maxDemoPeople = 100_000

// A demonstration is what "demo" is to be.
type demonstration struct {
	address, dir, listen string
	people               int
}

// run runs until the context ends.
func (d demonstration) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	address, dir := d.address, d.dir
	if d.people < 0 || d.people > maxDemoPeople {
		return fmt.Errorf("%w: --people %d; up to %d are possible", errUsage, d.people, maxDemoPeople)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return fmt.Errorf("%w: --http %q has to be an address and a port, such as 127.0.0.1:8080", errUsage, address)
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "pushbridge-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	if err := sample.Write(data, time.Now()); err != nil {
		return fmt.Errorf("writing sample data: %w; name a directory that you may write: --dir DIR", err)
	}
	if err := sample.People(data, d.people); err != nil {
		return fmt.Errorf("%w; name a directory that you may write: --dir DIR", err)
	}
	file := config.Default()
	file.HTTP, file.Listen, file.State = address, d.listen, filepath.Join(dir, "state")
	if port != "0" { // else it is not known yet
		file.AutodiscoverURL = "http://" + reachable(address)
	}
	file.Login.Address = "{user}@example.org"
	file.Backends = []config.Backend{{Name: "files", Plugin: "localdir", Settings: backend.Settings{
		"dir": data, "users": d.users(), "mail": true,
	}}}
	level := "info"
	if d.people > 0 {
		level = "warn"
	}
	logger, err := telemetry.New(stderr, level, "text")
	if err != nil {
		return err
	}
	b, err := bridge.New(ctx, bridge.Options{Config: file, Logger: logger, Version: version()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	l, err := b.Listen()
	if err != nil {
		return fmt.Errorf("%w\nSay where else the demo is to listen: --http 127.0.0.1:8081", err)
	}
	explainDemo(stdout, l.HTTP.Addr(), data, bridge.AdminSocket(file))
	return b.Serve(ctx, l)
}

// users are those who may log in.
func (d demonstration) users() map[string]any {
	all := map[string]any{sample.User: demoPassword}
	for i := range d.people {
		all[sample.Person(i+1)] = demoPassword
	}
	return all
}

// everywhere tells whether an address is all of this computer's.
func everywhere(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// reachable is the address under which phones find the demo: where it listens,
// or, if that is everywhere, this computer's first address.
func reachable(address string) string {
	if !everywhere(address) {
		return address
	}
	_, port, _ := net.SplitHostPort(address)
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return net.JoinHostPort(n.IP.String(), port)
		}
	}
	return net.JoinHostPort("127.0.0.1", port)
}

// explainDemo tells a person what to do next.
func explainDemo(w io.Writer, a net.Addr, data, socket string) {
	_, port, _ := net.SplitHostPort(a.String())
	me, here := invocation(), a.String()
	reach := fmt.Sprintf("Phones reach this computer only if you start the demo with --http 0.0.0.0:%s;\nmany", port)
	if everywhere(here) {
		here, reach = net.JoinHostPort("127.0.0.1", port), "Many"
	}
	fmt.Fprintf(w, `pushbridge is running. Press Ctrl-C to end it.

See a push, in a second terminal:

    %[1]s phone watch --url http://%[2]s --user %[3]s --password %[4]s

and in a third one, change something:

    printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:first-push\r\nFN:First Push\r\nN:Push;First;;;\r\nTEL;TYPE=CELL:+49 30 1234567\r\nEND:VCARD\r\n' > %[5]s

or have a mail come:

    printf 'From: first@example.org\r\nTo: %[3]s@example.org\r\nSubject: First mail\r\n\r\nIt has been pushed.\r\n' > %[10]s

What a phone would hold:

    %[1]s phone sync --url http://%[2]s --user %[3]s --password %[4]s

What the worker knows of its phones (and more: admin --help):

    %[1]s admin devices --socket %[9]s

A real phone: add an account of the type Exchange (ActiveSync).
    E-mail     %[3]s@example.org (anything will do)
    Server     %[6]s
    User       %[3]s        Domain: empty
    Password   %[4]s
    SSL/TLS    off
%[8]s phones refuse to go without TLS: then put nginx before it (README).

The files are in %[7]s. What the worker has to say follows.

`, me, here, sample.User, demoPassword, quoted(filepath.Join(data, sample.User, "contacts", "first-push.vcf")), reachable(a.String()), data, reach, quoted(socket),
		quoted(filepath.Join(data, sample.User, "Maildir", "new", "first-mail")))
}

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-", r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// invocation is how this program was called, so that what we print can be
// typed.
func invocation() string {
	self, err := os.Executable()
	if err == nil && strings.Contains(self, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/pushbridge"
	}
	return os.Args[0]
}
