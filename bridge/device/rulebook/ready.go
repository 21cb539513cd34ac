package rulebook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/group"
)

const (
	// MaxPolicies bounds the policies, and MaxLinks what they are for.
	MaxPolicies = 1000
	MaxLinks    = 20_000

	// MaxPeople bounds the people for whom something was decided.
	MaxPeople = 100_000

	// maxSaid is how many complaints are said: more than a person mends before
	// trying again, and no more than fits a line of the log.
	maxSaid = 100

	// MaxListed bounds the block list.
	MaxListed = 20_000
)

// Complaints are everything that is wrong with a change, a sentence each.
type Complaints []string

// Error writes a line for each, and counts those that are too many to be read.
func (c Complaints) Error() string {
	text := strings.Join(c[:min(len(c), maxSaid)], "\n")
	if n := len(c) - maxSaid; n > 0 {
		text += fmt.Sprintf("\nand %d more", n)
	}
	return text
}

// A Ready is a state that was checked, and answers. It is not changed any more.
type Ready struct {
	state  *State
	groups *group.Local
	set    *rsop.Set

	mu     sync.Mutex
	policy map[device.ID]policy.Policy // computed before
}

// ready checks a state with the policy of the configuration.
func (s *State) ready(file Config) (*Ready, Complaints) {
	r := &Ready{state: s, policy: map[device.ID]policy.Policy{}}
	groups, bad := group.Index(s.Groups)
	wrong := Complaints(bad)
	r.groups = groups
	policies, bad2 := s.values(file.NeverFullWipe)
	wrong = append(wrong, bad2...)
	wrong = append(wrong, s.checkLinks()...)
	wrong = append(wrong, s.Admission.check(s.Groups)...)
	wrong = append(wrong, s.checkPeople()...)
	if len(wrong) > 0 {
		return nil, wrong
	}
	r.set = rsop.Compile(policies, withFile(file.Policy, policies, s.Links), s.Blocks)
	return r, nil
}

// erases is the setting by which phones erase themselves.
const erases = "max_device_password_failed_attempts"

// values checks what the policies say.
func (s *State) values(neverFullWipe bool) (map[string]rsop.Values, Complaints) {
	all, wrong := map[string]rsop.Values{}, Complaints(nil)
	if len(s.Policies) > MaxPolicies {
		wrong = append(wrong, fmt.Sprintf("there are %d policies; there may be %d", len(s.Policies), MaxPolicies))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Policies)) {
		p := s.Policies[name]
		if !group.ValidName(name) || strings.HasPrefix(name, "(") {
			wrong = append(wrong, fmt.Sprintf("%.80q is no name of a policy; write 1 to %d bytes that do not begin with a parenthesis", name, group.MaxName))
		}
		if len(p.Description) > 2*maxText {
			wrong = append(wrong, fmt.Sprintf("policy %.80q has a description of %d bytes; write at most %d", name, len(p.Description), 2*maxText))
		}
		v, bad := rsop.Parse(p.Values)
		for _, c := range bad {
			wrong = append(wrong, fmt.Sprintf("policy %.80q: %s", name, c))
		}
		if _, ok := v[erases]; ok && neverFullWipe {
			wrong = append(wrong, fmt.Sprintf("policy %.80q: %s has phones erase themselves, and never_full_wipe of the configuration says never", name, erases))
		}
		all[name] = v
		if bad == nil {
			p.Values = v
			s.Policies[name] = p
		}
	}
	return all, wrong
}

// checkLinks looks whether there is what is linked.
func (s *State) checkLinks() (wrong Complaints) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if len(s.Links) > MaxLinks {
		complain("there are %d links; there may be %d", len(s.Links), MaxLinks)
	}
	seen := map[string]bool{}
	for _, l := range s.Links {
		if _, ok := s.Policies[l.Policy]; !ok {
			complain("there is no policy %.80q, which is to be for %.80s", l.Policy, l.Scope)
		}
		if l.Order < 0 || l.Order > 1_000_000 {
			complain("the link of %.80q to %.80s has the order %d; write 0 to 1000000", l.Policy, l.Scope, l.Order)
		}
		if name := linkName(l); seen[name] {
			complain("policy %.80q is linked to %.80s twice", l.Policy, l.Scope)
		} else {
			seen[name] = true
		}
		wrong = append(wrong, s.checkScope(l.Scope)...)
	}
	clear(seen)
	for _, b := range s.Blocks {
		if seen[b.String()] {
			complain("%.80s blocks inheritance twice", b)
		}
		seen[b.String()] = true
		if b.Kind == rsop.Everyone {
			complain("everyone inherits nothing that could be blocked")
			continue
		}
		wrong = append(wrong, s.checkScope(b)...)
	}
	return wrong
}

