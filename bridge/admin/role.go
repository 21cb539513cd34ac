package admin

import (
	"fmt"
	"slices"
	"strings"
)

// A Role is a part that somebody plays in the administration. The words are
// stored.
type Role string

// The roles.
const (
	ServerAdministrator   Role = "server-administrator"   // the worker, its backends, its gateways
	DeviceAdministrator   Role = "device-administrator"   // phones, and the rules and policies for them
	DeviceSupport         Role = "device-support"         // phones, one by one
	Helpdesk              Role = "helpdesk"               // helps people who are at their phone
	SecurityAdministrator Role = "security-administrator" // the audit, the administrators, the second signature
	ReadOnly              Role = "read-only"              // looks, and changes nothing
	SelfService           Role = "self-service"           // a phone's owner, for what is theirs alone
)

// Roles are all of them.
var Roles = []Role{ServerAdministrator, DeviceAdministrator, DeviceSupport, Helpdesk, SecurityAdministrator, ReadOnly, SelfService}

// AllRoles are those of whoever may open the socket: everything but the part of
// a phone's owner.
var AllRoles = slices.DeleteFunc(slices.Clone(Roles), func(r Role) bool { return r == SelfService })

// ParseRole reads the name of a role.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles, r) {
		return r, nil
	}
	names := make([]string, len(Roles))
	for i, r := range Roles {
		names[i] = string(r)
	}
	return "", fmt.Errorf("admin: %.40q is no role; the roles are %s", name, strings.Join(names, ", "))
}

// An Actor is whoever wants something: a person at a socket, on a web page, or a
// program with a token. Whoever lets somebody in says who that is.
type Actor struct {
	Name    string // for the audit: "uid 0", "jane", "token backup of jane"
	Roles   []Role
	Address string // where the actor is: an address, or "socket"

	// User is the account whose own phones SelfService may care for. It is empty
	// for everybody else.
	User string

	// Administrator is who of the list of administrators it is, or whose token it
	// is, of the name Token. Session is the one that the actor has signed in with.
	// They are empty at the socket.
	Administrator, Token, Session string
}

// Is tells whether the actor plays a role.
func (a Actor) Is(r Role) bool { return slices.Contains(a.Roles, r) }

// The groups of roles that the operations below are for.
var (
	staff   = []Role{ServerAdministrator, DeviceAdministrator, DeviceSupport, Helpdesk, SecurityAdministrator, ReadOnly}
	helpers = []Role{DeviceAdministrator, DeviceSupport, Helpdesk}
	support = []Role{DeviceAdministrator, DeviceSupport}
	servers = []Role{ServerAdministrator, DeviceAdministrator}
	devices = []Role{DeviceAdministrator}
	secure  = []Role{SecurityAdministrator}

	managers = []Role{ServerAdministrator, SecurityAdministrator}

	auditors = []Role{SecurityAdministrator, ServerAdministrator, DeviceAdministrator, ReadOnly}
)
