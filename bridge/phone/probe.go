package phone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/easclient"
)

// Probe walks through what a phone does with a new account, and writes a line
// for each step with what it saw: OPTIONS, Autodiscover, Provision, FolderSync,
// the first Sync of each folder, one Ping. It returns the first error that a phone
// would stumble over, after it has tried what can still be tried.
func Probe(ctx context.Context, w io.Writer, c Config) error {
	pr := prober{w: w, config: c, client: c.client("probe")}
	for _, step := range []func(*prober, context.Context) error{
		(*prober).options, (*prober).autodiscover, (*prober).provision, (*prober).folders, (*prober).items, (*prober).ping,
	} {
		if err := step(&pr, ctx); err != nil {
			return err
		}
	}
	if pr.phone != nil {
		for _, v := range pr.phone.Violations() {
			pr.line("Beware", "%s", v)
		}
	}
	return pr.err
}

type prober struct {
	w      io.Writer
	config Config
	client *easclient.Client
	phone  *Phone
	err    error // the first that did not end the probe
}

func (pr *prober) line(step, format string, args ...any) {
	fmt.Fprintf(pr.w, "%-14s %s\n", step, fmt.Sprintf(format, args...))
}

// fail writes why a step failed.
func (pr *prober) fail(step string, err error) error {
	err = Explain(err)
	pr.line(step, "FAILED: %v", err)
	return fmt.Errorf("phone: %s: %w", step, err)
}

func (pr *prober) options(ctx context.Context) error {
	began := time.Now()
	o, err := pr.client.Options(ctx)
	if err != nil {
		return pr.fail("OPTIONS", err)
	}
	var versions []string
	for _, v := range o.Versions {
		versions = append(versions, v.String())
	}
	if pr.client.Version == 0 {
		pr.client.Version = o.Best()
	}
	if len(versions) == 0 || pr.client.Version == 0 {
		return pr.fail("OPTIONS", errNoVersion)
	}
	pr.line("OPTIONS", "logged in after %s; the server speaks %s and knows %s; using %s",
		took(began), strings.Join(versions, ", "), count(len(o.Commands), "command"), pr.client.Version)
	if !slices.Contains(o.Versions, pr.client.Version) {
		pr.line("Beware", "version %s is not among those that the server announces", pr.client.Version)
	}
	return nil
}

// autodiscover does not stop the probe: a phone can be told the server's address.
func (pr *prober) autodiscover(ctx context.Context) error {
	email := or(pr.config.Email, pr.config.User)
	a, err := pr.client.Autodiscover(ctx, email)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		pr.line("Autodiscover", "no answer here (%v); the person has to type the server's address", err)
	case a.ErrorCode != 0:
		pr.line("Autodiscover", "knows nothing of %s (error %d); the person has to type the server's address", email, a.ErrorCode)
	case a.URL != "":
		pr.line("Autodiscover", "sends the phone of %s to %s", email, a.URL)
	case a.Redirect != "":
		pr.line("Autodiscover", "says to ask about %s instead", a.Redirect)
	default:
		pr.line("Autodiscover", "answered, but named no server")
	}
	return nil
}

func (pr *prober) provision(ctx context.Context) error {
	pr.phone = New(pr.client, pr.config.settings())
	result, err := pr.phone.Provision(ctx)
	switch {
	case errors.Is(err, ErrWiped):
		return pr.fail("Provision", err)
	case err != nil:
		var he *easclient.HTTPError
		if errors.As(err, &he) && he.Status != 501 {
			return pr.fail("Provision", err)
		}
		pr.line("Provision", "not done: %v", err)
	case result.PolicyKey == 0:
		pr.line("Provision", "the server has no policy for this phone")
	default:
		pr.line("Provision", "accepted; the policy %s", policyInWords(result.Policy))
	}
	return nil
}

func policyInWords(d *eas.PolicyData) string {
	if d == nil || d.Doc == nil {
		return "has no rules that we can read"
	}
	doc, rules := d.Doc, []string{}
	if doc.DevicePasswordEnabled != nil && *doc.DevicePasswordEnabled {
		rules = append(rules, "demands a password")
	}
	if doc.RequireDeviceEncryption != nil && *doc.RequireDeviceEncryption {
		rules = append(rules, "demands encryption")
	}
	if doc.AllowCamera != nil && !*doc.AllowCamera {
		rules = append(rules, "forbids the camera")
	}
	if len(rules) == 0 {
		return "demands nothing"
	}
	return strings.Join(rules, ", ")
}