func (s *State) checkScope(sc rsop.Scope) (wrong Complaints) {
	bad := func(format string, args ...any) Complaints { return Complaints{fmt.Sprintf(format, args...)} }
	switch sc.Kind {
	case rsop.Everyone:
		if sc.Name != "" || sc.Device != "" {
			return bad("the scope everyone has no name")
		}
	case rsop.Group:
		if _, ok := s.Groups[sc.Name]; !ok || sc.Device != "" {
			return bad("there is no group %.80q", sc.Name)
		}
	case rsop.User:
		if !group.ValidName(sc.Name) || sc.Device != "" {
			return bad("%.80q is no name of a person", sc.Name)
		}
	case rsop.Device:
		if !group.ValidName(sc.Name) || !device.ValidID(sc.Device) {
			return bad("%.80q of %.80q is no phone", sc.Device, sc.Name)
		}
	default:
		return bad("%.40q is no scope; write everyone, group, user or device", sc.Kind)
	}
	return nil
}

func (s *State) checkPeople() (wrong Complaints) {
	if len(s.People) > MaxPeople {
		wrong = append(wrong, fmt.Sprintf("something is decided for %d people; it may be for %d", len(s.People), MaxPeople))
	}
	for _, name := range slices.Sorted(maps.Keys(s.People)) {
		p := s.People[name]
		if !group.ValidName(name) {
			wrong = append(wrong, fmt.Sprintf("%.80q is no name of a person", name))
		}
		if p.MaxDevices < 0 || p.MaxDevices > device.MaxPhones {
			wrong = append(wrong, fmt.Sprintf("max_devices of %.80q is %d; write 1 to %d, or 0 for as many as everybody may have", name, p.MaxDevices, device.MaxPhones))
		}
		if len(p.Why) > maxText {
			wrong = append(wrong, fmt.Sprintf("the reason for %.80q has %d bytes; write at most %d", name, len(p.Why), maxText))
		}
	}
	if len(s.Listed) > MaxListed {
		wrong = append(wrong, fmt.Sprintf("the block list has %d entries; there may be %d", len(s.Listed), MaxListed))
	}
	for id, l := range s.Listed {
		if !device.ValidID(id) || len(l.Why) > maxText {
			wrong = append(wrong, fmt.Sprintf("%.80q is no DeviceId, or its reason is longer than %d bytes", id, maxText))
		}
	}
	return wrong
}

// subject is a phone for package rsop.
func (r *Ready) subject(id device.ID) rsop.Subject {
	return rsop.Subject{User: id.User, Device: id.Device, Groups: r.groups.Of(id.User)}
}

// Groups are those that a person belongs to.
func (r *Ready) Groups(user string) []group.Membership { return r.groups.Of(user) }

// Policy is what is asked of a phone.
func (r *Ready) Policy(id device.ID) policy.Policy {
	r.mu.Lock()
	p, ok := r.policy[id]
	r.mu.Unlock()
	if ok {
		return p
	}
	p = r.set.For(r.subject(id))
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.policy) >= maxCached {
		clear(r.policy)
	}
	r.policy[id] = p
	return p
}

// Explain is Policy with the reasons.
func (r *Ready) Explain(id device.ID) rsop.Result { return r.set.Explain(r.subject(id)) }

// Admits says why a phone is not served: device.ErrBlocked, device.ErrQuarantined
// or device.ErrUserOff, and the reason in words. What was decided for the phone
// itself is the caller's business.
func (r *Ready) Admits(p device.Phone) (why string, err error) {
	if person, ok := r.state.People[p.User]; ok && person.Off {
		return "mobile access is off for " + p.User + because(person.Why), device.ErrUserOff
	}
	if p.Approved() {
		return "", nil
	}
	action, why := r.rule(p)
	switch action {
	case Block:
		return why, device.ErrBlocked
	case Quarantine:
		return why, device.ErrQuarantined
	}
	return "", nil
}

// rule finds what the rules say about a phone.
func (r *Ready) rule(p device.Phone) (Action, string) {
	a := r.state.Admission
	if len(a.Rules) > 0 {
		groups := r.groups.Of(p.User)
		for i, rule := range a.Rules {
			if rule.fits(p, groups) {
				return rule.Action, fmt.Sprintf("rule %d: %s", i+1, rule)
			}
		}
	}
	if a.Everybody || !p.FirstSeen.Before(a.Since) {
		return a.Default, "the default for new phones"
	}
	return Allow, ""
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// MaxPhones is how many phones a person may have.
func (r *Ready) MaxPhones(user string) int {
	for _, n := range []int{r.state.People[user].MaxDevices, r.state.Admission.MaxDevices} {
		if n > 0 {
			return n
		}
	}
	return device.MaxPhones
}

// Listed tells whether a DeviceId is on the block list, and why.
func (r *Ready) Listed(id string) (why string, yes bool) {
	l, ok := r.state.Listed[id]
	if !ok {
		return "", false
	}
	return "on the block list" + because(l.Why), true
}
