// Package group says which groups people belong to: those that administrators keep here, which may hold each other.
//
// A [Source] is whoever knows groups; those of a directory are another one.
// [Local] are ours.
package group

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	// MaxName bounds the name of a group and of a member, in bytes.
	MaxName = 256

	// MaxMembers bounds those of one group.
	MaxMembers = 50_000

	// MaxGroups bounds the groups: all are read and checked whenever one is
	// changed.
	MaxGroups = 10_000

	// MaxDepth bounds how deep groups hold each other, so that what is decided
	// by them can be followed.
	MaxDepth = 16
)

// A Group has people and other groups as members.
type Group struct {
	Description string   `json:"description,omitempty"`
	Users       []string `json:"users,omitempty"`  // names of accounts
	Groups      []string `json:"groups,omitempty"` // whose people belong to this one, too
}

// A Membership says that somebody belongs to a group, and how.
type Membership struct {
	Group string

	// Through are the groups on the shortest way, from the one that names the
	// person; it is empty if Group does.
	Through []string
}

// Distance is how far the group is from the person: 1 if it names them.
func (m Membership) Distance() int { return len(m.Through) + 1 }

// String says it in words: "all, through staff, berlin".
func (m Membership) String() string {
	if len(m.Through) == 0 {
		return m.Group
	}
	return m.Group + ", through " + strings.Join(m.Through, ", ")
}

// A Source knows groups.
type Source interface {
	// Memberships are the groups that a person belongs to, each once, by its
	// shortest way, the nearest first and then by name.
	Memberships(ctx context.Context, user string) ([]Membership, error)
}

// Local are groups by their names, as Index made them. It is a Source, and is not
// changed after it was made.
type Local struct {
	users, within map[string][]string // the groups that name a person, and a group
}

var _ Source = (*Local)(nil)

// Index makes a source of groups, or says everything that is wrong with them.
func Index(groups map[string]Group) (*Local, Complaints) {
	l := &Local{users: map[string][]string{}, within: map[string][]string{}}
	var wrong Complaints
	if n := len(groups); n > MaxGroups {
		return nil, Complaints{fmt.Sprintf("there are %d groups; there may be %d", n, MaxGroups)}
	}
	for _, name := range sorted(groups) {
		g := groups[name]
		wrong = append(wrong, check(name, g, groups)...)
		for _, u := range g.Users {
			l.users[u] = append(l.users[u], name)
		}
		for _, h := range g.Groups {
			l.within[h] = append(l.within[h], name)
		}
	}
	if len(wrong) == 0 {
		wrong = circles(groups)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return l, nil
}

// Complaints are what is wrong with groups, a sentence each.
type Complaints []string

// Error writes a line for each.
func (c Complaints) Error() string { return strings.Join(c, "\n") }

func check(name string, g Group, all map[string]Group) (wrong Complaints) {
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("group %.80q "+format, append([]any{name}, args...)...))
	}
	if !ValidName(name) {
		complain("is no name; write 1 to %d bytes without line feeds", MaxName)
	}
	if n := len(g.Users) + len(g.Groups); n > MaxMembers {
		complain("has %d members; there may be %d", n, MaxMembers)
	}
	if len(g.Description) > 4*MaxName {
		complain("has a description of %d bytes; write at most %d", len(g.Description), 4*MaxName)
	}
	seen := map[string]bool{}
	for _, u := range g.Users {
		switch {
		case !ValidName(u):
			complain("has the member %.80q, which is no name of a person", u)
		case seen[u]:
			complain("names %.80q twice; once is enough", u)
		}
		seen[u] = true
	}
	clear(seen)
	for _, h := range g.Groups {
		switch _, known := all[h]; {
		case !known:
			complain("holds the group %.80q, which is not known; make that one first", h)
		case seen[h]:
			complain("holds group %.80q twice; once is enough", h)
		}
		seen[h] = true
	}
	return wrong
}

// ValidName tells whether a text can name a group or a person.
func ValidName(s string) bool {
	return s != "" && len(s) <= MaxName && s == strings.TrimSpace(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' })
}

// circles finds groups that hold themselves, and those that are too deep.
func circles(groups map[string]Group) (wrong Complaints) {
	depth := map[string]int{} // below a group; -1 while it is looked at
	var look func(name string, way []string) int
	look = func(name string, way []string) int {
		switch d := depth[name]; {
		case d < 0:
			from := slices.Index(way, name)
			wrong = append(wrong, fmt.Sprintf("groups hold each other in a circle: %s; take one out of the next", strings.Join(append(way[from:], name), " holds ")))
			return 0
		case d > 0:
			return d
		}
		depth[name] = -1
		deepest := 0
		for _, h := range groups[name].Groups {
			deepest = max(deepest, look(h, append(way[:len(way):len(way)], name)))
		}
		depth[name] = deepest + 1
		if depth[name] == MaxDepth+1 {
			wrong = append(wrong, fmt.Sprintf("group %.80q holds groups that hold groups, more than %d deep", name, MaxDepth))
		}
		return depth[name]
	}
	for _, name := range sorted(groups) {
		look(name, nil)
	}
	return wrong
}

// Memberships implements Source.
func (l *Local) Memberships(_ context.Context, user string) ([]Membership, error) {
	return l.Of(user), nil
}

// Of is Memberships, for which nobody else has to be asked.
func (l *Local) Of(user string) []Membership {
	var list []Membership
	seen := map[string]bool{}
	for _, g := range l.users[user] {
		if !seen[g] {
			seen[g] = true
			list = append(list, Membership{Group: g})
		}
	}
	for i := 0; i < len(list); i++ { // breadth first: the shortest way comes first
		m := list[i]
		for _, g := range l.within[m.Group] {
			if seen[g] {
				continue
			}
			seen[g] = true
			list = append(list, Membership{g, append(m.Through[:len(m.Through):len(m.Through)], m.Group)})
		}
	}
	slices.SortFunc(list, func(a, b Membership) int {
		return cmp.Or(cmp.Compare(a.Distance(), b.Distance()), cmp.Compare(a.Group, b.Group))
	})
	return list
}

func sorted(groups map[string]Group) []string {
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
