package rsop_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/device/policy"
	"github.com/pushbridge/pushbridge/bridge/device/policy/rsop"
	"github.com/pushbridge/pushbridge/bridge/group"
)

// A world is groups, policies, links and blocks, and somebody's phones.
type world struct {
	groups   map[string]group.Group
	policies map[string]rsop.Values
	links    []rsop.Link
	blocks   []rsop.Scope
}

const (
	people = 4
	phones = 2
)

// somebody's names.
func personName(n int) string { return fmt.Sprintf("u%d", n) }
func phoneName(n int) string  { return fmt.Sprintf("d%d", n) }

// random makes a world of a seed.
func random(r *rand.Rand) world {
	w := world{groups: map[string]group.Group{}, policies: map[string]rsop.Values{}}
	n := r.IntN(7)
	for i := range n {
		var g group.Group
		for u := range people {
			if r.IntN(3) == 0 {
				g.Users = append(g.Users, personName(u))
			}
		}
		for j := range i { // those before: no circles
			if r.IntN(3) == 0 {
				g.Groups = append(g.Groups, fmt.Sprintf("g%d", j))
			}
		}
		w.groups[fmt.Sprintf("g%d", i)] = g
	}
	scope := func() rsop.Scope {
		switch k := r.IntN(8); {
		case k == 0:
			return rsop.Scope{Kind: rsop.Everyone}
		case k < 5:
			return rsop.Scope{Kind: rsop.Group, Name: fmt.Sprintf("g%d", r.IntN(8))} // some are not there
		case k < 7:
			return rsop.Scope{Kind: rsop.User, Name: personName(r.IntN(people))}
		}
		return rsop.Scope{Kind: rsop.Device, Name: personName(r.IntN(people)), Device: phoneName(r.IntN(phones))}
	}
	count := 1 + r.IntN(6)
	for i := range count {
		v := rsop.Values{}
		for range r.IntN(6) {
			name := rsop.Names[r.IntN(len(rsop.Names))]
			switch s, _ := rsop.Find(name); s.Kind {
			case policy.Switch:
				v[name] = r.IntN(2) == 0
			case policy.Number:
				v[name] = s.Least + r.IntN(3)
			case policy.List:
				v[name] = []string{fmt.Sprint(r.IntN(3))}
			}
		}
		w.policies[fmt.Sprintf("p%d", i)] = v
	}
	seen := map[string]bool{}
	for range r.IntN(12) {
		l := rsop.Link{Policy: fmt.Sprintf("p%d", r.IntN(count+1)), Scope: scope(), Order: r.IntN(3), Enforced: r.IntN(4) == 0}
		if key := l.Policy + l.Scope.String(); !seen[key] { // one link of a policy to a scope
			seen[key] = true
			w.links = append(w.links, l)
		}
	}
	for range r.IntN(3) {
		w.blocks = append(w.blocks, scope())
	}
	return w
}

// The oracle below is slow, and follows the sentences of the package comment one
// by one.

// distanceTo is how far a group is from a person by trying all ways; 0 if it does
// not hold them.
func (w world) distanceTo(name, user string) int {
	g := w.groups[name]
	if slices.Contains(g.Users, user) {
		return 1
	}
	best := 0
	for _, h := range g.Groups {
		if d := w.distanceTo(h, user); d > 0 && (best == 0 || d+1 < best) {
			best = d + 1
		}
	}
	return best
}

// width is how wide a scope is for a phone, as a number that is larger for wider
// ones; -1 if it does not concern it.
func (w world) width(s rsop.Scope, user, device string) int {
	switch s.Kind {
	case rsop.Everyone:
		return 1000
	case rsop.Group:
		if d := w.distanceTo(s.Name, user); d > 0 {
			return 10 + d
		}
	case rsop.User:
		if s.Name == user {
			return 1
		}
	case rsop.Device:
		if s.Name == user && s.Device == device {
			return 0
		}
	}
	return -1
}

// counts tells whether a link says anything for a phone.
func (w world) counts(l rsop.Link, user, device string) bool {
	width := w.width(l.Scope, user, device)
	if _, there := w.policies[l.Policy]; !there || width < 0 {
		return false
	}
	if l.Enforced {
		return true
	}
	for _, b := range w.blocks {
		if bw := w.width(b, user, device); bw >= 0 && bw < width {
			return false
		}
	}
	return true
}

// beats tells whether one link decides over another one.
func (w world) beats(a, b rsop.Link, user, device string) bool {
	if a.Enforced != b.Enforced {
		return a.Enforced
	}
	wa, wb := w.width(a.Scope, user, device), w.width(b.Scope, user, device)
	if wa != wb {
		if a.Enforced {
			return wa > wb
		}
		return wa < wb
	}
	if a.Order != b.Order {
		return a.Order < b.Order
	}
	if a.Policy != b.Policy {
		return a.Policy < b.Policy
	}
	return a.Scope.Name < b.Scope.Name
}