func (pr *prober) folders(ctx context.Context) error {
	began := time.Now()
	if _, err := pr.phone.FolderSync(ctx); err != nil {
		return pr.fail("FolderSync", err)
	}
	var names []string
	for _, f := range pr.phone.Folders() {
		names = append(names, fmt.Sprintf("%s (%s)", f.DisplayName, or(strings.ToLower(f.Class), "other")))
	}
	pr.line("FolderSync", "%s after %s: %s", count(len(names), "folder"), took(began), strings.Join(names, ", "))
	if pr.phone.showsNothing() {
		pr.line("Beware", "%s", nothingThere)
	}
	return nil
}

// nothingThere is said to a person whose phone would stay empty.
const nothingThere = "there is nothing to show: create an address book or a calendar at the server first"

// showsNothing tells whether there is no folder that a phone shows.
func (p *Phone) showsNothing() bool {
	return !slices.ContainsFunc(p.Folders(), func(f Folder) bool { return slices.Contains(p.settings.Classes, f.Class) })
}

func (pr *prober) items(ctx context.Context) error {
	for _, f := range pr.phone.Folders() {
		if !slices.Contains(pr.phone.settings.Classes, f.Class) {
			continue
		}
		began := time.Now()
		if _, err := pr.phone.SyncFolders(ctx, f.ServerID); err != nil {
			err = pr.fail("Sync", fmt.Errorf("%s: %w", f.DisplayName, err))
			if ctx.Err() != nil {
				return err
			}
			if pr.err == nil {
				pr.err = err
			}
			continue
		}
		f, _ = pr.phone.Folder(f.ServerID)
		pr.line("Sync", "%s: %s after %s", f.DisplayName, count(len(f.Items), "item"), took(began))
	}
	return nil
}

func (pr *prober) ping(ctx context.Context) error {
	if len(pr.phone.pingRequest().Folders) == 0 {
		pr.line("Ping", "not done: there is no folder to watch")
		return nil
	}
	patience := pr.config.PingFor
	if patience == 0 {
		patience = pingFor
	}
	heartbeat := HeartbeatDefault
	for range 2 {
		began := time.Now()
		short, cancel := context.WithTimeout(ctx, patience)
		answer, err := pr.phone.Ping(short, heartbeat)
		cancel()
		switch {
		case err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			pr.line("Ping", "the server holds it; hung up after %v", patience)
			return nil
		case err != nil:
			return pr.fail("Ping", err)
		case answer.Status == eas.PingBadHeartbeat && answer.HeartbeatInterval != nil:
			heartbeat = time.Duration(*answer.HeartbeatInterval) * time.Second
			pr.line("Ping", "the server wants a heartbeat of %v", heartbeat)
			continue
		case answer.Status == eas.PingExpired, answer.Status == eas.PingChanges:
			pr.line("Ping", "came back after %s: %s", took(began), pingInWords(answer.Status))
			return nil
		}
		return pr.fail("Ping", fmt.Errorf("status %d: %s", answer.Status, pingInWords(answer.Status)))
	}
	return pr.fail("Ping", errors.New("the server refuses the very heartbeat that it named"))
}

var pingWords = map[eas.PingStatus]string{
	eas.PingExpired:          "nothing changed",
	eas.PingChanges:          "something changed",
	eas.PingMissing:          "it says that something is missing",
	eas.PingSyntax:           "it does not understand the request",
	eas.PingBadHeartbeat:     "it refuses the heartbeat",
	eas.PingTooManyFolders:   "it finds the folders too many",
	eas.PingHierarchyChanged: "the folders have changed",
	eas.PingServerError:      "the server has a problem",
}

func pingInWords(s eas.PingStatus) string {
	if words, ok := pingWords[s]; ok {
		return words
	}
	return "a status that Ping does not have"
}

func took(began time.Time) string {
	return time.Since(began).Round(time.Millisecond).String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
