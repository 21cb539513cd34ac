// Package config reads the configuration file and says everything that is wrong with it at once.
package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/account"
	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/plugins/backend"
)

// A File is the configuration. Every value that the file leaves out has its
// default.
type File struct {
	Listen string // FastCGI: "unix:PATH", "tcp:HOST:PORT", "systemd" or "spawn-fcgi"; empty means none
	HTTP   string // plain HTTP for trials: "HOST:PORT"; empty means none
	State  string // a directory
	Admin  string // the control door: "unix:PATH" or "off"; empty means a socket in State

	Metrics string // Prometheus, over plain HTTP: "HOST:PORT"; empty means none

	Notify     string // where hooks send word of changes: "unixgram:PATH" or "off"; empty means a socket in State
	WebDAVPush string // "https://HOST": where servers reach this worker with WebDAV-Push; empty means that none is asked to

	Log  Log
	Web  Web
	Mail Mail

	Heartbeat Heartbeat
	Login     Login
	Policy    Policy
	Brake     Brake
	Throttle  Throttle
	Directory Directory
	Folders   Folders

	// TimeZone is where people are, by its IANA name; empty means UTC.
	TimeZone string

	PollMin time.Duration // between two questions to a backend that has no events
	PollMax time.Duration

	// PollShare is the part of a processor core, in percent, that polling may
	// take of one backend; 0 means the default of package watch.
	PollShare int

	// ForgetAfter is after what time a phone that does not come any more is
	// forgotten; 0 means never.
	ForgetAfter time.Duration

	PluginsDir      string // other people's plugins; empty means none
	AutodiscoverURL string // what phones are told; empty means the host they asked
	Profiles        string // a file of rules for sorts of phones, see package profile; empty means the built-in ones alone

	Redirects      account.Redirects // whose server is elsewhere, in the file's order
	CertificatesCA string            // a file of authorities, in PEM, that certificates for mail are judged by beside the system's; empty means none

	Backends []Backend // in the file's order
	Hooks    []Hook    // in the file's order
}

// A Hook is one [hook.NAME] table: who may say at /hooks/NAME that something
// changed.
type Hook struct {
	Name    string
	Kind    string // "nextcloud" or "generic"
	Backend string // the one that it speaks of; empty means any
	Secret  string
	At      string // where the table begins, "FILE:LINE"
}

// String hides the secret.
func (h Hook) String() string { return "hook " + h.Name }

// GoString hides it from %#v, too.
func (h Hook) GoString() string { return h.String() }

// HookKinds are the kinds of hooks that there are.
var HookKinds = []string{"nextcloud", "generic"}

// Web says where people and programs reach the administration over the web.
type Web struct {
	URL     string        // "https://HOST"; empty means nowhere
	Owners  bool          // owners of phones may sign in, for what is theirs
	Idle    time.Duration // how long a session lives that is not used
	Longest time.Duration // and at most

	OIDC OIDC
}

// OIDC names an identity provider that says who administrators are.
type OIDC struct {
	Issuer   string // "https://login.example.org/realms/x"; empty means none
	ClientID string
	Secret   string
	Scopes   []string // beside "openid"
	Name     string   // the claim with what somebody is called; empty means "email"
	Groups   string   // the claim with the groups; empty means "groups"
	Roles    []string // "GROUP: ROLE, ROLE", see ParseGroupRoles
}

// String hides the secret.
func (o OIDC) String() string { return o.Issuer + " " + o.ClientID }

// GoString hides it from %#v, too.
func (o OIDC) GoString() string { return "config.OIDC{" + o.String() + "}" }

// ParseGroupRoles reads which roles the members of a group have.
func ParseGroupRoles(text string) (group string, roles []string, err error) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 || strings.TrimSpace(text[:at]) == "" {
		return "", nil, fmt.Errorf("config: %.80q has no group before a colon", text)
	}
	for name := range strings.SplitSeq(text[at+1:], ",") {
		role, err := admin.ParseRole(strings.TrimSpace(name))
		if err != nil || role == admin.SelfService {
			return "", nil, fmt.Errorf("config: %.40q is no role of an administrator", strings.TrimSpace(name))
		}
		roles = append(roles, string(role))
	}
	return strings.TrimSpace(text[:at]), roles, nil
}

// Mail says how notices are mailed, and to whom.
type Mail struct {
	SMTP           string   // a mail server, as package mailer has it; empty means that none are mailed
	User, Password string   // to log in there; without a user nobody logs in
	CAFile         string   // authorities to trust, in PEM; empty means the system's
	From           string   // the address that they are from
	Administrators []string // the addresses of those who decide about phones
}

// String hides the password.
func (m Mail) String() string { return m.SMTP }

// GoString hides it from %#v, too.
func (m Mail) GoString() string { return "config.Mail{" + m.String() + "}" }

// Log says what is logged.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // text, json
}

