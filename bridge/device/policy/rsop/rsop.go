// Package rsop computes the resulting set of policy: which of many policies decides each setting of a phone, and what it overrode.
//
// Policies are linked to scopes: everyone, groups, a user, a device. A narrower
// scope decides over a wider one, unless the wider one's link is enforced: then
// nobody below can change what it says, and of several enforced links the widest
// decides. A scope that blocks inheritance keeps out what wider scopes say and do
// not enforce. Among groups the one decides that is nearer to the person; what is
// equally near is decided by the order of the links, the lowest number first.
package rsop

import (
	"cmp"
	"slices"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/group"
)

// A Kind is a sort of scopes. The words are stored.
type Kind string

// The kinds of scopes, from the widest to the narrowest.
const (
	Everyone Kind = "everyone"
	Group    Kind = "group"
	User     Kind = "user"
	Device   Kind = "device"
)

// A Scope is the phones that something is for.
type Scope struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name,omitempty"`   // of the group, or of the user
	Device string `json:"device,omitempty"` // the DeviceId, with the user's name
}

// String says it in words: "group staff".
func (s Scope) String() string {
	text := string(s.Kind)
	for _, part := range []string{s.Name, s.Device} {
		if part != "" {
			text += " " + part
		}
	}
	return text
}

// A Link says that a policy is for a scope.
type Link struct {
	Policy   string `json:"policy"`
	Scope    Scope  `json:"scope"`
	Order    int    `json:"order,omitempty"`    // among the links of equally near scopes; the lowest decides
	Enforced bool   `json:"enforced,omitempty"` // no narrower scope can change what it says
}

// compare orders the links of equally near scopes, the one that decides first.
func (l Link) compare(m Link) int {
	return cmp.Or(cmp.Compare(l.Order, m.Order), cmp.Compare(l.Policy, m.Policy), cmp.Compare(l.Scope.Name, m.Scope.Name))
}

// Values are what a policy says, by the names in [Names].
type Values map[string]any

// A Subject is a phone, or one that might come.
type Subject struct {
	User, Device string
	Groups       []group.Membership
}

// Candidate is a link that concerns a phone.
type Candidate struct {
	Link
	Out string `json:"out,omitempty"` // why it says nothing after all; empty if it does
}

// An Overridden value was said, too, and does not count.
type Overridden struct {
	Value any  `json:"value"`
	From  Link `json:"from"`
}

// A Decided value is a setting of a phone, and where it comes from.
type Decided struct {
	Name      string       `json:"name"`
	Value     any          `json:"value"`
	From      Link         `json:"from"`
	Overrides []Overridden `json:"overrides,omitempty"` // the strongest first
	Idle      string       `json:"idle,omitempty"`      // why it has no effect; empty if it has
}

// A Result is the resulting set of policy of a phone, with its reasons.
type Result struct {
	Policy     policy.Policy `json:"-"`
	Values     []Decided     `json:"values"`     // in the order of Names
	Candidates []Candidate   `json:"candidates"` // the strongest first, then those that are out
}

// A Set is policies and their links, made ready. It is not changed after Compile.
type Set struct {
	links  []Link   // the ones that decide first of equally near scopes first
	slots  [][]slot // of each link's policy
	scopes map[Scope]*linked
	blocks map[Scope]bool
}

// A slot is one value of a policy.
type slot struct {
	index int // in names
	value any
}

// A linked is what is linked to one scope, as places in Set.links, the strongest
// first, and what comes of it if nothing else is as near.
type linked struct {
	enforced, plain   []int
	forced, inherited []slot
}

// Compile makes a set ready. A link to a policy that is not there says nothing.
func Compile(policies map[string]Values, links []Link, blocks []Scope) *Set {
	s := &Set{scopes: map[Scope]*linked{}, blocks: map[Scope]bool{}}
	of := map[string][]slot{}
	for name, values := range policies {
		list := make([]slot, 0, len(values))
		for setting, v := range values {
			if i, ok := byName[setting]; ok {
				list = append(list, slot{i, v})
			}
		}
		slices.SortFunc(list, func(a, b slot) int { return a.index - b.index })
		of[name] = list
	}
	for _, b := range blocks {
		s.blocks[b] = true
	}
	for _, l := range slices.SortedFunc(slices.Values(links), Link.compare) {
		if _, ok := policies[l.Policy]; !ok {
			continue
		}
		at := s.scopes[l.Scope]
		if at == nil {
			at = new(linked)
			s.scopes[l.Scope] = at
		}
		if l.Enforced {
			at.enforced = append(at.enforced, len(s.links))
		} else {
			at.plain = append(at.plain, len(s.links))
		}
		s.links, s.slots = append(s.links, l), append(s.slots, of[l.Policy])
	}
	for _, at := range s.scopes {
		at.forced, at.inherited = s.merged(at.enforced), s.merged(at.plain)
	}
	return s
}

// merged is what links say together, the strongest first.
func (s *Set) merged(links []int) []slot {
	var v values
	for _, l := range links {
		v.put(s.slots[l])
	}
	return v.slots()
}

// values are what was decided so far.
type values struct {
	has   [maxNames]bool
	value [maxNames]any
}

