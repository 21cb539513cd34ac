package doctor

import (
	"context"
	"fmt"
	"time"
)

// An Inspection says what to look at on this computer.
type Inspection struct {
	Listen string // as the configuration has it
	State  string // the state directory

	// WebUsers are users that web servers work as; those that do not exist here
	// are passed over. Nil means www-data, nginx, apache, http.
	WebUsers []string

	// Space is how much room the disk of the state should have, in bytes; 0
	// means 256 MB.
	Space uint64

	Events Events // who may tell of changes

	// Proc is where the kernel tells of processes; "" means /proc.
	Proc string

	Now func() time.Time // nil means time.Now

	// Backends starts the plugins and says how their servers are.
	Backends func(context.Context) ([]Backend, error)

	Tell func(Finding) // shown each finding as it comes; may be nil
}

// A Backend is how a configured one is.
type Backend struct {
	Name      string
	Plugin    string
	Problem   string   // why it does not answer; "" if it does
	Open      bool     // it asks nobody for a password
	Abilities []string // extras, by their names in the contract
	Shows     string   // what a person has there; "" if nobody's password is known
	Forwards  bool     // it is told where phones are
	Brakes    bool     // it is known to slow down everybody at an address after wrong passwords
}

// Inspect looks at sockets, state, limits and backends.
func Inspect(ctx context.Context, o Inspection) Report {
	if o.WebUsers == nil {
		o.WebUsers = []string{"www-data", "nginx", "apache", "http"}
	}
	if o.Proc == "" {
		o.Proc = "/proc"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	n := &notes{tell: o.Tell}
	n.socket(ctx, o)
	n.state(o.State, o.Space)
	n.clockSet(o.Now())
	list, err := o.Backends(ctx)
	if err != nil {
		n.fail("backends", "configuration", err.Error(), "pushbridge serve --config FILE --check says the same, with the lines")
		return n.report
	}
	for _, b := range list {
		n.backend(b)
	}
	n.events(o, list)
	return n.report
}

// words say what each extra of the contract is good for.
var words = map[string]string{
	"watch":     "says by itself when something changes",
	"probe":     "answers cheaply whether something changed (ctag, sync-token)",
	"schedule":  "sends invitations and answers itself",
	"identity":  "knows people's mail addresses",
	"freebusy":  "tells when others are busy",
	"folders":   "lets phones make, rename and delete folders",
	"subscribe": "pushes where it is asked to (WebDAV-Push)",
}

func (n *notes) backend(b Backend) {
	step := "backend"
	name := fmt.Sprintf("[backend.%s] (%s)", b.Name, b.Plugin)
	if b.Problem != "" {
		n.fail(step, "backend-away", name+" does not answer as it should: "+b.Problem, "is its server running, is the url right, and is its certificate one that this computer trusts (ca_file)?")
		return
	}
	text := name + " answers"
	for _, a := range b.Abilities {
		if w := words[a]; w != "" {
			a = w
		}
		text += "; " + a
	}
	if !b.tells() {
		text += "; changes made elsewhere are noticed by asking, between poll_min and poll_max"
	}
	n.ok(step, "%s", text)
	if b.Open {
		n.fail(step, "backend-open", name+" asks nobody for a password: whoever reaches pushbridge can be anybody", "let the server ask for passwords (Radicale: [auth] type = htpasswd)")
	}
	n.forwards(name, b)
	if b.Shows != "" {
		n.ok(step, "%s shows %s", name, b.Shows)
	}
}

// oldest is before this program was written: a clock that says less is not set.
var oldest = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (n *notes) clockSet(now time.Time) {
	if now.Before(oldest) {
		n.fail("clock", "clock", "this computer believes that it is "+now.Format(time.DateOnly), "set it by NTP: timedatectl set-ntp true")
		return
	}
	n.ok("clock", "%s (doctor --url compares it with that of another computer)", now.Format(time.DateTime+" MST"))
}