// decide answers the value of a setting, the link it comes from, and what that
// overrode.
func (w world) decide(name, user, device string) (v any, from rsop.Link, over []rsop.Overridden, ok bool) {
	var said []rsop.Link
	for _, l := range w.links {
		if _, has := w.policies[l.Policy][name]; has && w.counts(l, user, device) {
			said = append(said, l)
		}
	}
	for len(said) > 0 { // the one that no other one beats
		for i, l := range said {
			if slices.ContainsFunc(said, func(m rsop.Link) bool { return w.beats(m, l, user, device) }) {
				continue
			}
			if !ok {
				v, from, ok = w.policies[l.Policy][name], l, true
			} else {
				over = append(over, rsop.Overridden{Value: w.policies[l.Policy][name], From: l})
			}
			said = slices.Delete(said, i, i+1)
			break
		}
	}
	return v, from, over, ok
}

// TestAgainstTheOracle is a thousand worlds, with every phone in them.
func TestAgainstTheOracle(t *testing.T) {
	const worlds = 1000
	var seen struct{ overridden, enforced, barred, nested, tied int }
	for seed := range uint64(worlds) {
		w := random(rand.New(rand.NewPCG(seed, 1)))
		index, wrong := group.Index(w.groups)
		if wrong != nil {
			t.Fatal(wrong)
		}
		set := rsop.Compile(w.policies, w.links, w.blocks)
		for u := range people {
			for d := range phones {
				user, device := personName(u), phoneName(d)
				who := rsop.Subject{User: user, Device: device, Groups: index.Of(user)}
				got := set.Explain(who)
				var want []rsop.Decided
				for _, name := range rsop.Names {
					v, from, over, ok := w.decide(name, user, device)
					if !ok {
						continue
					}
					want = append(want, rsop.Decided{Name: name, Value: v, From: from, Overrides: over})
					seen.overridden += len(over)
					if from.Enforced {
						seen.enforced++
					}
					if from.Scope.Kind == rsop.Group && w.distanceTo(from.Scope.Name, user) > 1 {
						seen.nested++
					}
					if len(over) > 0 && from.Scope.Kind == rsop.Group && over[0].From.Scope.Kind == rsop.Group &&
						w.distanceTo(from.Scope.Name, user) == w.distanceTo(over[0].From.Scope.Name, user) {
						seen.tied++
					}
				}
				for i := range got.Values {
					got.Values[i].Idle = ""
				}
				if len(got.Values) == 0 {
					got.Values = nil
				}
				if diff := cmp.Diff(want, got.Values); diff != "" {
					t.Fatalf("seed %d, %s %s (-want +got):\n%s\nlinks %v\nblocks %v\ngroups %v", seed, user, device, diff, w.links, w.blocks, w.groups)
				}
				quick := set.For(who)
				if diff := cmp.Diff(got.Policy, quick); diff != "" {
					t.Fatalf("seed %d: explained it is another one:\n%s", seed, diff)
				}
				w.checkPolicy(t, quick, got, user, device)
				for _, c := range got.Candidates {
					if c.Out != "" {
						seen.barred++
					}
					if w.counts(c.Link, user, device) != (c.Out == "") {
						t.Fatalf("seed %d: %v is a candidate that is out because of %q", seed, c.Link, c.Out)
					}
				}
			}
		}
	}
	if seen.overridden < 100 || seen.enforced < 100 || seen.barred < 100 || seen.nested < 100 || seen.tied < 10 {
		t.Errorf("too little of what is difficult came up: %+v", seen)
	}
}

// checkPolicy holds the policy against the decided values.
func (w world) checkPolicy(t *testing.T, p policy.Policy, r rsop.Result, user, device string) {
	t.Helper()
	concerned := slices.ContainsFunc(w.links, func(l rsop.Link) bool { return w.counts(l, user, device) })
	decided := map[string]any{"require": true}
	for _, d := range r.Values {
		decided[d.Name] = d.Value
	}
	require := concerned && decided["require"] == true
	if p.Require != require {
		t.Fatalf("required: %t, want %t", p.Require, require)
	}
	if !require {
		if p.Document != nil || p.RefusePartial || p.RefuseExternal || p.AllowUnprovisionable {
			t.Fatalf("a policy that nobody has to accept is %+v", p)
		}
		return
	}
	n := 0
	for name, v := range decided {
		if _, ok := policy.Find(name); !ok {
			continue
		}
		n++
		if diff := cmp.Diff(v, p.Document[name]); diff != "" {
			t.Fatalf("%s: %s", name, diff)
		}
	}
	if n != len(p.Document) || p.RefusePartial != (decided["refuse_partial"] == true) || p.RefuseExternal != (decided["refuse_external"] == true) ||
		p.AllowUnprovisionable != (decided["allow_unprovisionable"] == true) {
		t.Fatalf("of %v comes %+v", decided, p)
	}
}