// put takes the values that are not decided yet.
func (v *values) put(slots []slot) {
	for _, w := range slots {
		if !v.has[w.index] {
			v.has[w.index], v.value[w.index] = true, w.value
		}
	}
}

func (v *values) slots() (list []slot) {
	for i := range names {
		if v.has[i] {
			list = append(list, slot{i, v.value[i]})
		}
	}
	return list
}

// A level is scopes that are equally near to a phone.
type level []Scope

// levels are the scopes of a phone that something is linked to or that block
// inheritance, from the widest to the narrowest.
func (s *Set) levels(who Subject) []level {
	list := make([]level, 0, 8)
	add := func(l level) {
		if len(l) > 0 {
			list = append(list, l)
		}
	}
	only := func(sc Scope) level {
		if s.scopes[sc] == nil && !s.blocks[sc] {
			return nil
		}
		return level{sc}
	}
	add(only(Scope{Kind: Everyone}))
	for i := len(who.Groups); i > 0; { // the farthest come last
		var l level
		d := who.Groups[i-1].Distance()
		for ; i > 0 && who.Groups[i-1].Distance() == d; i-- {
			l = append(l, only(Scope{Kind: Group, Name: who.Groups[i-1].Group})...)
		}
		add(l)
	}
	add(only(Scope{Kind: User, Name: who.User}))
	if who.Device != "" {
		add(only(Scope{Kind: Device, Name: who.User, Device: who.Device}))
	}
	return list
}

// barred is the number of levels whose links count only if they are enforced, and
// the scope that says so.
func (s *Set) barred(levels []level) (int, Scope) {
	for i, l := range slices.Backward(levels) {
		for _, sc := range l {
			if s.blocks[sc] {
				return i, sc
			}
		}
	}
	return 0, Scope{}
}

// of answers the links of a level, the strongest first.
func (s *Set) of(l level, enforced bool) (links []int, merged []slot, alone bool) {
	for _, sc := range l {
		at := s.scopes[sc]
		if at == nil {
			continue
		}
		mine, slots := at.plain, at.inherited
		if enforced {
			mine, slots = at.enforced, at.forced
		}
		if len(mine) == 0 {
			continue
		}
		if links == nil {
			links, merged, alone = mine, slots, true
			continue
		}
		alone = false
		links = append(links[:len(links):len(links)], mine...)
	}
	if !alone {
		slices.Sort(links)
	}
	return links, merged, alone
}

// For is the policy of a phone.
func (s *Set) For(who Subject) policy.Policy {
	var v values
	concerned := false
	s.walk(who, func(links []int, merged []slot, alone bool) {
		concerned = concerned || len(links) > 0
		if alone {
			v.put(merged)
			return
		}
		for _, l := range links {
			v.put(s.slots[l])
		}
	})
	return v.policy(concerned)
}

// walk visits what counts for a phone, the strongest first.
func (s *Set) walk(who Subject, visit func(links []int, merged []slot, alone bool)) {
	levels := s.levels(who)
	barred, _ := s.barred(levels)
	for _, l := range levels {
		visit(s.of(l, true))
	}
	for i, l := range slices.Backward(levels) {
		if i >= barred {
			visit(s.of(l, false))
		}
	}
}

// policy is what the values are together. Where a policy is for a phone, it has to
// be accepted, unless one says that it has not.
func (v *values) policy(concerned bool) policy.Policy {
	p := policy.Policy{Require: concerned}
	if v.has[require] {
		p.Require = concerned && v.value[require] == true
	}
	if !p.Require {
		return policy.Policy{}
	}
	p.RefusePartial = v.value[refusePartial] == true
	p.RefuseExternal = v.value[refuseExternal] == true
	p.AllowUnprovisionable = v.value[allowUnprovisionable] == true
	p.Document = policy.Document{}
	for _, w := range v.slots() {
		if w.index < len(policy.Settings) {
			p.Document[names[w.index]] = w.value
		}
	}
	return p
}

// Explain is For with the reasons.
func (s *Set) Explain(who Subject) Result {
	r := Result{Values: []Decided{}, Candidates: []Candidate{}}
	decided := map[int]*Decided{}
	s.walk(who, func(links []int, _ []slot, _ bool) {
		for _, at := range links {
			l := s.links[at]
			r.Candidates = append(r.Candidates, Candidate{Link: l})
			for _, w := range s.slots[at] {
				if d := decided[w.index]; d != nil {
					d.Overrides = append(d.Overrides, Overridden{w.value, l})
					continue
				}
				decided[w.index] = &Decided{Name: names[w.index], Value: w.value, From: l}
			}
		}
	})
	levels := s.levels(who)
	barred, by := s.barred(levels)
	for _, l := range levels[:barred] {
		links, _, _ := s.of(l, false)
		for _, out := range links {
			r.Candidates = append(r.Candidates, Candidate{s.links[out], by.String() + " keeps out what wider scopes say"})
		}
	}
	r.Policy = s.For(who)
	for i := range names {
		if d := decided[i]; d != nil {
			d.Idle = idle(r.Policy, i)
			r.Values = append(r.Values, *d)
		}
	}
	return r
}