// Heartbeat bounds how long a phone may wait.
type Heartbeat struct {
	Min       time.Duration // shorter ones are refused
	Default   time.Duration // for a phone that names none
	Max       time.Duration // longer ones are refused
	Increment time.Duration // by which phones are to try longer ones
	Learn     bool          // none longer is granted than survived in the phone's network
}

// Login says what is made of the name that a person types.
type Login struct {
	Rule    string   // "keep", "strip_domain" or a template such as "{user}@example.org"
	Domains []string // that may be written; empty means any
	Domain  string   // that is meant where none is written
	Lower   bool     // capital letters mean the same as small ones
	Address string   // template of the mail address
	Verify  []string // the backends that are asked, until one says yes; empty means the first
}

// Policy says what is asked of phones.
type Policy struct {
	policy.Policy

	NeverFullWipe bool   // nobody can have a whole phone erased
	RecoveryKeys  string // a file with the keys of recovery passwords; empty means that none are kept

	WipeTwoPersons bool          // two people have to want a whole phone erased
	WipeExpires    time.Duration // how long an order to erase a phone waits for it; 0 means for ever
	OwnersWipe     bool          // people may have their own phones erased as a whole
}

// Brake says when a deletion of many items is not believed at once: more than
// Count items, and more than Share percent of a folder, that are gone in one
// listing wait for a second listing, Pause later.
type Brake struct {
	Share int // percent; 100 believes everything
	Count int
	Pause time.Duration
}

// Throttle bounds the wrong passwords that reach the backends within a window,
// per user, device and address; 0 means that there is no bound.
type Throttle struct {
	User, Device, Address int
	Window                time.Duration
}

// Directory names the address books in which everybody finds people: those of
// User at Backend that match Collection. Without a User they are those of each
// person's own books that match.
type Directory struct {
	Backend    string // empty means that there are none
	Collection string // a pattern of names or IDs, as path.Match has it
	User       string
	Password   string
}

// String hides the password.
func (d Directory) String() string { return d.Backend + " " + d.Collection }

// GoString hides the password from %#v, too.
func (d Directory) GoString() string { return "config.Directory{" + d.String() + "}" }

// Folders are rules of package choice: which folders phones are shown, and which
// are the main ones of their kinds.
type Folders struct{ Show, Hide, Main []string }

// A Backend is one [backend.NAME] table.
type Backend struct {
	Name     string
	Login    string           // what it is told of a login; empty means what Login.Rule says
	Plugin   string           // a built-in adapter or the name of a plugin
	Settings backend.Settings // everything else, for the plugin alone
	At       string           // where the table begins, "FILE:LINE", for what the plugin says of it
}

// The bounds of a heartbeat. See [MS-ASCMD] "HeartbeatInterval (Ping)": the
// server chooses them; 59 minutes are the longest that Sync can express.
const (
	LeastHeartbeat = time.Second
	MostHeartbeat  = 59 * time.Minute
)

// LeastBrake is the shortest pause of the brake: a server that restarts is back
// by then. MostBrake is the longest, since a deletion that phones hear of a day
// later is a mystery.
const (
	LeastBrake = time.Minute
	MostBrake  = 24 * time.Hour
)

// LeastThrottle and MostThrottle bound the window in which wrong passwords are
// counted: a day is as long as a password that was right is remembered.
const (
	LeastThrottle = time.Second
	MostThrottle  = 24 * time.Hour
)

// LeastExpiry and MostExpiry bound what waits for phones: one that is on a journey
// is not gone, and ten years are for ever.
const (
	LeastExpiry = 24 * time.Hour
	MostExpiry  = 3650 * 24 * time.Hour
)

// LeastSession and MostSession bound how long somebody may stay signed in: who
// fills in a form is not to lose it, and a browser that is left open for a month
// is anybody's.
const (
	LeastSession = time.Minute
	MostSession  = 30 * 24 * time.Hour
)

// LeastPoll keeps a slip of the pen from hammering a server.
const LeastPoll = time.Second

// Default is the configuration of an empty file, which lacks nothing but
// backends.
func Default() File {
	return File{
		State: "/var/lib/pushbridge",
		Log:   Log{Level: "info", Format: "text"},
		Heartbeat: Heartbeat{
			Min: time.Minute, Default: 8 * time.Minute, Max: MostHeartbeat, Increment: 5 * time.Minute,
		},
		Login: Login{Rule: "keep"},
		Web:   Web{Owners: true, Idle: 30 * time.Minute, Longest: 12 * time.Hour},
		Brake: Brake{Share: 20, Count: 10, Pause: 10 * time.Minute},
		Throttle: Throttle{
			User: account.DefaultLimits.User, Device: account.DefaultLimits.Device,
			Address: account.DefaultLimits.Address, Window: account.DefaultLimits.Window,
		},
		PollMin: 15 * time.Second,
		PollMax: 5 * time.Minute,
	}
}