func TestIdleSettingsSayWhy(t *testing.T) {
	everyone, me := rsop.Scope{Kind: rsop.Everyone}, rsop.Scope{Kind: rsop.User, Name: "ann"}
	policies := map[string]rsop.Values{
		"strict": {"device_password_enabled": true, "min_device_password_length": 6},
		"lax":    {"device_password_enabled": false},
		"none":   {"require": false},
	}
	links := []rsop.Link{{Policy: "strict", Scope: everyone}, {Policy: "lax", Scope: me}}
	r := rsop.Compile(policies, links, nil).Explain(rsop.Subject{User: "ann"})
	if len(r.Values) != 2 || r.Values[1].Idle != "device_password_enabled is false" || r.Values[0].Idle != "" || len(r.Values[0].Overrides) != 1 {
		t.Errorf("it is %+v", r.Values)
	}
	r = rsop.Compile(policies, append(links, rsop.Link{Policy: "none", Scope: me}), nil).Explain(rsop.Subject{User: "ann"})
	if r.Policy.Require || !strings.Contains(r.Values[0].Idle, "require") {
		t.Errorf("who is exempt has %+v", r)
	}
}

// Everything that is wrong is said at once.
func TestParse(t *testing.T) {
	v, wrong := rsop.Parse(map[string]any{
		"device_pasword_enabled": true, "flying": true, "allow_camera": "perhaps", "require": 1,
		"min_device_password_length": 99, "device_password_enabled": false, "device_password_history": int64(3),
	})
	if v != nil || len(wrong) != 6 {
		t.Fatalf("%d complaints:\n%v", len(wrong), wrong)
	}
	if text := wrong.Error(); !strings.Contains(text, "is device_password_enabled meant?") || !strings.Contains(text, "has no effect while device_password_enabled is false") {
		t.Errorf("it says\n%s", text)
	}
	// What another policy may say is not missed in one.
	v, wrong = rsop.Parse(map[string]any{"min_device_password_length": 8.0, "refuse_partial": true, "approved_application_list": []any{"a"}})
	if diff := cmp.Diff(rsop.Values{"min_device_password_length": 8, "refuse_partial": true, "approved_application_list": []string{"a"}}, v); wrong != nil || diff != "" {
		t.Errorf("%v\n%s", wrong, diff)
	}
}

func TestEveryNameHasAPlace(t *testing.T) {
	for _, name := range rsop.Names {
		if s, ok := rsop.Find(name); !ok || s.Name != name {
			t.Errorf("%s is not found", name)
		}
	}
	all := rsop.Values{}
	for _, name := range rsop.Names { // as many as the arrays hold
		all[name] = true
	}
	r := rsop.Compile(map[string]rsop.Values{"p": all}, []rsop.Link{{Policy: "p", Scope: rsop.Scope{Kind: rsop.Everyone}}}, nil).Explain(rsop.Subject{User: "ann"})
	if len(r.Values) != len(rsop.Names) {
		t.Errorf("%d of %d names are decided", len(r.Values), len(rsop.Names))
	}
}

// BenchmarkRecompute is what a change costs: 500 policies for 10,000 phones, where
// each phone is concerned by some fifty policies of its groups.
func BenchmarkRecompute(b *testing.B) {
	const devices, count, teams = 10_000, 500, 400
	r := rand.New(rand.NewPCG(1, 2))
	groups := map[string]group.Group{}
	for i := range teams {
		groups[fmt.Sprintf("team%03d", i)] = group.Group{}
	}
	for i := range teams {
		name := fmt.Sprintf("team%03d", i)
		g := groups[name]
		for u := range devices {
			if u%(teams/20) == i%(teams/20) && r.IntN(2) == 0 {
				g.Users = append(g.Users, fmt.Sprintf("u%d", u))
			}
		}
		for j := range 3 {
			if h := i*3 + j + 1; h < teams {
				g.Groups = append(g.Groups, fmt.Sprintf("team%03d", h))
			}
		}
		groups[name] = g
	}
	policies, links := map[string]rsop.Values{}, []rsop.Link(nil)
	for i := range count {
		v := rsop.Values{}
		for range 20 {
			v[rsop.Names[r.IntN(len(policy.Settings))]] = i
		}
		name := fmt.Sprintf("p%03d", i)
		policies[name] = v
		sc := rsop.Scope{Kind: rsop.Group, Name: fmt.Sprintf("team%03d", i%teams)}
		if i%50 == 0 {
			sc = rsop.Scope{Kind: rsop.Everyone}
		}
		links = append(links, rsop.Link{Policy: name, Scope: sc, Order: i % 7, Enforced: i%11 == 0})
	}
	for b.Loop() {
		index, wrong := group.Index(groups)
		if wrong != nil {
			b.Fatal(wrong)
		}
		set := rsop.Compile(policies, links, nil)
		for u := range devices {
			user := fmt.Sprintf("u%d", u)
			if p := set.For(rsop.Subject{User: user, Device: "d", Groups: index.Of(user)}); !p.Require {
				b.Fatal("a phone without a policy")
			}
		}
	}
}
